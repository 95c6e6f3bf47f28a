"""Arguments of operators as torch.export writes them, as functions that give them in a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch

from rfcheck.target.listing import Run

Argument = Callable[[Run], Any]
"""Gives the argument in a run."""

Written = Mapping[str, Any]
"""An object of the file."""

_DTYPES = {
    1: torch.uint8,
    2: torch.int8,
    3: torch.int16,
    4: torch.int32,
    5: torch.int64,
    6: torch.float16,
    7: torch.float32,
    8: torch.float64,
    9: torch.complex32,
    10: torch.complex64,
    11: torch.complex128,
    12: torch.bool,
    13: torch.bfloat16,
    28: torch.uint16,
    29: torch.float8_e4m3fn,
    30: torch.float8_e5m2,
    31: torch.float8_e4m3fnuz,
    32: torch.float8_e5m2fnuz,
    34: torch.uint32,
    35: torch.uint64,
} | ({33: torch.float8_e8m0fnu} if hasattr(torch, "float8_e8m0fnu") else {})
"""Numbers of types in the file."""

_MEMORY_FORMATS = {
    1: torch.contiguous_format,
    2: torch.channels_last,
    3: torch.channels_last_3d,
    4: torch.preserve_format,
}

_LITERALS = frozenset({"as_int", "as_bool", "as_string", "as_ints", "as_bools", "as_strings", "as_int_lists"})
_NUMBERS = frozenset({"as_float", "as_floats", "as_float_lists"})
_REFERENCES = frozenset({"as_tensor", "as_optional_tensor", "as_sym_int", "as_sym_float", "as_sym_bool"})
_LISTS = {
    "as_tensors": "as_tensor",
    "as_optional_tensors": "as_optional_tensor",
    "as_nested_tensors": "as_tensors",
    "as_sym_ints": "as_sym_int",
    "as_sym_floats": "as_sym_float",
    "as_sym_bools": "as_sym_bool",
}


def argument(written: Written, prefix: str = "") -> Argument:
    """An argument.

    Args:
        written: one entry, whose key says what its value is: {"as_ints": [2, 2]}.
        prefix: of the names that values have in the run.

    Raises:
        ValueError: if it is of a kind that no operator of a network needs, such as an object of a class.
    """
    ((kind, value),) = written.items()
    if kind in _LISTS:
        parts = [argument({_LISTS[kind]: part}, prefix) for part in value]
        return lambda run: [part(run) for part in parts]
    if kind in _REFERENCES:
        return _reference(value, prefix)
    constant = _constant(kind, value)
    return lambda _: constant


def _reference(value: Written, prefix: str) -> Argument:
    """A value of the run, or a literal in its place."""
    name = named(value)
    if name is not None:
        return lambda run: _made(run, prefix + name)
    literal = next((value[kind] for kind in ("as_int", "as_float", "as_bool") if kind in value), None)
    return lambda _: literal


def _made(run: Run, name: str) -> Any:
    """A value that an earlier step has made."""
    if name not in run.values:
        raise ValueError(f"reads {name!r}, which nothing has made before")
    return run.values[name]


def named(value: Written) -> str | None:
    """The name of the value that an argument stands for; None if it is a literal."""
    inner = value.get("as_tensor", value)
    name = inner.get("name", inner.get("as_name"))
    return None if name is None else str(name)


def _constant(kind: str, value: Any) -> Any:
    if kind == "as_none":
        return None
    if kind in _LITERALS:
        return value
    if kind in _NUMBERS:
        return _as_float(value)
    if kind == "as_scalar_type":
        return _DTYPES[value]
    if kind == "as_memory_format":
        return _MEMORY_FORMATS[value]
    if kind == "as_layout":
        return torch.strided
    if kind == "as_device":
        return torch.device("meta")
    if kind == "as_complex":
        return complex(value["real"], value["imag"])
    raise ValueError(f"an argument of the kind {kind.removeprefix('as_')}")


def _as_float(value: Any) -> Any:
    """Numbers, where infinities are written as text."""
    return [_as_float(part) for part in value] if isinstance(value, list) else float(value)


def tensor_without_data(written: Written) -> torch.Tensor:
    """A tensor of the shape, layout and type that the file gives; it holds no data."""
    sizes = [extent(size) for size in written["sizes"]]
    strides = [extent(stride) for stride in written["strides"]]
    return torch.empty_strided(sizes, strides, dtype=_DTYPES[written["dtype"]], device="meta")


def extent(written: Written) -> int:
    """A number that the file gives outright, or for the size that the program was exported at."""
    return int(written["as_int"] if "as_int" in written else written["as_expr"]["hint"]["as_int"])


def dtype_of(written: Written) -> torch.dtype:
    """The type of a tensor in the file."""
    return _DTYPES[written["dtype"]]
