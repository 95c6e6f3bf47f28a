"""What to do about a model that cannot be analysed as it is: one input, other channels, another resolution or batch."""

from __future__ import annotations

import inspect
import re

from torch import nn

from rfcheck.errors import TraceError
from rfcheck.graph.feasibility import Feasible, Trials, TrialsEndedError, working_batch, working_channels, working_sizes
from rfcheck.input_size import crossed

_MOST_HINTS = 8


def require_one_input(model: nn.Module) -> None:
    """Refuse a forward that cannot be called with one tensor, and say how to wrap it.

    Raises:
        TraceError: naming the inputs.
    """
    try:
        parameters = list(inspect.signature(model.forward).parameters.values())
    except (TypeError, ValueError):
        return
    required = [p.name for p in parameters if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    required += [p.name for p in parameters if p.default is p.empty and p.kind is p.KEYWORD_ONLY]
    if len(required) > 1:
        supplied = ", ".join((required[0], *(f"{name}=..." for name in required[1:])))
        raise TraceError(
            f"{type(model).__name__}.forward takes several inputs ({', '.join(required)}), rfcheck gives it one image; "
            f"analyse a wrapper whose forward(self, {required[0]}) supplies the others: return self.model({supplied})"
        )


def with_remedy(error: TraceError, model: nn.Module, shape: tuple[int, ...]) -> TraceError:
    """The same error with what to do about it, where something that was tried works: other channels, sizes or batches."""
    if error.needs_data or len(shape) < 3:
        return error
    trials, hints = Trials(model), _numbers(error)
    try:
        remedy = _of_the_first_layer(error, model, trials, shape) or _by_trying(model, trials, shape, hints)
    except TrialsEndedError:
        remedy = _tried(trials, shape)
    return error if remedy is None else error.with_remedy(remedy)


def _tried(trials: Trials, shape: tuple[int, ...]) -> str | None:
    """The nearest of the inputs that were tried and work; of the others nothing is said."""
    working = sorted(trials.working(), key=lambda other: [abs(there - here) for there, here in zip(other, shape, strict=True)])
    if not working:
        return None
    count, *size = working[0]
    many = "" if count == 1 else f", for {count} images at once"
    return f"it works with --input-size {','.join(map(str, size))}{many}"


def _by_trying(model: nn.Module, trials: Trials, shape: tuple[int, ...], hints: list[int]) -> str | None:
    found = working_sizes(trials, shape, hints)
    if found is not None:
        return _sizes_text(found, trials, shape)
    batch = working_batch(trials, shape, hints)
    if batch is not None:
        count, _, *size = batch
        at = "" if tuple(size) == shape[2:] else f" at {crossed(size)} px"
        made = f"the model is made for batches of {count} images{at}, and rfcheck gives it one image"
        return f"{made}: take the number of images from the input, as in x.view(x.size(0), -1)"
    channels = [*_channels_of(model), 1, 3, 2, 4]
    other = working_channels(trials, shape, channels, hints)
    return None if other is None else _channels_text(other, shape)


def _sizes_text(found: Feasible, trials: Trials, shape: tuple[int, ...]) -> str:
    sizes = " and ".join(map(str, found.sizes))
    if found.step == 0:
        (only,) = found.sizes
        return f"the model is tied to {crossed((only,) * max(2, len(shape) - 2))} px" if len(shape) > 3 else f"it is tied to {only}"
    uneven = _uneven(found, trials, shape)
    if found.step == 1:
        if found.below is None and found.is_least:
            return f"the smallest resolution that works is {found.above}"
        return f"a resolution that works is {found.sizes[0]}" if len(found.sizes) == 1 else f"resolutions that work are {sizes}"
    every = f"every multiple of {found.step}" if found.whole else f"every {found.step} px"
    where = f"it works at {sizes}" if uneven is None else f"it works at {uneven}"
    return f"{where} ({every}{' that was tried' if len(found.sizes) == 1 else ''})"


def _uneven(found: Feasible, trials: Trials, shape: tuple[int, ...]) -> str | None:
    """A size for axes of different extents that works; None where they are equal, or none does."""
    extents = shape[2:]
    if len(set(extents)) == 1 or found.step < 2 or not found.whole:
        return None
    rounded = tuple(-(-extent // found.step) * found.step for extent in extents)
    return crossed(rounded) if trials.works((*shape[:2], *rounded)) else None


def _of_the_first_layer(error: TraceError, model: nn.Module, trials: Trials, shape: tuple[int, ...]) -> str | None:
    """What to do where the layer that takes the image wants other channels, by what it says of itself."""
    module = dict(model.named_modules()).get(error.layer or "")
    wanted = getattr(module, "in_channels", None)
    if not isinstance(wanted, int) or wanted < 1 or error.received is None or len(error.received) != len(shape):
        return None
    if error.received != shape or wanted == shape[1]:
        return None
    channels = f"the layer expects {wanted} channels and the input has {shape[1]}"
    if trials.works((1, wanted, *shape[2:])):
        return f"{channels}: pass --channels {wanted} or input_size={(wanted, *shape[2:])}"
    other = working_channels(trials, shape, [wanted], ())
    if other is None:
        return f"{channels}: pass --channels {wanted} or input_size={(wanted, *shape[2:])}, though that is not all that it needs"
    return f"{channels}: pass --input-size {','.join(map(str, other[1:]))} or input_size={other[1:]}"


def _channels_text(other: tuple[int, ...], shape: tuple[int, ...]) -> str:
    channels = f"{other[1]} channel{'' if other[1] == 1 else 's'}"
    at = "" if other[2:] == shape[2:] else f" at {crossed(other[2:])} px"
    return f"it works with {channels}{at}: pass --input-size {','.join(map(str, other[1:]))} or input_size={other[1:]}"


def _channels_of(model: nn.Module) -> list[int]:
    """The channels that the first layer which has any asks for."""
    wanted = (getattr(module, "in_channels", None) for module in model.modules())
    return [next((channels for channels in wanted if isinstance(channels, int)), 3)]


def _numbers(error: TraceError) -> list[int]:
    """Numbers in what the model said, which may be a size or a batch that it is made for."""
    said = str(error.__cause__ or "")
    found = [int(number) for number in re.findall(r"(?<![\d.])\d{1,4}(?![\d.])", said)]
    return [number for number in dict.fromkeys(found) if 1 < number <= 2048][:_MOST_HINTS]
