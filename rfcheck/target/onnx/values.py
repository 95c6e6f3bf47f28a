"""Tensors of ONNX files: their types, and the values of those that are short enough to matter for shapes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch

from rfcheck.errors import TargetError
from rfcheck.target.budgets import elements

if TYPE_CHECKING:
    import onnx

DTYPES: dict[Any, torch.dtype] = {
    1: torch.float32,
    2: torch.uint8,
    3: torch.int8,
    4: torch.uint16,
    5: torch.int16,
    6: torch.int32,
    7: torch.int64,
    9: torch.bool,
    10: torch.float16,
    11: torch.float64,
    12: torch.uint32,
    13: torch.uint64,
    14: torch.complex64,
    15: torch.complex128,
    16: torch.bfloat16,
    17: torch.float8_e4m3fn,
    18: torch.float8_e4m3fnuz,
    19: torch.float8_e5m2,
    20: torch.float8_e5m2fnuz,
    21: torch.uint8,
    22: torch.int8,
    23: torch.uint8,
}
"""Numbers of types in the file; types of four bits are taken for those of eight."""

_EXTERNAL = 1
LARGEST = 65536
"""Tensors with more values are kept without them."""


def without_values(tensor: onnx.TensorProto, sizes: Sequence[int] | None = None) -> torch.Tensor | None:
    """A tensor of the shape and type that the file gives; None for texts, which no layer reads.

    Args:
        tensor: of the file.
        sizes: its shape, where the file gives it elsewhere.
    """
    dtype = DTYPES.get(tensor.data_type)
    if dtype is None:
        return None
    shape = tuple(tensor.dims if sizes is None else sizes)
    elements(shape)
    return torch.empty(shape, dtype=dtype, device="meta")


def values(tensor: onnx.TensorProto) -> torch.Tensor | None:
    """A tensor with its values; None where they were not read, lie in another file, or do not matter for shapes."""
    from onnx import numpy_helper

    is_short = elements(tensor.dims) <= LARGEST
    dtype = DTYPES.get(tensor.data_type)
    if dtype is None or not is_short or tensor.data_location == _EXTERNAL or not _holds_data(tensor):
        return None
    try:
        return torch.tensor(numpy_helper.to_array(tensor).tolist(), dtype=dtype).reshape(tuple(tensor.dims))
    except (TypeError, ValueError, RuntimeError, OverflowError):
        shape = "x".join(map(str, tensor.dims)) or "a single number"
        raise TargetError(f"the tensor {tensor.name!r} does not hold the {shape} {dtype} that the file says it holds") from None


def _holds_data(tensor: onnx.TensorProto) -> bool:
    fields = ("raw_data", "float_data", "int32_data", "int64_data", "double_data", "uint64_data")
    return 0 in tensor.dims or any(len(getattr(tensor, field)) for field in fields)


def is_floating(tensor: onnx.TensorProto) -> bool:
    """Whether a tensor holds fractions."""
    dtype = DTYPES.get(tensor.data_type)
    return dtype is not None and dtype.is_floating_point


def scalar_or_list(value: Any) -> torch.Tensor:
    """A tensor from a number or a list of numbers, in the type that ONNX has for such constants."""
    first = value[0] if isinstance(value, (list, tuple)) and value else value
    return torch.tensor(value, dtype=torch.float32 if isinstance(first, float) else torch.int64)


def filled(shape: list[int], value: torch.Tensor) -> torch.Tensor:
    """A tensor of one value; without data if it is large."""
    large = elements(shape) > LARGEST
    return torch.full(shape, value.item(), dtype=value.dtype, device="meta" if large else "cpu")
