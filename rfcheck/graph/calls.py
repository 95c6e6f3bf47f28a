"""One operator call as the gather functions see it, and what they answer."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from rfcheck.graph.axes import (
    Layout,
    align,
    image_layout,
    plain_layout,
)
from rfcheck.graph.reach import GLOBAL, IDENTITY, Reach, compose
from rfcheck.graph.reading import Reading
from rfcheck.graph.records import OpRecord, TensorArg

Reaches = dict[int, Reach]
"""Per image axis, what each output position reads; axes that are not listed are read one to one."""


@dataclass(slots=True)
class Edge:
    """How an operator reads one of its inputs.

    Attributes:
        value: identity of the input.
        reaches: per axis, what is read; None where that is unknown.
        gate: whether the input only weighs another one.
    """

    value: int
    reaches: Reaches | None
    gate: bool = False


@dataclass(slots=True)
class Gathered:
    """What a call does to positions.

    Attributes:
        layouts: layout of each output; one entry for all where they are alike.
        edges: how each image-dependent input is read.
        kind: "conv", "pool", "linear", ... as layers and nodes are listed.
        attributes: kernel, stride, ... for the node.
        note: an assumption that the reader must be told.
        weights: whether the result can weigh a feature map.
        parts: the edges of each output, where the outputs read different positions.
        instead: for each output, what it reads of values farther back: less than what its inputs read together.
        flops: multiply-accumulates of the call.
        in_sizes: per image axis, the extent that a layer's windows run over, where it slides along that axis.
        out_sizes: likewise, of its result.
    """

    layouts: list[Layout]
    edges: list[Edge]
    kind: str
    attributes: dict[str, Any] = field(default_factory=dict)
    note: str | None = None
    weights: bool = False
    parts: list[list[Edge]] | None = None
    instead: list[list[Edge]] | None = None
    flops: int = 0
    in_sizes: dict[int, int] = field(default_factory=dict)
    out_sizes: dict[int, int] = field(default_factory=dict)


@cache
def _argument_positions(func: Any) -> dict[str, tuple[int, Any]]:
    """Position and default of each argument of an operator, by name."""
    arguments = func._schema.arguments
    return {a.name: (i, a.default_value if a.has_default_value() else None) for i, a in enumerate(arguments)}


class Call:
    """One operator call.

    Args:
        record: what was recorded.
        layouts: layouts of all values so far.
        weights: values that lie between 0 and 1 and can weigh a feature map.
        axes: number of image axes.
        makers: the call that made each value.
    """

    __slots__ = ("_layouts", "_makers", "axes", "record", "weights")

    def __init__(
        self, record: OpRecord, layouts: Mapping[int, Layout], weights: Set[int], axes: int, makers: Mapping[int, OpRecord]
    ) -> None:
        self.record = record
        self.weights = weights
        self.axes = axes
        self._layouts = layouts
        self._makers = makers

    @property
    def out_shape(self) -> tuple[int, ...]:
        """Shape of the first output."""
        return self.record.outputs[0].shape

    @property
    def images(self) -> list[TensorArg]:
        """The inputs that depend on the image."""
        return [t for t in self.record.tensors if t.value is not None]

    def arg(self, name: str, default: Any = None) -> Any:
        """An argument by the name that the operator's schema gives it."""
        if name in self.record.kwargs:
            return self.record.kwargs[name]
        position, schema_default = _argument_positions(self.record.func).get(name, (None, None))
        if position is None:
            return default
        args = self.record.args
        return args[position] if position < len(args) else (schema_default if schema_default is not None else default)

    def layout(self, tensor: TensorArg) -> Layout:
        """Layout of an input; constants hold no positions."""
        return plain_layout(tensor.shape) if tensor.value is None else self._layouts[tensor.value]

    def maker(self, tensor: TensorArg) -> Call | None:
        """The call that made an input; None for constants and the image."""
        record = None if tensor.value is None else self._makers.get(tensor.value)
        return None if record is None else Call(record, self._layouts, self.weights, self.axes, self._makers)

    def edge(self, tensor: TensorArg, reading: Reading, result: Layout) -> Edge:
        """The edge of an input that was edited to meet a result."""
        return edge_from(tensor, met(reading, result, self.axes))

    def unknown(self, note: str, kind: str = "other") -> Gathered:
        """The answer where nothing can be said about positions; a result shaped like a feature map is taken for one."""
        edges = [edge_from(t, None) for t in self.images]
        shape = self.images[0].shape
        axes = tuple(range(self.axes))
        is_map = len(shape) == self.axes + 2 and self.layout(self.images[0]) == image_layout(shape, axes)
        layouts = [
            image_layout(out.shape, axes) if is_map and len(out.shape) == len(shape) else plain_layout(out.shape)
            for out in self.record.outputs
        ]
        return Gathered(layouts, edges, kind, note=note)

    def all_global(self, kind: str = "other", note: str | None = None) -> Gathered:
        """The answer where every output reads all positions, and the result holds none."""
        edges = [edge_from(t, dict.fromkeys(range(self.axes), GLOBAL)) for t in self.images]
        return Gathered([plain_layout(out.shape) for out in self.record.outputs], edges, kind, note=note)


def edge_from(tensor: TensorArg, reaches: Reaches | None, *, gate: bool = False) -> Edge:
    """The edge of an input that depends on the image."""
    assert tensor.value is not None
    return Edge(tensor.value, reaches, gate)


MISMATCH = "meets inputs whose positions do not correspond"


def mismatch(edges: list[Edge]) -> str | None:
    """The note where inputs cannot be brought together position by position; None where they can."""
    return MISMATCH if any(edge.reaches is None for edge in edges) else None


def mark_gates(edges: list[Edge], weights: Set[int]) -> None:
    """Mark the factors of a product that only weigh another one; where all of them are weights, none does."""
    weighing = [edge.value in weights for edge in edges]
    if not all(weighing):
        for edge, weighs in zip(edges, weighing, strict=True):
            edge.gate = weighs


def met(reading: Reading, result: Layout, axes: int) -> Reaches | None:
    """What a result reads of a tensor edited towards it, broadcasting included; None where positions do not match."""
    reaches = dict(reading.reaches)
    layout = reading.layout
    if layout == result:
        return reaches
    for axis in range(axes):
        aligned = align(layout, result, axis)
        if aligned is None:
            if not reaches.get(axis, IDENTITY).is_global:
                return None
        elif aligned != IDENTITY:
            reaches[axis] = compose(aligned, reaches.get(axis, IDENTITY))
    return reaches


def moved(tensor: TensorArg, reading: Reading, *layouts: Layout, **attributes: Any) -> Gathered:
    """What a call gathers that moves values of one tensor and computes nothing.

    Args:
        tensor: whose values.
        reading: what is read of it.
        layouts: of the outputs; that of the reading if there are none.
        attributes: of the node.
    """
    return Gathered(list(layouts) or [reading.layout], [edge_from(tensor, reading.reaches)], "rearrange", attributes)
