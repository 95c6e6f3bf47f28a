"""The operators that are known, and how users add their own.

An operator is *handled* (it has an entry that says how it gathers), *neutral* (it has an entry that says why it does not matter
for receptive fields), or *unknown* (no entry; reported by name wherever it occurs). One entry covers all overloads of an operator.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rfcheck.errors import OperatorError
from rfcheck.graph.operators.arranging import ARRANGING
from rfcheck.graph.operators.combining import COMBINING
from rfcheck.graph.operators.elementwise import ELEMENTWISE
from rfcheck.graph.operators.extensions import EXTENSIONS
from rfcheck.graph.operators.fused import FUSED
from rfcheck.graph.operators.meanings import Join, Meaning, Pointwise, Rearrange, Table
from rfcheck.graph.operators.quantizing import QUANTIZING
from rfcheck.graph.operators.windowed import WINDOWED

_TABLE: Table = {**ELEMENTWISE, **WINDOWED, **COMBINING, **FUSED, **ARRANGING, **QUANTIZING, **EXTENSIONS}

_TAGGED = ("aten::", "prims::")
_ALONE, _TOGETHER = Pointwise(), Join()


def meaning_of(func: Any) -> Meaning | None:
    """What an operator overload means; None if that is unknown.

    That is its entry, or the entry of the operator that it is a form of: in place ("relu_"), or with a copy for a view
    ("view_copy"). An operator without an entry that torch itself marks as acting position by position does so.
    """
    if isinstance(func, str):  # a marker of the recorder
        return None
    name: str = func._schema.name
    return _TABLE.get(name) or _TABLE.get(name.removesuffix("_")) or _derived(func)


def _derived(func: Any) -> Meaning | None:
    name: str = func._schema.name
    base = name.removesuffix("_copy")
    if base != name and isinstance(moved := _TABLE.get(base), (Rearrange, Pointwise)):
        return moved
    computed = _TABLE.get(name.replace("prims::", "aten::")) if name.startswith("prims::") else None
    if isinstance(computed, (Pointwise, Join)):
        return computed
    if name.startswith(_TAGGED) and _acts_on_positions(func):
        return _ALONE if sum("Tensor" in str(argument.type) for argument in func._schema.arguments) == 1 else _TOGETHER
    return None


def _acts_on_positions(func: Any) -> bool:
    """Whether torch marks an operator, or the one that it is the form in place of, as acting position by position."""
    namespace, name = func._schema.name.split("::")
    import torch  # not at the top: what reads kept results knows meanings, too, and needs no torch

    plain = getattr(getattr(torch.ops, namespace), name.removesuffix("_"), None)
    forms = [func] if plain is None else [func, *(getattr(plain, overload) for overload in plain.overloads())]
    return any(torch.Tag.pointwise in form.tags for form in forms)


def register_operator(operator: Any, meaning: Meaning) -> None:
    """Tell rfcheck how an operator gathers.

    Args:
        operator: ``torch.ops.mylib.op``, one of its overloads, or its name "mylib::op".
        meaning: ``Window(...)``, ``Pointwise()``, ``Join()``, ``Global()``, ``Resample(...)`` or ``Opaque(...)``.

    Raises:
        OperatorError: if the operator has another entry already, or is not an operator.
    """
    name = _qualified_name(operator)
    if not isinstance(meaning, Meaning):
        raise OperatorError(f"{name}: the meaning must be a Window, Pointwise, Join, Global, Resample or Opaque, got {meaning!r}")
    if _TABLE.get(name, meaning) != meaning:
        raise OperatorError(f"operator {name} is known already, as {_TABLE[name]}")
    _TABLE[name] = meaning


def _qualified_name(operator: Any) -> str:
    if isinstance(operator, str) and operator.count("::") == 1:
        return operator
    name = getattr(operator, "_qualified_op_name", None) or getattr(getattr(operator, "_schema", None), "name", None)
    if not isinstance(name, str):
        raise OperatorError(f"{operator!r} is not an operator; pass torch.ops.mylib.op or 'mylib::op'")
    return name


def neutral_operators() -> dict[str, str]:
    """Operators that are known and add nothing to a receptive field, with the reason."""
    return {name: meaning.reason for name, meaning in _TABLE.items() if isinstance(meaning, Pointwise)}


def known_operators() -> Sequence[str]:
    """Qualified names of all operators with an entry."""
    return sorted(_TABLE)
