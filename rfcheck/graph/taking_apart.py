"""Operators that are recorded as the operators that they are made of."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch

from rfcheck.graph.operators import Recurrent, meaning_of

_KEYS: Any = torch._C.DispatchKey
_IMPLICIT, _EXPLICIT = _KEYS.CompositeImplicitAutograd, _KEYS.CompositeExplicitAutograd


def parts_of(func: Any) -> Callable[..., Any] | None:
    """What computes an operator by calls of others; None where it is recorded whole.

    Torch takes most operators apart that only call others before they are seen, but not where gradients are out of the question,
    as in inference mode.

    Args:
        func: overload of an operator.
    """
    own = _OWN.get(func)
    if own is not None or func.namespace == "prim" or not _has_kernel(func, _IMPLICIT):
        return own
    return None if isinstance(meaning_of(func), Recurrent) else partial(func._op_dk, _IMPLICIT)


def parts_of_unknown(func: Any) -> Callable[..., Any] | None:
    """The same for an operator without an entry that has a derivative of its own, so that it arrives whole.

    Those over lists (``_foreach_add``) fall into what happens to each tensor.
    """
    is_known = meaning_of(func) is not None or func.namespace != "aten" or not _makes_tensors(func._schema)
    return partial(func._op_dk, _EXPLICIT) if not is_known and _has_kernel(func, _EXPLICIT) else None


def _makes_tensors(schema: Any) -> bool:
    """Whether an operator returns or changes tensors."""
    return any("Tensor" in str(r.type) for r in schema.returns) or any(a.is_write for a in schema.arguments)


def _has_kernel(func: Any, key: Any) -> bool:
    return bool(torch._C._dispatch_has_kernel_for_dispatch_key(func.name(), key))


def _conv_tbc(steps: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, pad: int = 0) -> torch.Tensor:
    """A convolution over the first dimension of (T, N, C), as the plain one that it is."""
    moved = torch.conv1d(steps.permute(1, 2, 0), weight.permute(2, 1, 0), bias, padding=pad)
    return moved.permute(2, 0, 1)


_OWN: dict[Any, Callable[..., Any]] = {torch.ops.aten.conv_tbc.default: _conv_tbc}
"""Operators whose kernels hide what they mean."""
