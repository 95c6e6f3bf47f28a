"""What a classifier puts out: one number per class, whatever else comes with it."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from rfcheck.errors import TargetError, TrainingError
from rfcheck.target.spec import parse_target
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
    """How to give a model so many scores: by an argument of what was called, or of the model's class, that tells their number."""
    own = _about_classes(inspect.signature(type(model).__init__).parameters)
    made_by, arguments = target.partition("(")[0], _arguments_of(target)
    if own and not _is_instance(target) and (arguments is None or "**" in arguments):
        return f"give it as many, as in {made_by if ':' in target else type(model).__name__}({own[0]}={classes})"
    called = _about_classes(arguments or ())
    if called:
        return f"give it as many, as in {made_by}({called[0]}={classes})"
    file, _, _ = made_by.rpartition(":")
    if own and _arguments_of(f"{file}:{type(model).__name__}") is not None:
        return f"give it as many, as in {file}:{type(model).__name__}({own[0]}={classes})"
    return f"give its last layer {classes} outputs"


def _about_classes(arguments: Iterable[str]) -> list[str]:
    return [name for name in arguments if "class" in name]


def _is_instance(target: str) -> bool:
    """Whether a target names a model that a file or module makes itself, which is not called."""
    try:
        spec = parse_target(target)
        if spec.kind == "module":
            return isinstance(getattr(sys.modules.get(spec.place), spec.attribute or "", None), nn.Module)
        body = ast.parse(Path(spec.place).read_bytes()).body if spec.kind == "file" else []
    except (TargetError, OSError, SyntaxError, ValueError):
        return False
    made = [n.value for n in body if isinstance(n, ast.Assign) and spec.attribute in [getattr(t, "id", None) for t in n.targets]]
    return bool(made) and not isinstance(made[-1], ast.Lambda) and "partial" not in ast.unparse(made[-1]).partition("(")[0]


def _arguments_of(target: str) -> list[str] | None:
    """Arguments of the function or class at the top of a file that a target names, read from its code.

    Returns:
        Their names, with "**" where it takes any, and for a class without a constructor of its own. None where no code can be read.
    """
    try:
        spec = parse_target(target)
        body = ast.parse(Path(spec.place).read_bytes()).body if spec.kind == "file" else []
    except (TargetError, OSError, SyntaxError, ValueError):
        return None
    definition = next((n for n in body if isinstance(n, (ast.FunctionDef, ast.ClassDef)) and n.name == spec.attribute), None)
    if isinstance(definition, ast.ClassDef):
        constructors = [n for n in definition.body if isinstance(n, ast.FunctionDef) and n.name == "__init__"]
        if not constructors:
            return ["**"]
        definition = constructors[0]
    if definition is None:
        return None
    arguments = definition.args
    names = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    return [*names, "**"] if arguments.kwarg is not None else names


def _shape(tensor: Tensor) -> str:
    return str(tuple(tensor.shape))
