"""From a recorded forward pass to the graph: a networkx.DiGraph in execution order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import networkx as nx

from rfcheck.frames import chain_of
from rfcheck.graph import (
    matrices,
    mixing,
    operators,
    outside,
    placing,
    pooling,
    rearranging,
    recurrence,
    sampling,
    selecting,
    windows,
    writes,
)
from rfcheck.graph.axes import Layout, axes_held
from rfcheck.graph.calls import MISMATCH, Call, Edge, Gathered
from rfcheck.graph.flops import is_uncounted, multiply_accumulates
from rfcheck.graph.margins import Margins
from rfcheck.graph.masks import release_masks
from rfcheck.graph.naming import node_names, operator_name
from rfcheck.graph.normalising import Statistics
from rfcheck.graph.orientation import dimensions_run_along, features_from_last, first_convolution, input_layout, rows_returned
from rfcheck.graph.reach import IDENTITY, Reach
from rfcheck.graph.records import INPUT, OUTSIDE, SCATTER, UNCOUNTED, OpRecord
from rfcheck.graph.strands import Strands
from rfcheck.graph.trace import Trace
from rfcheck.span import Span

_NO_SOURCES: Mapping[str, tuple[Span, ...]] = {}

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


class _Builder:
    """Walks the records once, carrying the layout of every value."""

    def __init__(self, trace: Trace, held: tuple[int, ...]) -> None:
        self.trace = trace
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
        flops = _counted(record.func, record.args, record.kwargs, [out.shape for out in record.outputs])
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


def _counted(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], shapes: list[tuple[int, ...]]) -> int | None:
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


def build_graph(
    trace: Trace, sources: Mapping[str, tuple[Span, ...]] = _NO_SOURCES, held: tuple[int, ...] | None = None
) -> nx.DiGraph:
    """The graph of a recorded forward pass.

    Args:
        trace: the recorded pass.
        sources: for every module, the code that made it, innermost call first.
        held: the dimensions of the input that hold an image axis, in the order of the axes; None for those behind the channels,
            unless the first convolution takes its channels from one of these.

    Nodes are operator calls in execution order, after one source named "input"; edges follow the data. Node attributes: ``op``,
    ``kind``, ``module``, ``module_type``, ``from_torch`` (whether the module's class is one of torch's own), ``shape``, ``sizes``
    (positions per image axis, those that a layer's windows run over where it has some), ``in_sizes``, ``positions`` (of the
    whole map, where windows run over parts of it), ``flops``, ``params``, ``param_names``, ``bytes``, and kernel, stride, dilation,
    padding, groups, in_channels, out_channels per axis where they apply, and ``source`` where it is known: the code that made the
    operator, as `Span` after `Span` outwards; ``instead``, where a part of a concatenation is taken back: the nodes that it reads
    and how, as edges say it. Edge attributes: ``reads`` (for each way the operator
    reads that input, one `Reach` per image axis, or None if unknown) and ``gate``. All are plain data.
    """
    records = trace.recording.records
    channels_by: str | None = None
    if held is None:
        held = tuple(range(2, len(trace.shape)))
        builder, gathered = _gathered(trace, held)
        first = first_convolution(records, builder.layouts, trace.shape, held)
        if not held or (first is not None and (first.channels or first.axes > len(held))):
            held = _without_channels(trace) or held
            builder, gathered = _gathered(trace, held)
        else:
            taker = features_from_last(records, builder.layouts, trace.shape, held)
            along = _run_along(trace) if taker else ()
            if along:
                held, channels_by = along, taker
                builder, gathered = _gathered(trace, held)
    else:
        builder, gathered = _gathered(trace, held)
    kinds = [g.kind for g in gathered]
    qualified = [r.func if isinstance(r.func, str) else r.func._schema.name for r in records]
    shown = [operator_name(q, len(g.attributes.get("kernel", ()))) for q, g in zip(qualified, gathered, strict=True)]
    names = node_names([r.call for r in records], kinds, shown)
    graph = nx.DiGraph()
    axes = builder.axes
    graph.add_node(
        INPUT,
        op=INPUT,
        kind=INPUT,
        module="",
        module_type="",
        from_torch=False,
        shape=trace.shape,
        sizes=tuple(trace.shape[dimension] for dimension in held),
        in_sizes=tuple(trace.shape[dimension] for dimension in held),
        spatial=True,
        flops=0,
        params=0,
        param_names=(),
        bytes=0,
    )
    node_of = {trace.recording.input_value: INPUT}
    assumptions: dict[str, str] = {}
    ways_out = {name: record.args for record, name in zip(records, names, strict=True) if record.func == OUTSIDE}
    for record, one, name, op in zip(records, gathered, names, qualified, strict=True):
        if one.note:
            assumptions[name] = f"{op}: {one.note}"
        parts = one.parts if one.parts is not None else [one.edges]
        source = _source(record, sources)
        for slot, edges in enumerate(parts):
            node = name if slot == 0 else _free_name(graph, f"{name}.{slot}")
            _add_node(graph, node, record, one, op, builder, slot, axes)
            if source:
                graph._node[node]["source"] = source
            if one.instead is not None:
                graph._node[node]["instead"] = [
                    (node_of[e.value], {"reads": [_reads(e, axes)], "gate": e.gate})
                    for e in one.instead[min(slot, len(one.instead) - 1)]
                ]
            for edge in edges:
                _add_edge(graph, node_of[edge.value], node, edge, axes)
            outputs = record.outputs if one.parts is None else record.outputs[slot : slot + 1]
            node_of.update((out.value, node) for out in outputs)
    for name, node in graph._node.items():
        if node["op"] == OUTSIDE:
            assumptions[name] = f"{OUTSIDE}: {outside.sentence(graph, name, ways_out[name])}"
    constants = trace.recording.constants
    flops = [_counted(c.func, c.args, c.kwargs, [c.out_shape]) or 0 for c in constants]
    graph.graph.update(
        axes=axes,
        input_shape=trace.shape,
        input_axes=held,
        channels_by=channels_by,
        rows=rows_returned(records, trace.recording.output_values, builder.layouts),
        traced_with=trace.traced_with,
        parameters=trace.parameters,
        outputs=list(dict.fromkeys(node_of[value] for value in trace.recording.output_values)),
        assumptions=assumptions,
        calls=trace.recording.calls,
        constants=[
            {"module": c.call.path, "op": c.func._schema.name, "flops": cost} for c, cost in zip(constants, flops, strict=True)
        ],
        constant_layers=outside.constant_layers(constants, flops, sources),
    )
    release_masks(graph)
    return graph


def _gathered(trace: Trace, held: tuple[int, ...]) -> tuple[_Builder, list[Gathered]]:
    builder = _Builder(trace, held)
    return builder, [builder.gather(record) for record in trace.recording.records]


def _without_channels(trace: Trace) -> tuple[int, ...]:
    """The dimensions of the input that hold an image axis: all but the batch and what the first convolution takes for channels."""
    every = tuple(range(1, len(trace.shape)))
    builder, _ = _gathered(trace, every)
    first = first_convolution(trace.recording.records, builder.layouts, trace.shape, every)
    if first is None:
        return every[1:] or every
    empty = {1} if first.channels and trace.shape[1] == 1 else set()  # where channels would be, and nothing is
    return tuple(dimension for dimension in every if dimension not in first.channels | empty)


def _run_along(trace: Trace) -> tuple[int, ...]:
    builder, _ = _gathered(trace, tuple(range(1, len(trace.shape))))
    return dimensions_run_along(trace.recording.records, builder.layouts)


def _source(record: OpRecord, sources: Mapping[str, tuple[Span, ...]]) -> tuple[Span, ...]:
    """The lines that called a function, if that is what was recorded, then the calls that made the module."""
    made_by = sources.get(record.call.path, ())
    return (*chain_of(record.frames), *made_by) if record.frames else made_by


def _free_name(graph: nx.DiGraph, name: str) -> str:
    while name in graph:
        name += "'"
    return name


def _add_node(
    graph: nx.DiGraph, name: str, record: OpRecord, gathered: Gathered, op: str, builder: _Builder, slot: int, axes: int
) -> None:
    out = record.outputs[slot]
    layout = builder.layouts[out.value]
    read = builder.layouts[gathered.edges[0].value] if gathered.edges else layout
    params = _parameters(record)
    sizes = builder.trace.parameters
    positions = mixing.axis_sizes(layout, axes)
    own = _with(positions, gathered.out_sizes)
    if own != positions:
        gathered.attributes["positions"] = positions
    graph.add_node(
        name,
        op=op,
        kind=gathered.kind,
        module=record.call.path,
        module_type=record.call.type,
        from_torch=record.call.from_torch,
        shape=out.shape,
        sizes=own,
        in_sizes=_with(mixing.axis_sizes(read, axes), gathered.in_sizes),
        spatial=bool(axes_held(layout)) or any(edge.reaches is None for edge in gathered.edges),
        flops=gathered.flops if slot == 0 else 0,
        params=sum(sizes.get(p, 0) for p in params),
        param_names=params,
        bytes=record.outputs[0].fresh_bytes if slot == 0 else 0,
        **_by_axis(gathered.attributes, axes),
    )


def _with(sizes: tuple[int, ...], own: Mapping[int, int]) -> tuple[int, ...]:
    """Extents per axis, with a layer's own where it has some."""
    return tuple(own.get(axis, size) for axis, size in enumerate(sizes)) if own else sizes


def _parameters(record: OpRecord) -> tuple[str, ...]:
    found: list[str] = []
    for tensor in record.tensors:
        if tensor.value is None and tensor.params:
            found.extend(sorted(tensor.params))
    return tuple(dict.fromkeys(found)) if len(found) > 1 else tuple(found)


_PER_AXIS_DEFAULTS = {"kernel": 1, "stride": 1, "dilation": 1, "padding": 0}


def _by_axis(attributes: dict[str, Any], axes: int) -> dict[str, Any]:
    """Kernel, stride, dilation and padding in the order of the image axes, with 1, 1, 1 and 0 where no window runs."""
    own = attributes.pop("axes", None)
    if "kernel" not in attributes or (own == tuple(range(axes)) and len(attributes["kernel"]) == axes):
        return attributes
    for name, default in _PER_AXIS_DEFAULTS.items():
        if name in attributes:
            values = [default] * axes
            for axis, value in zip(own or (), attributes[name], strict=False):
                if axis is not None:
                    values[axis] = value
            attributes[name] = tuple(values)
    return attributes


_SAME: dict[int, tuple[Reach, ...]] = {axes: (IDENTITY,) * axes for axes in range(1, 8)}


def _reads(edge: Edge, axes: int) -> tuple[Reach, ...] | None:
    if edge.reaches is None:
        return None
    return tuple(edge.reaches.get(axis, IDENTITY) for axis in range(axes)) if edge.reaches else _SAME[axes]


def _add_edge(graph: nx.DiGraph, source: str, target: str, edge: Edge, axes: int) -> None:
    reads = _reads(edge, axes)
    existing = graph._adj[source].get(target)
    if existing is None:
        graph.add_edge(source, target, reads=[reads], gate=edge.gate)
    elif existing["gate"] and not edge.gate:
        existing.update(reads=[reads], gate=False)
    elif existing["gate"] == edge.gate and reads not in existing["reads"]:
        existing["reads"].append(reads)
