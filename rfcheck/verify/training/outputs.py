"""What a classifier puts out: one number per class, whatever else comes with it."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from rfcheck.errors import TrainingError
from rfcheck.verify.data.batches import evaluation_batches
from rfcheck.verify.modes import evaluating
from rfcheck.verify.training.failures import is_out_of_memory

if TYPE_CHECKING:
    from rfcheck.verify.data.prepared import Prepared


def logits(output: Any) -> Tensor:
    """The scores of the classes, (N, classes).

    Args:
        output: of the model: a tensor; a tuple, the scores first, as of Inception and GoogLeNet in training, whose auxiliary scores
            are not used; or a mapping with "logits", or else the scores first.

    Raises:
        TrainingError: if there is no tensor at that place.
    """
    found = output
    if isinstance(found, Mapping):
        found = found["logits"] if "logits" in found else next(iter(found.values()), None)
    elif isinstance(found, (tuple, list)):
        found = found[0] if found else None
    if not isinstance(found, Tensor):
        raise TrainingError(f"the model puts out {_what(output)} without scores in its first place; return a tensor (N, classes)")
    return found


def _what(output: Any) -> str:
    return "nothing" if output is None else f"a {type(output).__name__}"


def require_head(model: nn.Module, data: Prepared, target: str = "") -> None:
    """Refuse a model whose output does not have one score per class; it also gives lazy layers their shapes.

    Args:
        model: on the device of the data; afterwards in the modes in which it was.
        data: whose first images it gets, as in evaluation.
        target: that builds the model, "model.py:Net" or "torchvision:vgg16"; "" where it is not known.

    Raises:
        TrainingError: naming the shape of the output and what to write instead, or why the model fails.
    """
    images = _first_images(data)
    try:
        with evaluating(model), torch.no_grad():
            output = model(images)
    except Exception as error:
        raise TrainingError(f"the model fails on images {_shape(images)}: {type(error).__name__}: {error}") from error
    scores, classes = logits(output), len(data.classes)
    if scores.shape == (len(images), classes):
        return
    if scores.ndim == 2 and len(scores) == len(images):
        many = scores.shape[1]
        raise TrainingError(
            f"the model puts out {many} scores per image, but the images have {classes} classes; {_remedy(model, classes, target)}"
        )
    raise TrainingError(
        f"the model puts out {_shape(scores)} for {len(images)} images of {classes} classes, not ({len(images)}, {classes}); "
        "end it with pooling over all positions and a linear layer"
    )


def _first_images(data: Prepared) -> Tensor:
    """Two images as in evaluation; refuses those that memory cannot hold."""
    try:
        return next(evaluation_batches(data, "train", batch_size=2))[0]
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        extents = "x".join(map(str, data.preprocessing.placed_size))
        size = "x".join(map(str, data.preprocessing.input_size))
        raise TrainingError(
            f"two images of {extents} pixels, resized to {size}, do not fit into memory; give a smaller --canvas or --resolution"
        ) from error


def _remedy(model: nn.Module, classes: int, target: str) -> str:
    """How to give a model so many scores: by the argument of its class that tells their number, if it has one."""
    made_by = target.partition("(")[0] if ":" in target else type(model).__name__
    names = [name for name in inspect.signature(type(model).__init__).parameters if "class" in name]
    if names:
        return f"give it as many, as in {made_by}({names[0]}={classes})"
    return f"give its last layer {classes} outputs"


def _shape(tensor: Tensor) -> str:
    return str(tuple(tensor.shape))
