"""ONNX operators without an entry in the table: what they return is worked out by onnx itself, or taken from the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import torch

from rfcheck.target.onnx.call import OnnxCall
from rfcheck.target.onnx.values import DTYPES
from rfcheck.target.unknown_operator import apply_unknown

if TYPE_CHECKING:
    import onnx

Shape = tuple[int | None, ...]
"""Sizes as the file gives them; None where it allows any."""


def unknown(
    node: onnx.NodeProto, call: OnnxCall, opsets: Sequence[onnx.OperatorSetIdProto], shapes: Mapping[str, Shape]
) -> list[torch.Tensor]:
    """What an operator returns that rfcheck has no entry for; it appears as an unknown one in the analysis.

    Args:
        node: of the graph.
        call: the same with its inputs.
        opsets: versions of the operators that the file was written for.
        shapes: of values, as far as the file gives them.

    Raises:
        ValueError: if nobody can say which shape its result has.
    """
    found = _inferred(node, call, opsets)
    made = [found.get(name) or _from_file(name, node, call, shapes) for name in node.output if name]
    if not made or any(shape is None for shape in made):
        raise ValueError(
            f"rfcheck does not know {node.domain or 'onnx'}::{node.op_type}, and nothing says what shape its result has; "
            "write that into the file or replace the operator"
        )
    tensors = [t for t in call.tensors() if t.dtype.is_floating_point] or call.tensors()
    if not tensors:
        raise ValueError(f"{node.op_type} reads nothing")
    return apply_unknown(node.domain or "onnx", node.op_type, call.tensors(), [s for s in made if s is not None], tensors[0].dtype)


def _inferred(node: onnx.NodeProto, call: OnnxCall, opsets: Sequence[onnx.OperatorSetIdProto]) -> dict[str, tuple[int, ...]]:
    """Shapes of results by name, as onnx works them out from those of the inputs."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper, shape_inference

    numbers = {dtype: number for number, dtype in reversed(DTYPES.items())}
    given, known = [], []
    try:
        for name, tensor, data in zip(node.input, call.inputs, call.data, strict=True):
            if data is not None:
                known.append(numpy_helper.from_array(data.numpy(), name))
            elif tensor is not None:
                given.append(helper.make_tensor_value_info(name, numbers.get(tensor.dtype, TensorProto.FLOAT), list(tensor.shape)))
        wanted = [onnx.ValueInfoProto(name=name) for name in node.output if name]
        graph = helper.make_graph([node], "call", given, wanted, known)
        inferred = shape_inference.infer_shapes(helper.make_model(graph, opset_imports=list(opsets)), data_prop=True)
    except Exception:  # onnx refuses what it cannot infer with errors of its own
        return {}
    shapes = ((value.name, shape_of(value)) for value in inferred.graph.output)
    return {name: tuple(n for n in shape if n is not None) for name, shape in shapes if shape and None not in shape}


def shape_of(value: onnx.ValueInfoProto) -> Shape | None:
    """The shape that a file gives for a value; None where it gives none."""
    kind = value.type.tensor_type
    if not kind.HasField("shape"):
        return None
    return tuple(dim.dim_value if dim.HasField("dim_value") else None for dim in kind.shape.dim)


def _from_file(name: str, node: onnx.NodeProto, call: OnnxCall, shapes: Mapping[str, Shape]) -> tuple[int, ...] | None:
    """The shape that the file gives, where dimensions that are like those of the first input still are."""
    written, read = shapes.get(name), shapes.get(node.input[0]) if node.input else None
    if written is None or not call.has(0):
        return None
    now = call.tensor(0).shape
    sizes: list[int] = []
    for dimension, size in enumerate(written):
        if read is not None and len(read) == len(written) == len(now) and size is not None and size == read[dimension]:
            sizes.append(now[dimension])
        elif size is not None and (dimension < 2 or not call.is_resized):
            sizes.append(size)
        else:
            return None
    return tuple(sizes)
