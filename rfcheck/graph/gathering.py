"""From recorded calls to what each does to positions: which entry tells it, and what has to be remembered from call to call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rfcheck.graph import (
    matrices,
    mixing,
    operators,
    placing,
    pooling,
    rearranging,
    recurrence,
    sampling,
    selecting,
    windows,
    writes,
)
from rfcheck.graph.axes import Layout
from rfcheck.graph.calls import MISMATCH, Call, Gathered
from rfcheck.graph.flops import is_uncounted, multiply_accumulates
from rfcheck.graph.margins import Margins
from rfcheck.graph.normalising import Statistics
from rfcheck.graph.orientation import input_layout
from rfcheck.graph.records import OUTSIDE, SCATTER, UNCOUNTED, OpRecord
from rfcheck.graph.strands import Strands
from rfcheck.graph.trace import Trace

_GATHER: dict[type, Callable[[Any, Call], Gathered]] = {
    operators.Convolution: windows.convolution,
    operators.Window: windows.pooling,
    operators.Adaptive: windows.adaptive,
    operators.Resample: windows.resample,
    operators.Pointwise: mixing.pointwise,
    operators.Join: mixing.join,
    operators.Rounding: mixing.rounding,
    operators.Concat: mixing.concat,
    operators.Linear: mixing.linear,
    operators.Matmul: mixing.matmul,
    operators.Attention: mixing.attention,
    operators.Reduce: mixing.reduce,
    operators.Mix: mixing.mix,
    operators.Transform: mixing.transform,
    operators.Global: mixing.everywhere,
    operators.Recurrent: recurrence.recurrent,
    operators.Rearrange: rearranging.rearrange,
    operators.Lookup: selecting.look_up,
    operators.Place: placing.place,
    operators.Sampling: sampling.sampling,
    operators.Matrices: matrices.matrices,
    operators.Distances: matrices.distances,
    operators.RandomWindow: pooling.random_windows,
    operators.Unpool: pooling.unpool,
    operators.Loss: mixing.loss,
}


class Gathering:
    """Walks the records once, carrying the layout of every value.

    Args:
        trace: the recorded pass.
        held: the dimensions of the input that hold an image axis, in the order of the axes.
    """

    def __init__(self, trace: Trace, held: tuple[int, ...]) -> None:
        self.trace = trace
        self.held = held
        self.axes = len(held)
        self.layouts: dict[int, Layout] = {trace.recording.input_value: input_layout(trace.shape, held)}
        self.weights: set[int] = set()
        self.makers: dict[int, OpRecord] = {}
        self.sixths: set[int] = set()
        self.positives: set[int] = set()
        self.sources: dict[int, int] = {}  # of values that were moved or copied from one other value
        self.filled: dict[int, int] = {}  # tensors after a write to a part of them, and clones of these: which of them it was
        self.statistics = Statistics()
        self.strands = Strands(self.layouts)
        self.margins = Margins(self.layouts)

    def gather(self, record: OpRecord) -> Gathered:
        """What one call does to positions; also takes note of its results."""
        call = Call(record, self.layouts, self.weights, self.axes, self.makers)
        gathered = self._gather(record, call)
        flops = counted(record.func, record.args, record.kwargs, [out.shape for out in record.outputs])
        if flops is None and gathered.note is None:
            gathered.note = UNCOUNTED
        gathered.flops = flops or 0
        parts = gathered.parts or [gathered.edges]
        if gathered.note is None and any(edge.reaches is None for part in parts for edge in part):
            gathered.note = MISMATCH  # nothing becomes unknown without a word
        self.strands.follow(record, gathered)
        if len(gathered.layouts) < len(record.outputs):
            gathered.layouts = gathered.layouts * len(record.outputs)
        for out, layout in zip(record.outputs, gathered.layouts, strict=False):
            self.layouts[out.value] = layout
            self.makers[out.value] = record
            if len(gathered.edges) == 1 and gathered.kind in ("rearrange", "join"):
                self.sources[out.value] = gathered.edges[0].value
        self.statistics.follow(record, gathered)
        self._follow_filled(record)
        self._follow_weights(record, gathered)
        self.margins.follow(record, gathered)
        return gathered

    def _gather(self, record: OpRecord, call: Call) -> Gathered:
        meaning = operators.meaning_of(record.func)
        if isinstance(meaning, operators.Opaque):
            return call.unknown(meaning.reason)
        try:
            if record.func == OUTSIDE:
                return call.unknown("values that something other than torch has computed")
            if record.func is SCATTER:
                return writes.scatter(call, wraps=self._is_part_of_base(record))
            if meaning is None:
                return _unknown_operator(call)
            return _GATHER[type(meaning)](meaning, call)
        except Exception as error:  # a use of a known operator that its entry does not foresee is unknown, not fatal
            return call.unknown(f"cannot be followed ({type(error).__name__}: {error})")

    def _is_part_of_base(self, record: OpRecord) -> bool:
        """Whether a write puts a part of a tensor beside itself, as circular padding does."""
        base = self.filled.get(record.args[0].value)
        copied = self.sources.get(record.args[1].value, -1)
        part = self.sources.get(copied, -1)
        return base is not None and base in (part, self.sources.get(part))  # programs copy once more

    def _follow_filled(self, record: OpRecord) -> None:
        value = record.outputs[0].value
        if record.func is SCATTER:
            self.filled[value] = value
        elif not isinstance(record.func, str) and record.func._opname == "clone" and record.args[0].value in self.filled:
            self.filled[value] = self.filled[record.args[0].value]

    def _follow_weights(self, record: OpRecord, gathered: Gathered) -> None:
        """Results that can weigh a map: sigmoids and softmaxes, and relu6(x + 3) / 6, which is a hard sigmoid written out."""
        value = record.outputs[0].value
        name = record.func if isinstance(record.func, str) else record.func._opname
        source = gathered.edges[0].value if gathered.edges else -1
        constant_join = gathered.kind in ("join", "multiply") and len(gathered.edges) == 1
        if name in ("hardtanh", "hardtanh_", "clamp", "clamp_"):
            low, high = (*record.args[1:3], None, None)[:2]
            if high == 6 and (low == 0 or (low is None and source in self.positives)):
                self.sixths.add(value)
            elif low == 0 and high is None:  # programs of basic operators bound one side after the other
                self.positives.add(value)
        elif constant_join and source in self.sixths and name in ("div", "div_", "mul", "mul_"):
            gathered.weights = True
        if gathered.weights:
            self.weights.update(out.value for out in record.outputs)


def counted(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], shapes: list[tuple[int, ...]]) -> int | None:
    """Multiply-accumulates of a call; None where they are not known."""
    if is_uncounted(func):
        return None
    try:
        return multiply_accumulates(func, args, kwargs, shapes)
    except Exception:  # a formula that does not foresee this use of its operator, or that a user registered
        return None


def _unknown_operator(call: Call) -> Gathered:
    """An operator without an entry: taken as pointwise where it keeps the shape of its input, else unknown."""
    first = call.images[0]
    if call.out_shape == first.shape or (
        len(call.out_shape) == len(first.shape) > 2 and call.out_shape[2:] == first.shape[2:] and not _moves_axes(call)
    ):
        gathered = mixing.join(operators.Join(), call)
        layout = gathered.layouts[0]
        if call.out_shape != first.shape:
            layout = (layout[0], (), *layout[2:])
        gathered.layouts = [layout]
        gathered.kind = "unknown"
        gathered.note = "unknown operator, taken as pointwise"
        return gathered
    return call.unknown("unknown operator, its receptive field is unknown", "unknown")


def _moves_axes(call: Call) -> bool:
    layout = call.layout(call.images[0])
    return any(len(dim) != 1 for dim in layout[2:])


def gathered(trace: Trace, held: tuple[int, ...]) -> tuple[Gathering, list[Gathered]]:
    """What every call of a recorded pass does to positions, where these dimensions of the input hold the image axes."""
    gathering = Gathering(trace, held)
    return gathering, [gathering.gather(record) for record in trace.recording.records]
