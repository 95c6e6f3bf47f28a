"""From a recorded forward pass to the graph: a networkx.DiGraph in execution order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import networkx as nx

from rfcheck.frames import chain_of
from rfcheck.graph import mixing, outside
from rfcheck.graph.axes import axes_held
from rfcheck.graph.calls import Edge, Gathered
from rfcheck.graph.gathering import Gathering, counted
from rfcheck.graph.image_axes import gathered_along
from rfcheck.graph.masks import release_masks
from rfcheck.graph.naming import node_names, operator_name
from rfcheck.graph.orientation import rows_returned
from rfcheck.graph.reach import IDENTITY, Reach
from rfcheck.graph.records import INPUT, OUTSIDE, OpRecord
from rfcheck.graph.trace import Trace
from rfcheck.span import Span

_NO_SOURCES: Mapping[str, tuple[Span, ...]] = {}


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
    builder, gathered, channels_by = gathered_along(trace, held)
    held = builder.held
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
    flops = [counted(c.func, c.args, c.kwargs, [c.out_shape]) or 0 for c in constants]
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


def _source(record: OpRecord, sources: Mapping[str, tuple[Span, ...]]) -> tuple[Span, ...]:
    """The lines that called a function, if that is what was recorded, then the calls that made the module."""
    made_by = sources.get(record.call.path, ())
    return (*chain_of(record.frames), *made_by) if record.frames else made_by


def _free_name(graph: nx.DiGraph, name: str) -> str:
    while name in graph:
        name += "'"
    return name


def _add_node(
    graph: nx.DiGraph, name: str, record: OpRecord, gathered: Gathered, op: str, builder: Gathering, slot: int, axes: int
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
