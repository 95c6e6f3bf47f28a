from __future__ import annotations

import torch
from onnx import defs

from rfcheck.target.onnx import arrangements, elementwise, products, resizing, windows
from rfcheck.target.onnx.call import OnnxCall
from rfcheck.target.onnx.operators import computed, operator_named

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


def node_of(operator: str, *inputs: torch.Tensor, **attributes) -> OnnxCall:
    return OnnxCall(operator, 17, attributes, inputs, inputs, 1)


def test_values_that_a_short_file_asks_for_are_not_made_if_they_are_too_many():
    short, rest = torch.ones(1000, 1), torch.ones(1, 1000)
    for call in (
        node_of("Tile", short, torch.tensor([10**6, 10**6])),
        node_of("Add", short.expand(1000, 10), torch.ones(10**5, 1, 1)),
        node_of("MatMul", short, rest),
        node_of("Pad", short, torch.tensor([0, 0, 0, 10**12])),
    ):
        assert computed(operator_named("", call.operator), call).is_meta, call.operator


def test_few_values_are_computed():
    assert computed(operator_named("", "Tile"), node_of("Tile", torch.tensor([1, 2]), torch.tensor([2]))).tolist() == [1, 2, 1, 2]
    assert computed(operator_named("", "Identity"), node_of("Identity", torch.ones(3, device="meta"))).is_meta
    first, second = computed(operator_named("", "Split"), node_of("Split", torch.arange(4), torch.tensor([1, 3])))
    assert (first.tolist(), second.tolist()) == ([0], [1, 2, 3])


def test_other_domains_have_no_entries():
    assert operator_named("com.microsoft", "Conv") is None
    assert operator_named("", "NoSuchOperator") is None
    assert operator_named("ai.onnx", "Conv") is operator_named("", "Conv")
