"""What to do about a model that cannot be analysed as it is: one input, other channels, another resolution."""

from __future__ import annotations

import inspect

from torch import nn

from rfcheck.errors import TraceError
from rfcheck.graph.feasibility import working_resolution


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
    """The same error with what to do about it: other channels, or a resolution that works."""
    if error.needs_data:
        return error
    remedy = _channel_remedy(error, model, shape)
    if remedy is None:
        found = working_resolution(model, shape)
        if found is not None:
            resolution, only = found
            size = "the smallest resolution that works is" if resolution > max(shape[2:]) else "a resolution that works is"
            remedy = f"the model is tied to {resolution}x{resolution} px" if only else f"{size} {resolution}"
    return error if remedy is None else error.with_remedy(remedy)


def _channel_remedy(error: TraceError, model: nn.Module, shape: tuple[int, ...]) -> str | None:
    module = dict(model.named_modules()).get(error.layer or "")
    wanted = getattr(module, "in_channels", None)
    if not isinstance(wanted, int) or error.received is None or len(error.received) != len(shape):
        return None
    if error.received == shape and wanted != shape[1]:
        channels = f"the layer expects {wanted} channels and the input has {shape[1]}"
        return f"{channels}: pass --channels {wanted} or input_size={(wanted, *shape[2:])}"
    return None
