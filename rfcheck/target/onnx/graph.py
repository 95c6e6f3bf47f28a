"""What an ONNX graph holds beside the nodes that compute from the image: tensors, constants, graphs inside nodes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch

from rfcheck.target.onnx.call import OnnxCall
from rfcheck.target.onnx.code_constants import REARRANGED
from rfcheck.target.onnx.operators import computed, operator_named
from rfcheck.target.onnx.unknown import Shape, shape_of
from rfcheck.target.onnx.values import LARGEST, is_floating, values, without_values
from rfcheck.target.onnx.wiring import nodes_in

if TYPE_CHECKING:
    import onnx


_LONGEST_SETTING = 16
"""Numbers that a setting has at most, such as one per image axis and side."""


@dataclass(frozen=True, slots=True)
class Branch:
    """A graph inside a node: its nodes, and the values that it returns."""

    nodes: list[onnx.NodeProto]
    outputs: list[str]


@dataclass(frozen=True, slots=True)
class OnnxContents:
    """What all nodes of a file share.

    Attributes:
        opsets: versions of the operators, by domain.
        tensors: that the file holds, without values, by name.
        known: those of them whose values were read.
        constants: those of them that the code of the model makes, not parameters.
        shapes: of other values, as far as the file gives them.
        branches: of nodes that have two, by the first result of the node: what follows where a condition holds or not.
        readers: how many nodes read a value.
        origins: of tensors that nodes made from others by giving them another form, the names of those.
    """

    opsets: Sequence[onnx.OperatorSetIdProto]
    tensors: dict[str, torch.Tensor]
    known: dict[str, torch.Tensor]
    constants: set[str]
    shapes: Mapping[str, Shape]
    branches: dict[str, dict[bool, Branch]]
    readers: Counter[str] = field(default_factory=Counter)
    origins: dict[str, str] = field(default_factory=dict)

    @property
    def opset(self) -> int:
        """Version of the standard operators."""
        return next((opset.version for opset in self.opsets if opset.domain in ("", "ai.onnx")), 1)


def contents_of(model: onnx.ModelProto) -> OnnxContents:
    """What a file says of the values of its graph; its tensors are put there by `without_constants`."""
    graph = model.graph
    described = ((value.name, shape_of(value)) for value in (*graph.input, *graph.value_info, *graph.output))
    shapes = {name: shape for name, shape in described if shape is not None}
    readers = Counter(name for node in nodes_in(graph) for name in node.input)
    return OnnxContents(model.opset_import, {}, {}, set(), shapes, {}, readers)


def without_constants(graph: onnx.GraphProto, contents: OnnxContents) -> list[onnx.NodeProto]:
    """The nodes of a graph that compute from the image; initializers, and what the other nodes hold, become known.

    Args:
        graph: of the model, or inside a node.
        contents: where what is known goes.
    """
    for initializer in graph.initializer:
        _hold(contents, initializer.name, without_values(initializer), values(initializer))
        if not is_floating(initializer) and initializer.name in contents.known:
            contents.constants.add(initializer.name)
    for sparse in graph.sparse_initializer:
        _hold(contents, sparse.values.name, without_values(sparse.values, sparse.dims), None)
    return [node for node in graph.node if not _is_held(node, contents)]


def _is_held(node: onnx.NodeProto, contents: OnnxContents) -> bool:
    """Take note of a node that only holds a tensor, or has graphs inside; whether it is one of the former."""
    if node.domain:
        return False
    if node.op_type == "If":
        graphs = {attribute.name: attribute.g for attribute in node.attribute}
        contents.branches[node.output[0]] = {
            holds: Branch(without_constants(graphs[name], contents), [output.name for output in graphs[name].output])
            for holds, name in ((False, "else_branch"), (True, "then_branch"))
        }
    if node.op_type == "Constant" and any(attribute.name == "value" for attribute in node.attribute):
        tensor = next(attribute.t for attribute in node.attribute if attribute.name == "value")
        _hold(contents, node.output[0], without_values(tensor), values(tensor))
        contents.constants.add(node.output[0])
        return True
    if node.op_type == "Identity" and node.input[0] in contents.tensors:  # torch writes equal parameters once
        _hold(contents, node.output[0], contents.tensors[node.input[0]].clone(), contents.known.get(node.input[0]))
        return True
    return _is_computed(node, contents)


def _is_computed(node: onnx.NodeProto, contents: OnnxContents) -> bool:
    """Take note of the result of a node that only reads constants, or a weight in another form; whether it is such a node."""
    operator = operator_named(node.domain, node.op_type)
    is_constant = all(name in contents.constants for name in node.input)
    if operator is None or len(node.output) != 1 or not (is_constant or _is_another_form(node, contents)):
        return False
    if node.op_type in REARRANGED and _is_shared(node.input[0], contents):
        return False
    known = [contents.known.get(name) for name in node.input]
    held = known if None not in known else [contents.tensors.get(name) for name in node.input]
    try:
        made = computed(operator, OnnxCall(node.op_type, contents.opset, attributes_of(node), held, known, 1))
    except Exception:  # the same happens in the forward pass, where it is reported
        return False
    has_values = None not in known
    if not isinstance(made, torch.Tensor) or (has_values and (made.is_meta or made.numel() > LARGEST)):
        return False
    _hold(contents, node.output[0], torch.empty_like(made, device="meta"), made if has_values else None)
    if is_constant:
        contents.constants.add(node.output[0])
    if node.op_type in REARRANGED:
        contents.origins[node.output[0]] = contents.origins.get(node.input[0], node.input[0])
    return True


def _is_another_form(node: onnx.NodeProto, contents: OnnxContents) -> bool:
    """Whether a node gives a weight another form, for one reader."""
    return node.op_type in REARRANGED and bool(node.input) and all(name in contents.tensors for name in node.input if name)


def _is_shared(name: str, contents: OnnxContents) -> bool:
    """Whether a weight has several readers, for which it stays one; short tensors are settings, whose values are needed."""
    tensor = contents.tensors[name]
    return contents.readers[name] > 1 and tensor.numel() > _LONGEST_SETTING and tensor.is_floating_point()


def _hold(contents: OnnxContents, name: str, held: torch.Tensor | None, known: torch.Tensor | None) -> None:
    if held is not None:
        contents.tensors[name] = held
    if known is not None:
        contents.known[name] = known


def attributes_of(node: onnx.NodeProto) -> dict[str, Any]:
    """The attributes of a node as Python values."""
    from onnx import helper

    given = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute if not attribute.ref_attr_name}
    return {name: value.decode("utf-8", "replace") if isinstance(value, bytes) else value for name, value in given.items()}
