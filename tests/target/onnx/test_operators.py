from __future__ import annotations

from onnx import defs

from rfcheck.target.onnx import arrangements, elementwise, products, resizing, windows
from rfcheck.target.onnx.operators import operator_named

PARTS = (
    arrangements.ARRANGEMENTS,
    elementwise.ELEMENTWISE,
    products.PRODUCTS,
    resizing.RESIZING,
    windows.WINDOWS,
)
MADE_BY_THE_READER = {"Linear", "Roll"}


def test_each_operator_has_one_entry():
    names = [name for part in PARTS for name in part]
    assert len(names) == len(set(names))
    assert all(operator_named("", name) is not None for name in names)


def test_entries_are_operators_of_onnx():
    known = {schema.name for schema in defs.get_all_schemas_with_history() if schema.domain in ("", "ai.onnx")}
    later = {"Swish", "Attention", "RMSNormalization"}  # of opsets that older versions of onnx do not know
    assert {name for part in PARTS for name in part} - known - MADE_BY_THE_READER - later == set()


def test_other_domains_have_no_entries():
    assert operator_named("com.microsoft", "Conv") is None
    assert operator_named("", "NoSuchOperator") is None
    assert operator_named("ai.onnx", "Conv") is operator_named("", "Conv")
