"""The table of ONNX operators: an operator is one entry, in the file of its kind."""

from __future__ import annotations

from rfcheck.target.onnx.arrangements import ARRANGEMENTS
from rfcheck.target.onnx.elementwise import ELEMENTWISE, Operator
from rfcheck.target.onnx.products import PRODUCTS
from rfcheck.target.onnx.resizing import RESIZING
from rfcheck.target.onnx.windows import WINDOWS

_TABLE: dict[str, Operator] = {**ELEMENTWISE, **WINDOWS, **RESIZING, **PRODUCTS, **ARRANGEMENTS}
_DOMAINS = ("", "ai.onnx")


def operator_named(domain: str, name: str) -> Operator | None:
    """What an operator computes; None if the table has no entry for it."""
    return _TABLE.get(name) if domain in _DOMAINS else None
