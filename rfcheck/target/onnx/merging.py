"""Operators of torch that ONNX files spell out: linear layers over maps, and cyclic shifts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import torch

from rfcheck.target.onnx.unknown import Shape

if TYPE_CHECKING:
    import onnx

_END = 2**31 - 1
"""Exporters write ends from here on where a slice goes on to the last position."""


def merged(
    nodes: Sequence[onnx.NodeProto],
    tensors: Mapping[str, torch.Tensor],
    known: Mapping[str, torch.Tensor],
    shapes: Mapping[str, Shape],
) -> list[onnx.NodeProto]:
    """The nodes, where a group that torch has one operator for is one node of that name: "Linear" or "Roll".

    Args:
        nodes: in execution order.
        tensors: that the file holds, without values.
        known: those of them whose values were read.
        shapes: of other values, as far as the file gives them.
    """
    makers = {output: node for node in nodes for output in node.output}
    readers: dict[str, int] = {}
    for node in nodes:
        for name in node.input:
            readers[name] = readers.get(name, 0) + 1
    replaced: dict[str, onnx.NodeProto] = {}
    gone: set[str] = set()
    for node in nodes:
        parts = [makers[name] for name in node.input if name in makers and readers[name] == 1]
        made = _linear(node, parts, tensors) or _roll(node, parts, known, shapes)
        if made is not None:
            replaced[node.output[0]] = made
            gone.update(part.output[0] for part in parts)
    return [replaced.get(node.output[0], node) for node in nodes if node.output and node.output[0] not in gone]


def _linear(add: onnx.NodeProto, parts: Sequence[onnx.NodeProto], tensors: Mapping[str, torch.Tensor]) -> onnx.NodeProto | None:
    """A product with a constant matrix whose result only meets a constant vector."""
    if add.op_type != "Add" or add.domain or len(parts) != 1 or parts[0].op_type != "MatMul" or parts[0].domain:
        return None
    product = parts[0]
    other = [name for name in add.input if name != product.output[0]]
    matrix, vector = tensors.get(product.input[1]), tensors.get(other[0]) if other else None
    if matrix is None or vector is None or matrix.dim() != 2 or tuple(vector.shape) != (matrix.shape[1],):
        return None
    return _node("Linear", [*product.input, other[0]], add, product)


def _roll(
    concat: onnx.NodeProto, parts: Sequence[onnx.NodeProto], known: Mapping[str, torch.Tensor], shapes: Mapping[str, Shape]
) -> onnx.NodeProto | None:
    """The last part of an axis put before the first."""
    from onnx import helper

    if concat.op_type != "Concat" or concat.domain or len(parts) != 2 or len(concat.input) != 2:
        return None
    if any(part.op_type != "Slice" or part.domain for part in parts) or parts[0].input[0] != parts[1].input[0]:
        return None
    axis = next((attribute.i for attribute in concat.attribute if attribute.name == "axis"), None)
    last, first = (_range(part, known) for part in parts)
    if last is None or first is None or not last[2] == first[2] == axis:
        return None
    source = parts[0].input[0]
    size = shapes[source][axis] if source in shapes and axis < len(shapes[source]) else None
    if first[0] != 0 or first[1] != last[0] or last[1] < (size or _END) or last[0] == 0:
        return None
    made = _node("Roll", [source], concat, concat)
    made.attribute.extend([helper.make_attribute("axis", axis), helper.make_attribute("shift", -last[0])])
    return made


def _range(node: onnx.NodeProto, known: Mapping[str, torch.Tensor]) -> tuple[int, int, int] | None:
    """Start, end and axis of a slice along one axis, where the file gives them."""
    given = [known.get(name) for name in node.input[1:]]
    if len(given) < 3 or any(part is None or part.numel() != 1 for part in given):
        return None
    start, end, axis, *step = (int(part) for part in given if part is not None)
    return (start, end, axis) if step in ([], [1]) else None


def _node(operator: str, inputs: Sequence[str], last: onnx.NodeProto, named: onnx.NodeProto) -> onnx.NodeProto:
    """A node in the place of a group: it returns what the last of them returned, and belongs to the module of one of them."""
    from onnx import helper

    made = helper.make_node(operator, list(inputs), list(last.output), named.name)
    made.metadata_props.extend(named.metadata_props)
    return made
