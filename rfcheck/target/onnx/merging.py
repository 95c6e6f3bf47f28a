"""Operators of torch that ONNX files spell out: linear layers over maps, cyclic shifts and circular padding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import torch

from rfcheck.target.onnx.unknown import Shape

if TYPE_CHECKING:
    import onnx

_END = 2**31 - 1
"""Exporters write ends from here on where a slice goes on to the last position."""

_IMAGE_AXES = 2
"""The first dimension of a map that is an image axis."""


def merged(
    nodes: Sequence[onnx.NodeProto],
    tensors: Mapping[str, torch.Tensor],
    known: Mapping[str, torch.Tensor],
    shapes: Mapping[str, Shape],
) -> list[onnx.NodeProto]:
    """The nodes, where a group that torch has one operator for is one node: "Linear", "Roll" or "Pad".

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
        made = _linear(node, parts, tensors) or _roll(node, parts, known, shapes) or _circular_pad(node, parts, known, shapes)
        if made is not None:
            replaced[node.output[0]] = made
            gone.update(part.output[0] for part in parts)
    return [replaced.get(node.output[0], node) for node in nodes if node.output and node.output[0] not in gone]


def _linear(add: onnx.NodeProto, parts: Sequence[onnx.NodeProto], tensors: Mapping[str, torch.Tensor]) -> onnx.NodeProto | None:
    """A product with a constant matrix whose result only meets a constant vector, or one row."""
    if add.op_type != "Add" or add.domain or len(parts) != 1 or parts[0].op_type != "MatMul" or parts[0].domain:
        return None
    product = parts[0]
    other = [name for name in add.input if name != product.output[0]]
    matrix, vector = tensors.get(product.input[1]), tensors.get(other[0]) if other else None
    if matrix is None or vector is None or matrix.dim() != 2 or tuple(vector.shape) not in _rows(matrix.shape[1]):
        return None
    return _node("Linear", [*product.input, other[0]], add, product)


def _rows(length: int) -> tuple[tuple[int, ...], ...]:
    return (length,), (1, length)


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


def _circular_pad(
    concat: onnx.NodeProto, parts: Sequence[onnx.NodeProto], known: Mapping[str, torch.Tensor], shapes: Mapping[str, Shape]
) -> onnx.NodeProto | None:
    """The last positions of an image axis put before all of them, the first positions behind them, or both."""
    from onnx import helper

    if concat.op_type != "Concat" or concat.domain or not parts or len(concat.input) != len(parts) + 1:
        return None
    source = next(iter(parts[0].input), "")
    names = list(concat.input)
    if any(part.op_type != "Slice" or part.domain or part.input[0] != source for part in parts) or names.count(source) != 1:
        return None
    axis = next((attribute.i for attribute in concat.attribute if attribute.name == "axis"), 0)
    size = shapes[source][axis] if source in shapes and axis < len(shapes[source]) else None
    at = names.index(source)
    ranges = {part.output[0]: _range(part, known) for part in parts}
    lasts = [_last(ranges[name], axis, size) for name in names[:at]]
    firsts = [_first(ranges[name], axis, size) for name in names[at + 1 :]]
    if axis < _IMAGE_AXES or None in (*lasts, *firsts) or max(len(lasts), len(firsts)) > 1:
        return None
    made = _node("Pad", [source], concat, concat)
    settings = {"mode": "wrap", "axes": [axis], "pads": [*(lasts or [0]), *(firsts or [0])]}
    made.attribute.extend([helper.make_attribute(name, value) for name, value in settings.items()])
    return made


def _last(cut: tuple[int, int, int] | None, axis: int, size: int | None) -> int | None:
    """How many positions at the end of an axis a slice takes; None if it takes others."""
    if cut is None or cut[2] != axis or cut[1] < (size or _END):
        return None
    start = cut[0] - size if size and cut[0] >= 0 else cut[0]
    return -start if start < 0 else None


def _first(cut: tuple[int, int, int] | None, axis: int, size: int | None) -> int | None:
    """How many positions at the beginning of an axis a slice takes; None if it takes others."""
    is_first = cut is not None and cut[2] == axis and cut[0] == 0 and 0 < cut[1] <= (size or _END - 1)
    return cut[1] if cut is not None and is_first else None


def _range(node: onnx.NodeProto, known: Mapping[str, torch.Tensor]) -> tuple[int, int, int] | None:
    """Start, end and axis of a slice along one axis, where the file gives them."""
    if len(node.input) == 1:  # opsets before 10
        return _range_of_attributes(node)
    given = [known.get(name) for name in node.input[1:]]
    if len(given) < 3 or any(part is None or part.numel() != 1 for part in given):
        return None
    start, end, axis, *step = (int(part) for part in given if part is not None)
    return (start, end, axis) if step in ([], [1]) else None


def _range_of_attributes(node: onnx.NodeProto) -> tuple[int, int, int] | None:
    lists = {attribute.name: list(attribute.ints) for attribute in node.attribute}
    given = [lists.get(name, []) for name in ("starts", "ends", "axes")]
    return (given[0][0], given[1][0], given[2][0]) if all(len(numbers) == 1 for numbers in given) else None


def _node(operator: str, inputs: Sequence[str], last: onnx.NodeProto, named: onnx.NodeProto) -> onnx.NodeProto:
    """A node in the place of a group: it returns what the last of them returned, and belongs to the module of one of them."""
    from onnx import helper

    made = helper.make_node(operator, list(inputs), list(last.output), named.name)
    made.metadata_props.extend(named.metadata_props)
    return made
