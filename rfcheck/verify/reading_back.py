"""Dataclasses of what a file of a run holds, which may be a stranger's: every value is of its type, or nothing is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from types import UnionType
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Made = TypeVar("Made", bound="DataclassInstance")


def made(kind: type[Made], document: Mapping[str, Any]) -> Made:
    """A dataclass of what stands in the file.

    Args:
        kind: the class.
        document: its attributes by name; a list stands for a tuple.

    Raises:
        ValueError: if a value is missing, unknown or not of its type.
    """
    values, hints = _tuples(document), get_type_hints(kind)
    for name, value in values.items():
        if name not in hints:
            raise ValueError(f"there is no {name!r}")
        if not is_of(value, hints[name]):
            raise ValueError(f"{name} cannot be {value!r}")
    missing = [field.name for field in fields(kind) if field.name not in values and _is_needed(field)]
    if missing:
        raise ValueError(f"{missing[0]!r} is missing")
    return kind(**values)


def is_of(value: Any, hint: Any) -> bool:
    """Whether a value is of an annotated type; a whole number is a float too, and a bool is no number."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is UnionType:
        return any(is_of(value, one) for one in inner)
    if origin is Literal:
        return value in inner
    if origin is tuple:
        return isinstance(value, tuple) and all(is_of(one, inner[0]) for one in value)
    if origin is Mapping:
        return isinstance(value, Mapping) and all(is_of(one, inner[1]) for one in value.values())
    return type(value) is hint or (hint is float and type(value) is int)


def _is_needed(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _tuples(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
