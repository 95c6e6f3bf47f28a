"""Whether everything that an ONNX graph reads is there when it is read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from rfcheck.errors import TargetError

if TYPE_CHECKING:
    import onnx

_STANDARD = ("", "ai.onnx")
_NAMED = 5
"""Nodes of a cycle that a message names."""


def require_wired(model: onnx.ModelProto) -> None:
    """Refuse a model with values that nothing makes, that are made twice, or that are made after they are read.

    Raises:
        TargetError: naming the node, the value, and what is wrong with it.
    """
    _require_versions(model)
    _require_wired(model.graph, ())


def _require_versions(model: onnx.ModelProto) -> None:
    """Refuse operators of a library whose version the file does not give, or gives as none that there is."""
    versions = {opset.domain: opset.version for opset in model.opset_import}
    for domain, version in versions.items():
        if version < 1:
            raise TargetError(f"gives version {version} for the operators of {domain or 'onnx'}; there are versions from 1 on")
    if not any(domain in versions for domain in _STANDARD):
        node = next((node for node in nodes_in(model.graph) if node.domain in _STANDARD), None)
        if node is not None:
            raise TargetError(
                f"does not say which version of the operators of onnx {label_of(node)} is written for; export it again"
            )


def _require_wired(graph: onnx.GraphProto, outer: tuple[set[str], ...]) -> None:
    """Follow a graph in the order of its nodes.

    Args:
        graph: of the model, or inside a node.
        outer: what has been made in the graphs around it.
    """
    held = [tensor.name for tensor in graph.initializer] + [sparse.values.name for sparse in graph.sparse_initializer]
    made = {*held, *(value.name for value in graph.input)}
    makers = {name: node for node in graph.node for name in node.output if name}
    scopes = (*outer, made)
    for node in graph.node:
        for name in node.input:
            if name and not any(name in scope for scope in scopes):
                raise TargetError(_unmade(node, name, makers))
        for inner in graphs_of(node):
            _require_wired(inner, scopes)
        for name in filter(None, node.output):
            if name in made:
                raise TargetError(f"{label_of(node)} makes {name!r} a second time; values of an ONNX graph have names of their own")
            made.add(name)
    missing = [output.name for output in graph.output if not any(output.name in scope for scope in scopes)]
    if missing:
        raise TargetError(f"returns {missing[0]!r}, which is neither an input nor an initializer of the file, nor made by a node")


def _unmade(node: onnx.NodeProto, name: str, makers: dict[str, onnx.NodeProto]) -> str:
    """Why a node cannot read a value."""
    if name not in makers:
        return f"{label_of(node)} reads {name!r}, which is neither an input nor an initializer of the file, nor made by a node"
    way = _way_back(node, name, makers)
    if way:
        named = way if len(way) <= _NAMED else [*way[: _NAMED - 1], None, way[-1]]
        shown = " reads ".join("..." if part is None else label_of(part) for part in named)
        return f"the graph has a cycle: {shown}; no order of the nodes can be run"
    return f"{label_of(node)} reads {name!r} before {label_of(makers[name])} makes it; sort the nodes of the file"


def _way_back(node: onnx.NodeProto, name: str, makers: dict[str, onnx.NodeProto]) -> list[onnx.NodeProto]:
    """The shortest way from a node over what it reads back to itself; empty if there is none."""
    before = {name: ""}
    for value in (reached := [name]):
        if makers[value] is node:
            way = [node]
            while value:
                way.append(makers[value])
                value = before[value]
            return [node, *way[:0:-1]]
        for read in makers[value].input:
            if read in makers and read not in before:
                before[read] = value
                reached.append(read)
    return []


def nodes_in(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    """All nodes of a graph, those of graphs inside them too."""
    for node in graph.node:
        yield node
        for inner in graphs_of(node):
            yield from nodes_in(inner)


def graphs_of(node: onnx.NodeProto) -> Iterable[onnx.GraphProto]:
    """The graphs inside a node."""
    return [
        inner for attribute in node.attribute for inner in (*([attribute.g] if attribute.HasField("g") else ()), *attribute.graphs)
    ]


def label_of(node: onnx.NodeProto) -> str:
    """How messages name a node: by its operator, and its name or what it makes."""
    name = node.name or next(filter(None, node.output), "")
    return f"{node.op_type} {name!r}"
