"""What an operator does to the memory of its arguments, and what of them its result depends on: its schema, read once."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch

from rfcheck.graph.attention_bytes import is_fused
from rfcheck.graph.records import COPYING, UNWRITTEN, TensorArg
from rfcheck.graph.taking_apart import parts_of, parts_of_unknown

_LIKE = ("empty_like", "zeros_like", "ones_like", "full_like", "rand_like", "randn_like", "randint_like")
_NEW = ("new_empty", "new_zeros", "new_ones", "new_full", "new_empty_strided")
_EMPTY = frozenset({"empty", "empty_like", "empty_strided", "empty_permuted", "new_empty", "new_empty_strided"})
_DRAWS = ("normal_", "uniform_", "exponential_", "random_", "geometric_", "cauchy_", "log_normal_")
_CONTENT_FREE = frozenset({*_LIKE, *_NEW, *_DRAWS, "zero_", "zero"})
"""Operators that take a tensor for its shape only; what they return does not depend on what it holds."""

_VIEWS_IN_PLACE = frozenset({"squeeze_", "unsqueeze_", "transpose_", "t_", "swapaxes_", "swapdims_", "detach_", "as_strided_"})
"""Operators that make a tensor object a view of what it was; their schemas say that they write to it."""

_BY_VALUE = frozenset(
    {
        *("index", "_unsafe_index", "index_select", "gather", "index_put", "index_put_", "_index_put_impl_", "_unsafe_index_put"),
        *("index_copy", "index_copy_", "index_add", "index_add_", "index_fill", "index_fill_", "take"),
    }
)
"""Operators whose meaning depends on the values of an index."""

SAMPLES = frozenset({"grid_sampler", "grid_sampler_2d", "grid_sampler_3d", "deform_conv2d"})
"""Operators that read an image at given places."""

_BY_PLACES = SAMPLES | {"add", "add_", "sub", "sub_", "rsub", "mul", "mul_", "div", "div_"}
"""Operators whose meaning depends on the values of places in the image, and the arithmetic by which those are put together."""


class Signature:
    """Aliasing of one operator, from its schema.

    Attributes:
        written: position and name of the arguments that it writes to.
        makes: whether it returns tensors of its own beside those that it writes to.
        view_of: position of the argument that its results are views of.
        parts: what computes it by calls of other operators, which are recorded in its place.
        parts_of_unknown: the same for an operator that nothing is known of; on constants, their values say more than that.
        is_fused: whether it is attention in one kernel.
    """

    __slots__ = (
        "by_memory",
        "by_places",
        "by_value",
        "content_free",
        "copies",
        "is_empty",
        "is_fused",
        "makes",
        "parts",
        "parts_of_unknown",
        "rebinds",
        "resizes",
        "turns",
        "view_of",
        "written",
    )

    def __init__(self, func: Any) -> None:
        schema = func._schema
        self.turns = func._opname in _VIEWS_IN_PLACE
        writes = [] if self.turns else [(i, a.name) for i, a in enumerate(schema.arguments) if a.is_write]
        self.written: list[tuple[int, str]] = writes
        viewed = [i for i, a in enumerate(schema.arguments) if a.alias_info is not None and not a.alias_info.is_write]
        returns_view = any(r.alias_info is not None and not r.alias_info.is_write for r in schema.returns)
        self.view_of: int | None = viewed[0] if viewed and returns_view else 0 if self.turns else None
        self.makes = not self.written or any(r.alias_info is None for r in schema.returns)
        self.content_free = func._opname in _CONTENT_FREE
        self.is_empty = func._opname in _EMPTY
        self.copies = func._opname in COPYING
        self.rebinds = func._opname == "set_"
        self.resizes = func._opname == "resize_"
        self.parts = parts_of(func)
        self.parts_of_unknown = parts_of_unknown(func)
        self.is_fused = is_fused(func)
        self.by_value = func._opname in _BY_VALUE
        self.by_places = func._opname in _BY_PLACES
        self.by_memory = func._opname == "as_strided"

    def targets(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[torch.Tensor]:
        """The tensors that a call writes to."""
        given = [args[i] if i < len(args) else kwargs.get(name) for i, name in self.written]
        return [target for target in flat(given) if isinstance(target, torch.Tensor)]

    def origin_of(self, read: list[TensorArg]) -> int:
        """Origin of what the operator makes of constants, as in `TensorArg`."""
        if self.is_empty:
            return UNWRITTEN
        if self.content_free:
            return 0
        written = {position for position, _ in self.written}  # random values and the like are written over what was there
        return max((ref.origin for i, ref in enumerate(read) if self.copies or i not in written), default=0)


@cache
def signature_of(func: Any) -> Signature:
    """What is known of an operator."""
    return Signature(func)


def flat(out: Any) -> list[Any]:
    """The tensors of an operator's result, lists inside tuples included."""
    if not isinstance(out, (list, tuple)):
        return [out]
    return [item for part in out for item in flat(part)]
