"""Why a training cannot go on, and what to change."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import torch
from torch import Tensor, nn

from rfcheck.errors import TrainingError
from rfcheck.verify.writing import cannot_be_written, remedy_of

DIVERGED = 10
"""Multiple of the loss at chance level, log(classes), beyond which all losses of an epoch mean that training diverges."""

_TOO_SMALL = {
    "more than 1 value per channel": "take larger images or batches",
    "Output size is too small": "take larger images",
    "greater than actual input size": "take larger images",
}
"""What torch says of feature maps that are too small in training mode, and what to do."""


class LossNotFiniteError(Exception):
    """A loss that is NaN or infinite.

    Attributes:
        step: of the epoch, 1 for the first.
        loss: NaN or infinity.
        images: of the step; None where the model has learnt since, as the device was not waited for.
    """

    def __init__(self, step: int, loss: float, images: Tensor | None) -> None:
        super().__init__(f"loss {loss} at step {step}")
        self.step, self.loss, self.images = step, loss, images


def loss_not_finite(error: LossNotFiniteError, model: nn.Module, epoch: int, learning_rate: float, precision: str) -> TrainingError:
    """What to say of a loss that is not finite.

    Args:
        error: that was raised.
        model: as it was then.
        epoch: in which it was raised, 1 for the first.
        learning_rate: at that time.
        precision: of the training.
    """
    remedy = f"try a smaller learning rate than {learning_rate:g}"
    if precision == "fp16":
        remedy += ", or precision bf16"
    elif epoch == error.step == 1:
        remedy = "correct what the model computes, as nothing is learnt before that step"
    cause = "" if error.images is None else _first_not_finite(model, error.images)
    return TrainingError(
        f"the loss is {error.loss} at step {error.step} of epoch {epoch}{cause and f', where {cause}'}; {kept(epoch - 1)}; {remedy}"
    )


def _first_not_finite(model: nn.Module, images: Tensor) -> str:
    """Weights, or else the first output, that are not finite; empty if all are."""
    for name, parameter in model.named_parameters():
        if not bool(torch.isfinite(parameter).all()):
            return f"{name} is not finite"
    found: list[str] = []

    def hook(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def look(_: nn.Module, __: Any, output: Any) -> None:
            if isinstance(output, Tensor) and not found and not bool(torch.isfinite(output).all()):
                found.append(f"{name} is the first layer with outputs that are not finite")

        return look

    handles = [module.register_forward_hook(hook(name)) for name, module in model.named_modules() if name]
    try:
        with torch.no_grad():
            model(images)
    finally:
        for handle in handles:
            handle.remove()
    return found[0] if found else ""


def require_no_divergence(losses: list[float], classes: int, epoch: int, learning_rate: float) -> None:
    """Refuse to go on where no step of an epoch came near the loss of guessing; the first epoch may begin with any loss.

    Raises:
        TrainingError: naming the smallest loss of the epoch.
    """
    chance = math.log(classes)
    if epoch > 1 and min(losses) > DIVERGED * chance:
        raise TrainingError(
            f"training diverges: no loss of epoch {epoch} is below {min(losses):.3g}, and guessing among {classes} classes has "
            f"{chance:.3g}; {kept(epoch - 1)}; try a smaller learning rate than {learning_rate:g}"
        )


def kept(epochs: int) -> str:
    """What is on disk after so many epochs."""
    return "no epoch was finished" if epochs == 0 else f"everything up to epoch {epochs} is kept"


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory was refused, on a GPU or on the CPU."""
    return isinstance(error, (MemoryError, torch.OutOfMemoryError)) or (
        isinstance(error, RuntimeError) and ("DefaultCPUAllocator" in str(error) or "can't allocate memory" in str(error))
    )


def out_of_memory(device: torch.device, epoch: int, batch_size: int, fits: int | None) -> TrainingError:
    """What to say where memory was refused.

    Args:
        device: that has too little.
        epoch: in which that was, 1 for the first.
        batch_size: that does not fit.
        fits: one that does; None where none is known.
    """
    remedy = f"a batch of {fits} fits: begin a new run with --batch-size {fits}" if fits else "take a smaller model or batch"
    where = "the memory of this machine" if device.type == "cpu" else f"the memory of {device}"
    return TrainingError(f"a batch of {batch_size} images does not fit into {where} in epoch {epoch}; {kept(epoch - 1)}; {remedy}")


def largest_fitting(works: Callable[[int], None], batch_size: int) -> int | None:
    """The first of batch_size/2, batch_size/4 and so on for which memory suffices.

    Args:
        works: makes a step with so many images; raises where memory is refused.
        batch_size: for which it was.

    Returns:
        None where not even the smallest can be tried.
    """
    size = batch_size // 2
    while size >= 1:
        try:
            works(size)
        except Exception as error:
            if not is_out_of_memory(error):
                return None
        else:
            return size
        size //= 2
    return None


def not_written(folder: Path, error: OSError, epochs: int) -> TrainingError:
    """What to say where a training cannot write.

    Args:
        folder: of the training.
        error: that the system gave.
        epochs: that are kept.
    """
    return TrainingError(f"{cannot_be_written(folder, error)}; {kept(epochs)}; {remedy_of(error)}")


def is_of_model(error: Exception, model: nn.Module) -> bool:
    """Whether an error came out of the model, forwards or backwards."""
    return isinstance(error, RuntimeError) or _layer_of(error.__traceback__, model) is not None


def step_failed(error: Exception, model: nn.Module, epoch: int) -> TrainingError:
    """What to say where the model itself fails in training mode; names the innermost of its layers that did."""
    layer = _layer_of(error.__traceback__, model)
    remedy = next(
        (remedy for reason, remedy in _TOO_SMALL.items() if reason in str(error)), "make its forward work in training mode"
    )
    where = f" in {layer}" if layer else ""
    return TrainingError(f"the model fails in training mode{where}: {type(error).__name__}: {error}; {kept(epoch - 1)}; {remedy}")


def _layer_of(traceback: TracebackType | None, model: nn.Module) -> str | None:
    """Name of the innermost module of the model that a traceback runs through, empty for the model; None if there is none."""
    names = {id(module): name for name, module in model.named_modules()}
    found = None
    while traceback is not None:
        found = names.get(id(traceback.tb_frame.f_locals.get("self")), found)
        traceback = traceback.tb_next
    return found
