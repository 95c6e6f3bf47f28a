"""Forward passes that failed: whether two failed alike, and the sentence that says which layer, which shapes and what to do."""

from __future__ import annotations

from dataclasses import dataclass

from rfcheck.errors import TraceError
from rfcheck.graph.records import ModuleCall
from rfcheck.input_size import crossed
from rfcheck.process_end import left_with
from rfcheck.target.building import place_of
from rfcheck.target.devices import device_remedy


@dataclass(slots=True)
class Failure:
    """A forward pass that raised."""

    error: BaseException
    call: ModuleCall | None
    shapes: list[tuple[int, ...]]

    def same_as(self, other: Failure) -> bool:
        """Whether two ways of tracing failed in the same way, so that it is the model that fails and not the way."""
        if isinstance(self.error, NotImplementedError):
            return False
        here, there = self.call.path if self.call else None, other.call.path if other.call else None
        return here == there and type(self.error) is type(other.error) and str(self.error) == str(other.error)


def needs_data(failure: Failure, shape: tuple[int, ...]) -> TraceError:
    """The error of a pass that could only be made with data, of a model that has none."""
    remedy = "the model was built on the meta device: build it with data, so that the forward can be run"
    error = error_of(failure, shape).with_remedy(remedy)
    error.needs_data = True
    return error


def error_of(failure: Failure, shape: tuple[int, ...]) -> TraceError:
    """The error that says how the forward pass failed at an input shape, (1, C, *image axes)."""
    error = TraceError(_sentence(failure, crossed(shape[1:])))
    error.__cause__ = failure.error
    error.layer = failure.call.path if failure.call is not None else None
    error.received = failure.shapes[0] if failure.shapes else None
    return error


def _sentence(failure: Failure, size: str) -> str:
    if not isinstance(failure.error, Exception):
        return f"the forward pass left with {left_with(failure.error)}; a forward pass returns a tensor, whatever it finds"
    said = " ".join(str(failure.error).split()).rstrip(".")
    if len(said) > 300:
        said = said[:297] + "..."
    if "NestedTensor" in said:
        said = "a nested tensor cannot be followed; use a padded one with a mask (torch.nested.to_padded_tensor)"
    where = "the model"
    if failure.call is not None and failure.call.path:
        where = f"layer {failure.call.path} ({failure.call.type})"
    received = f", which received a tensor of shape {crossed(failure.shapes[0])}" if failure.shapes and failure.shapes[0] else ""
    what = f"{type(failure.error).__name__}{f': {said}' if said else place_of(failure.error)}{device_remedy(failure.error)}"
    return f"the forward pass fails at input {size} in {where}{received}: {what}"
