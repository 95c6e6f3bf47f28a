"""What the calls that make layers become under a fix: other arguments, or nn.Identity()."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

from torch import nn

from rfcheck.errors import FixError
from rfcheck.fixes.fix import Plan
from rfcheck.fixes.parts import IDENTITY, Container, Part
from rfcheck.fixes.steps import Assign, Crop, Replace, Step
from rfcheck.fixes.subject import CONVOLUTIONS

_POOLINGS = (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d, nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d)
_PLAIN = (*CONVOLUTIONS, *_POOLINGS)
_WINDOW = ("kernel_size", "stride", "padding")


@dataclass(frozen=True, slots=True)
class NewCall:
    """What the call that makes a layer becomes.

    Attributes:
        path: dotted name of the layer.
        kind: name of its class in torch.nn, which the call has now.
        arguments: new values by name, per image axis.
        is_identity: whether the layer goes, so that the call becomes nn.Identity().
    """

    path: str
    kind: str
    arguments: tuple[tuple[str, tuple[int, ...]], ...] = ()
    is_identity: bool = False


def require_calls_only(plan: Plan) -> None:
    """Refuse a plan that changes a forward, which no call that makes a layer can say.

    Raises:
        FixError: if the plan does.
    """
    if plan.surgery is not None:
        raise FixError("it changes a forward, not only how layers are made")


def new_call(model: nn.Module, step: Step) -> NewCall:
    """What a step of a plan makes of the call behind a layer.

    Args:
        model: before the change.
        step: of a plan for it.

    Raises:
        FixError: if the step is more than a change of a convolution's or pooling's arguments; says what it is.
    """
    module = model.get_submodule(step.path)
    kind = type(module)
    match step:
        case Replace(part=part) if part == IDENTITY and kind in _POOLINGS:
            return NewCall(step.path, kind.__name__, is_identity=True)
        case Assign(attribute="stride", value=value) if kind in _PLAIN:
            return NewCall(step.path, kind.__name__, (("stride", value),))
        case Crop(taps=taps, padding=padding) if kind in CONVOLUTIONS:
            size = tuple(end - start for start, end in taps)
            return _changed(step.path, module, {"kernel_size": size, "stride": module.stride, "padding": padding})
        case Replace(part=Container(parts=((_, Part(kind=kind.__name__) as part),))) if kind in CONVOLUTIONS:
            return _changed(step.path, module, _window_of(part))
    raise FixError(_why_not(step, kind))


def _changed(path: str, conv: Any, window: dict[str, Any]) -> NewCall:
    """The arguments of a convolution that a new window changes."""
    now = {name: getattr(conv, name) for name in _WINDOW}
    if isinstance(conv.padding, str):
        now["padding"] = _padding_of(conv.padding, window["kernel_size"], conv.dilation)
    return NewCall(path, type(conv).__name__, tuple((name, window[name]) for name in _WINDOW if window[name] != now[name]))


def _padding_of(word: str, kernel: tuple[int, ...], dilation: tuple[int, ...]) -> tuple[float, ...]:
    """What "same" or "valid" stands for with a kernel; a fraction where "same" pads one side more than the other."""
    return tuple(d * (k - 1) / 2 if word == "same" else 0 for k, d in zip(kernel, dilation, strict=True))


def _window_of(part: Part) -> dict[str, tuple[int, ...]]:
    """Kernel, stride and padding of a convolution that a part stands for."""
    bound = inspect.signature(getattr(nn, part.kind)).bind(*part.args, **dict(part.kwargs))
    bound.apply_defaults()
    values = {name: bound.arguments[name] for name in _WINDOW}
    axes = int(part.kind[-2])  # Conv2d
    return {name: (value,) * axes if isinstance(value, int) else value for name, value in values.items()}


def _why_not(step: Step, kind: type) -> str:
    if kind not in _PLAIN and issubclass(kind, _PLAIN):
        return f"{step.path} is of the class {kind.__name__}, whose arguments are its own"
    change = {"Shorten": "shortens", "Append": "adds a layer to", "Wrap": "adds a layer behind"}.get(
        type(step).__name__, "replaces"
    )
    return f"it {change} {step.path or 'the model'}, which is more than other arguments of a layer"
