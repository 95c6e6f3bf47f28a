"""Which tensors of an ONNX file are parameters of layers, which are buffers, and under which names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import torch

from rfcheck.target.listing import Scope

if TYPE_CHECKING:
    import onnx

_SETTINGS: Mapping[str, frozenset[int]] = {
    "Resize": frozenset({1, 2, 3}),
    "Upsample": frozenset({1}),
    "Clip": frozenset({1, 2}),
    "Pad": frozenset({1, 2, 3}),
    "Pow": frozenset({1}),
    "Dropout": frozenset({1, 2}),
    "OneHot": frozenset({1, 2}),
    "QuantizeLinear": frozenset({1, 2}),
    "DequantizeLinear": frozenset({1, 2}),
    "QLinearConv": frozenset({1, 2, 4, 5, 6, 7}),
    "QLinearMatMul": frozenset({1, 2, 4, 5, 6, 7}),
}
"""Inputs of operators that hold no weights although they may be floating tensors."""

_BUFFERS: Mapping[str, frozenset[int]] = {"BatchNormalization": frozenset({3, 4})}
_QUANTIZED: Mapping[str, frozenset[int]] = {
    "DequantizeLinear": frozenset({0}),
    "QLinearConv": frozenset({3, 8}),
    "ConvInteger": frozenset({1}),
    "QLinearMatMul": frozenset({3}),
    "MatMulInteger": frozenset({1}),
}
_DOTTED = re.compile(r"^[^\W\d][\w-]*(\.[\w-]+)*$")


@dataclass(frozen=True, slots=True)
class Weights:
    """Tensors of a file that modules hold.

    Attributes:
        parameters: dotted name by value.
        buffers: dotted name by value.
    """

    parameters: dict[str, str]
    buffers: dict[str, str]


def weights_of(
    nodes: Iterable[tuple[onnx.NodeProto, tuple[Scope, ...]]],
    tensors: Mapping[str, torch.Tensor],
    constants: Set[str],
    origins: Mapping[str, str] = MappingProxyType({}),
) -> Weights:
    """Which tensors are parameters and buffers.

    Args:
        nodes: in execution order, with the module calls around them.
        tensors: of the file, by value.
        constants: those that the code of the model makes; parameters only where nothing else can hold weights.
        origins: of tensors that nodes made from others by giving them another form, the names of those.
    """
    found = Weights({}, {})
    modules: set[str] = set()
    pairs = list(nodes)
    for _, scopes in pairs:
        modules.update(scope.path for scope in scopes)
    taken = set(modules)
    for node, scopes in pairs:
        for index, value in enumerate(node.input):
            tensor = tensors.get(value)
            if tensor is None or value in found.parameters or value in found.buffers:
                continue
            table = _table(node.op_type, index, value, tensor, found)
            if table is not None and (index in _QUANTIZED.get(node.op_type, ()) or value not in constants):
                table[value] = _name(origins.get(value, value), scopes[-1].path if scopes else "", taken)
    return found


def _table(operator: str, index: int, value: str, tensor: torch.Tensor, found: Weights) -> dict[str, str] | None:
    if index in _BUFFERS.get(operator, ()):
        return found.buffers
    if index in _QUANTIZED.get(operator, ()):
        return found.parameters
    is_single = tensor.numel() <= 1 and operator != "PRelu" and not (_DOTTED.match(value) and "." in value)
    if is_single or not tensor.is_floating_point() or index in _SETTINGS.get(operator, ()):
        return None
    return found.parameters


def _name(value: str, path: str, taken: set[str]) -> str:
    """The name of the file where a module can have it, else one in the module that reads the tensor first."""
    name = value
    if not _DOTTED.match(value) or value in taken:
        leaf = re.sub(r"\W+", "_", value) or "_"
        name = f"{path}.{leaf}" if path else leaf
    while name in taken:
        name += "_"
    taken.add(name)
    return name
