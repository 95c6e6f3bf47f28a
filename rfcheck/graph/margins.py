"""Which positions at the border of a map are zero padding that an operator before a window added: taps read no real pixel there.

What is padding stays padding while it is moved, cropped, or goes through arithmetic that makes zeros of zeros.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from rfcheck.graph.axes import Layout, axes_held, axis_size
from rfcheck.graph.calls import Edge, Gathered
from rfcheck.graph.reach import IDENTITY, Reach, read_at
from rfcheck.graph.records import COPYING, OpRecord

_ZERO_STAYS = frozenset(
    {
        *("relu", "gelu", "silu", "elu", "selu", "celu", "leaky_relu", "hardswish", "hardtanh", "relu6", "prelu", "_prelu_kernel"),
        *("mish", "tanh", "hardshrink", "softshrink", "clone", "detach", "alias", "lift_fresh", "_to_copy", "contiguous"),
        *("abs", "neg", "square", "sqrt", "sign", "sin", "tan", "mul", "div", "native_dropout", "dropout", "feature_dropout"),
    }
)
"""Operators of one map (and constants) that make zeros of zeros."""
_ZERO_OF_ZEROS = frozenset({"add", "sub", "rsub", "maximum", "minimum", "fmax", "fmin"})
"""Operators of several maps that make zeros where all of them are zero."""

Real = tuple[int, int]
"""First position along an axis that is no padding, and the one behind the last: not above the first where all is padding."""


class Margins:
    """Follows padding from the operators that add it to the windows that read it, record by record.

    Args:
        layouts: of all values so far.
    """

    def __init__(self, layouts: Mapping[int, Layout]) -> None:
        self._layouts = layouts
        self._real: dict[int, dict[int, Real]] = {}  # of maps with padding at the border, per axis that has some

    def follow(self, record: OpRecord, gathered: Gathered) -> None:
        """Take note of a call's results; of a call whose windows read padding, give its attributes the ``margins``.

        These are, per axis, the number of positions before the first real one and after the last.
        """
        pads = gathered.attributes.pop("pads", False)
        if any(0 in out.shape for out in record.outputs):
            self._empty(record, gathered)
        elif pads or any(edge.value in self._real for edge in gathered.edges):
            self._pass_on(record, gathered)

    def _pass_on(self, record: OpRecord, gathered: Gathered) -> None:
        if "kernel" in gathered.attributes:
            self._attach(gathered)
            return
        parts = gathered.parts or [gathered.edges] * len(record.outputs)
        for out, edges in zip(record.outputs, parts, strict=False):
            meet = _meeting(record, gathered, len(edges))
            if meet is not None and all(edge.reaches is not None for edge in edges):
                self._note(out.value, edges, gathered.attributes.get("copies", {}), meet)

    def _attach(self, gathered: Gathered) -> None:
        source = gathered.edges[0].value
        layout = self._layouts[source]
        margins: dict[int, tuple[int, int]] = {}
        for axis, (first, end) in self._real.get(source, {}).items():
            size = axis_size(layout, axis)
            if gathered.in_sizes.get(axis, size) == size:  # its windows run over the whole axis
                margins[axis] = (first, size - end)
        if margins:
            gathered.attributes["margins"] = margins

    def _empty(self, record: OpRecord, gathered: Gathered) -> None:
        """Of a map that was cropped to nothing, whatever is put around it is padding."""
        axes = {axis for edge in gathered.edges for axis in axes_held(self._layouts[edge.value])}
        self._real.update((out.value, dict.fromkeys(axes, (0, 0))) for out in record.outputs if 0 in out.shape)

    def _note(
        self, value: int, edges: Sequence[Edge], copies: Mapping[int, tuple[str, int, int]], meet: Callable[[list[Real]], Real]
    ) -> None:
        layout = self._layouts[value]
        axes = {axis for edge in edges for axis in {*self._real.get(edge.value, {}), *(edge.reaches or {})}}
        found: dict[int, Real] = {}
        for axis in axes:
            count = axis_size(layout, axis)
            real = [self._read(edge, axis, count, copies.get(axis)) for edge in edges]
            met = real[0] if len(real) == 1 else meet(real)
            if met != (0, count):
                found[axis] = met
        if found:
            self._real[value] = found

    def _read(self, edge: Edge, axis: int, count: int, copies: tuple[str, int, int] | None) -> Real:
        """The results along an axis that read something real of one input."""
        size = axis_size(self._layouts[edge.value], axis)
        first, end = self._real.get(edge.value, {}).get(axis, (0, size))
        reach = (edge.reaches or {}).get(axis, IDENTITY)
        if reach == IDENTITY and count == size:
            return first, end
        if copies is not None:
            mode, ahead, behind = copies
            inner = count - ahead - behind
            return _hull(count, lambda q: _reads_some(reach, _copied(q - ahead, inner, mode) + ahead, first, end))
        return _hull(count, lambda q: _reads_some(reach, q, first, end))


def _meeting(record: OpRecord, gathered: Gathered, inputs: int) -> Callable[[list[Real]], Real] | None:
    """How the real positions of several inputs make those of the result; None where padding does not stay zero."""
    name = record.func if isinstance(record.func, str) else record.func._opname
    constants = any(tensor.value is None for tensor in record.tensors)
    if gathered.kind in ("rearrange", "resample"):
        return None if inputs > 1 or "wraps" in gathered.attributes else _any
    if gathered.kind == "concat":
        return None if constants else _any
    if name in COPYING:
        return _any
    name = name.removesuffix("_")
    if inputs > 1 and name == "mul":
        return _all
    if inputs > 1:
        return _any if name in _ZERO_OF_ZEROS and not constants else None
    return _any if name in _ZERO_STAYS else None


def _all(real: Sequence[Real]) -> Real:
    return max(first for first, _ in real), min(end for _, end in real)


def _any(real: Sequence[Real]) -> Real:
    """The positions from the first to the last that any input has."""
    some = [one for one in real if one[0] < one[1]] or list(real)
    return min(first for first, _ in some), max(end for _, end in some)


def _hull(count: int, is_real: Callable[[int], bool]) -> Real:
    first = next((q for q in range(count) if is_real(q)), count)
    return first, next((q + 1 for q in reversed(range(first, count)) if is_real(q)), first)


def _copied(place: int, size: int, mode: str) -> int:
    """The position that padding by copies puts somewhere."""
    if mode == "reflect":
        place = abs(place)
        return 2 * (size - 1) - place if place >= size else place
    return min(max(place, 0), size - 1)


def _reads_some(reach: Reach, output: int, first: int, end: int) -> bool:
    low, high = read_at(reach, output)
    if low > high or first >= end:
        return False
    if reach.is_global:
        return True
    if low < first:
        low += -(-(first - low) // reach.step) * reach.step
    return low <= high and low < end
