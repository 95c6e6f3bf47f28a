"""From ONNX nodes to steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from rfcheck.target.listing import Run, Scope, Step
from rfcheck.target.onnx.call import NotCoveredError, OnnxCall
from rfcheck.target.onnx.graph import Branch, OnnxContents, attributes_of
from rfcheck.target.onnx.operators import computed, operator_named
from rfcheck.target.onnx.unknown import unknown

if TYPE_CHECKING:
    import onnx


def step_of(node: onnx.NodeProto, scopes: tuple[Scope, ...] | None, contents: OnnxContents) -> Step:
    """The step that a node stands for.

    Args:
        node: of the graph.
        scopes: the module calls around it; None where another node decides about them.
        contents: of the file.
    """
    label = f"{node.op_type} {node.name!r}" if node.name else node.op_type
    attributes = attributes_of(node)
    operator = operator_named(node.domain, node.op_type)
    branches = contents.branches.get(next(iter(node.output), ""))

    def apply(run: Run) -> None:
        inputs, data = _inputs(node, contents, run)
        call = OnnxCall(node.op_type, contents.opset, attributes, inputs, data, len(node.output), run.is_resized)
        if branches:
            made = _taken(branches[bool(call.known(0).item())], contents, run)
        elif operator is None:
            made = unknown(node, call, contents.opsets, contents.shapes)
        else:
            try:
                made = computed(operator, call)
            except NotCoveredError:
                made = unknown(node, call, contents.opsets, contents.shapes)
        results = made if isinstance(made, (list, tuple)) else (made,)
        run.keep((name, result) for name, result in zip(node.output, results, strict=False) if name)

    return Step(label, scopes, next(iter(node.input), None), apply)


_Tensors = list[torch.Tensor | None]


def _inputs(node: onnx.NodeProto, contents: OnnxContents, run: Run) -> tuple[_Tensors, _Tensors]:
    """What a node reads, and the values of that as far as they are known."""
    inputs: _Tensors = [run.values[name] if name else None for name in node.input]
    data: _Tensors = [None if tensor is None or tensor.is_meta else tensor for tensor in inputs]
    is_arithmetic_on_sizes = any(d is not None and name not in contents.tensors for name, d in zip(node.input, data, strict=True))
    data = [contents.known.get(name, d) for name, d in zip(node.input, data, strict=True)]
    if is_arithmetic_on_sizes:
        inputs = [tensor if d is None else d for tensor, d in zip(inputs, data, strict=True)]
    return inputs, data


def _taken(branch: Branch, contents: OnnxContents, run: Run) -> list[Any]:
    for node in branch.nodes:
        step_of(node, None, contents).apply(run)
    return [run.values[name] for name in branch.outputs]
