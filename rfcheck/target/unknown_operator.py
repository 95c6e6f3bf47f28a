"""Operators of a file that torch does not have: what is known of them is what they read and which shapes they make."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import torch

_OVERLOAD = "unknown"
_SCHEMA = "(Tensor[] inputs, int[] ranks, int[] sizes, ScalarType dtype) -> Tensor[]"
_LIBRARIES: dict[str, torch.library.Library] = {}


def apply_unknown(
    namespace: str, name: str, inputs: Sequence[torch.Tensor], shapes: Sequence[Sequence[int]], dtype: torch.dtype
) -> list[torch.Tensor]:
    """Tensors without data that an operator without meaning makes.

    The operator appears in the analysis under its own name, as one that rfcheck does not know.

    Args:
        namespace: of the operator: "mylib", "com.microsoft".
        name: of the operator.
        inputs: what it reads.
        shapes: of its results.
        dtype: of its results.
    """
    operator = _registered(_identifier(namespace), _identifier(name))
    sizes = [size for shape in shapes for size in shape]
    made: list[torch.Tensor] = operator(list(inputs), [len(shape) for shape in shapes], sizes, dtype)
    return made


def _identifier(text: str) -> str:
    return re.sub(r"\W", "_", text, flags=re.ASCII) or "_"


@cache
def _registered(namespace: str, name: str) -> Callable[..., Any]:
    """An overload of the operator beside those that the library itself may define."""
    if namespace not in _LIBRARIES:
        _LIBRARIES[namespace] = torch.library.Library(namespace, "FRAGMENT")  # type: ignore[no-untyped-call]
    library: Any = _LIBRARIES[namespace]
    library.define(f"{name}.{_OVERLOAD}{_SCHEMA}")
    library.impl(f"{name}.{_OVERLOAD}", _make, "CompositeExplicitAutograd")
    found: Callable[..., Any] = getattr(getattr(getattr(torch.ops, namespace), name), _OVERLOAD)
    return found


def _make(_: list[torch.Tensor], ranks: list[int], sizes: list[int], dtype: torch.dtype) -> list[torch.Tensor]:
    rest = iter(sizes)
    return [torch.empty([next(rest) for _dimension in range(rank)], dtype=dtype, device="meta") for rank in ranks]
