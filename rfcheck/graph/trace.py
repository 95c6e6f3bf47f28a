"""Run a model's forward once without data, and record every operator of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn

from rfcheck.errors import TraceError
from rfcheck.graph.failing import Failure, error_of, needs_data
from rfcheck.graph.passes import pass_on_fakes, pass_on_meta, pass_on_zeros
from rfcheck.graph.records import Recording
from rfcheck.graph.scripted import is_scripted
from rfcheck.graph.wrappers import is_sharded
from rfcheck.target.program import Program

TracedWith = Literal["meta", "fake", "real"]


@dataclass(frozen=True, slots=True)
class Trace:
    """A recorded forward pass.

    Attributes:
        recording: what happened.
        shape: shape of the input, (N, C, *image axes).
        traced_with: "meta" (no data at all), "fake" (torch's FakeTensor) or "real" (a forward pass on zeros).
        parameters: elements of each parameter of the model, by name.
    """

    recording: Recording
    shape: tuple[int, ...]
    traced_with: TracedWith
    parameters: dict[str, int]


def trace(model: nn.Module, shape: tuple[int, ...], *, locate: bool = False) -> Trace:
    """Record one forward pass in eval mode; on meta tensors if possible, else on FakeTensors, else really, on zeros.

    Args:
        model: left exactly as it was, also when this raises.
        shape: of the input, (1, C, *image axes).
        locate: whether to take note of the lines of the user's code that call functions.

    Raises:
        TraceError: if the forward pass fails; names the layer, the shapes and what the model said.
    """
    named = dict(model.named_parameters())
    _refuse_lazy(named)
    parameters = {name: parameter.numel() for name, parameter in named.items()}
    failures: list[Failure] = []
    holds_data = not any(parameter.is_meta for parameter in named.values())
    for traced_with in _ways(model):
        if traced_with == "real" and not holds_data:
            raise needs_data(failures[0] if failures else Failure(RuntimeError("TorchScript runs on data only"), None, []), shape)
        result = _WAYS[traced_with](model, shape, locate)
        if isinstance(result, Recording):
            if result.lacks_values and traced_with == "meta" and not isinstance(model, Program):
                better = pass_on_fakes(model, shape, locate)
                if isinstance(better, Recording) and not better.lacks_values:
                    result, traced_with = better, "fake"
            made = {name: parameter.numel() for name, parameter in result.made.items()}
            return Trace(result, shape, traced_with, {**parameters, **made, **result.packed})
        failures.append(result)
        if not isinstance(result.error, Exception) or (len(failures) == 2 and failures[0].same_as(failures[1])):
            break
    raise error_of(failures[-1], shape)


def can_trace(model: nn.Module, shape: tuple[int, ...]) -> bool:
    """Whether the forward pass succeeds at this input shape, on meta tensors if these are among the ways to trace the model."""
    return results_at(model, shape) is not None


def trace_on_meta(model: nn.Module, shape: tuple[int, ...]) -> Trace | None:
    """A forward pass on meta tensors and in no other way; None where that fails."""
    result = pass_on_meta(model, shape, locate=False)
    parameters = {name: parameter.numel() for name, parameter in model.named_parameters()}
    return Trace(result, shape, "meta", parameters) if isinstance(result, Recording) else None


def results_at(model: nn.Module, shape: tuple[int, ...]) -> tuple[tuple[int, ...], ...] | None:
    """Shapes of the tensors that a forward pass returns, on meta tensors if possible; None if it fails."""
    if any(map(torch.nn.parameter.is_lazy, model.parameters())):
        return None
    recording = _WAYS[_ways(model)[0]](model, shape, False)
    if isinstance(recording, Failure):
        return None
    shapes = {out.value: tuple(out.shape) for record in recording.records for out in record.outputs}
    return tuple(shapes[value] for value in recording.output_values if value in shapes)


def _ways(model: nn.Module) -> tuple[TracedWith, ...]:
    """How a model can be traced, in the order in which to try."""
    if is_scripted(model.modules()):
        return ("real",)  # TorchScript keeps parameters where nothing else can stand in for them
    if isinstance(model, Program) or any(map(is_sharded, model.parameters())):
        return ("meta",)  # there is no data, or none that one process has; FakeTensors know no more
    return ("meta", "fake", "real")


def _refuse_lazy(parameters: Mapping[str, nn.Parameter]) -> None:
    for name, parameter in parameters.items():
        if torch.nn.parameter.is_lazy(parameter):
            layer = name.rpartition(".")[0]
            raise TraceError(
                f"{layer}: the module is lazy, and the forward pass gives it no shapes since it does not call it; remove it"
            )


_WAYS: dict[TracedWith, Callable[[nn.Module, tuple[int, ...], bool], Recording | Failure]]
_WAYS = {
    "meta": pass_on_meta,
    "fake": pass_on_fakes,
    "real": pass_on_zeros,
}
