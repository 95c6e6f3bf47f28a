"""Results as plain data that JSON holds, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from rfcheck.analysis.cost import Cost
from rfcheck.analysis.layers import Layer
from rfcheck.linting.finding import Finding
from rfcheck.report.result import Result
from rfcheck.report.snapshot import Snapshot
from rfcheck.span import Span


def to_plain(value: Any) -> Any:
    """A result, or any part of one, as dicts, lists, numbers and texts."""
    if is_dataclass(value):
        return {field.name: to_plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {key: to_plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [to_plain(item) for item in value]
    return value


def result_from(plain: Mapping[str, Any]) -> Result:
    """The result that `to_plain` made data of.

    Raises:
        AttributeError, KeyError, TypeError, ValueError: if it is not such data.
    """
    findings = tuple(_finding(finding) for finding in plain["findings"])
    return Result(plain["target"], plain["path"], plain["line"], _snapshot(plain["snapshot"]), findings)


def _snapshot(plain: Mapping[str, Any]) -> Snapshot:
    built = {
        "cost": Cost(**plain["cost"]),
        "tail_cost": Cost(**plain["tail_cost"]),
        "layers": tuple(Layer(**_with_tuples(layer)) for layer in plain["layers"]),
        "resolution_range": tuple(None if extents is None else tuple(extents) for extents in plain["resolution_range"]),
    }
    return Snapshot(**{**_with_tuples(plain), **built})


def _finding(plain: Mapping[str, Any]) -> Finding:
    return Finding(**{**_with_tuples(plain), "chain": tuple(Span(*span) for span in plain["chain"])})


def _with_tuples(plain: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in plain.items()}
