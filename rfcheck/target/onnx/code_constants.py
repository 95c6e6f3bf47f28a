"""Which constants of an ONNX file the code of the model makes, such as means of colours, and which are weights in another form.

torch writes weights as initializers, and what code makes as nodes; other programs write weights as nodes too. Those are told by
what reads them: a layer, or what is added to its result. Where a file has no other weights, its constants are all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    import onnx

WEIGHED = frozenset(
    {"Conv", "ConvTranspose", "FusedConv", "Gemm", "FusedGemm", "MatMul", "Linear", "PRelu", "LSTM", "GRU", "RNN", "Einsum"}
)
"""Operators that read weights."""

REARRANGED = frozenset(
    {"Identity", "Cast", "CastLike", "Transpose", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "DequantizeLinear"}
)
"""Operators whose result holds the values of their first input in another form."""

_SUMS = frozenset({"Add", "Sub"})


def code_constants(nodes: Sequence[onnx.NodeProto], tensors: Mapping[str, torch.Tensor], constants: Set[str]) -> Set[str]:
    """Those constants that are not weights.

    Args:
        nodes: in execution order, those inside others too.
        tensors: of the file, by value.
        constants: tensors that nodes of the file hold or make from nothing else.
    """
    weights = {name for name, tensor in tensors.items() if tensor.is_floating_point() and tensor.numel() > 1}
    if not weights - constants:
        return constants - weights
    return constants - _weighed(nodes)


def _weighed(nodes: Sequence[onnx.NodeProto]) -> set[str]:
    """Values that layers read, at once or in another form, and what is added to the results of layers."""
    products = {name for node in nodes if node.op_type in WEIGHED for name in node.output}
    found: set[str] = set()
    for node in reversed(nodes):
        is_bias = node.op_type in _SUMS and not products.isdisjoint(node.input)
        if node.op_type in WEIGHED or is_bias:
            found.update(node.input)
        elif node.op_type in REARRANGED and not found.isdisjoint(node.output):
            found.update(node.input[:1])
    return found
