from __future__ import annotations

import pytest

from rfcheck.graph.naming import node_names, operator_name
from rfcheck.graph.records import ModuleCall


@pytest.mark.parametrize(
    ("qualified", "axes", "name"),
    [
        ("aten::convolution", 2, "conv2d"),
        ("aten::relu_", 0, "relu"),
        ("aten::native_batch_norm", 0, "batch_norm"),
        ("aten::max_pool2d_with_indices", 0, "max_pool2d"),
        ("aten::_softmax", 0, "softmax"),
        ("aten::addmm", 0, "linear"),
        ("aten::bmm", 0, "matmul"),
        ("mylib::my_op", 0, "my_op"),
        ("rfcheck.scatter", 0, "scatter"),
    ],
)
def test_operators_are_called_as_users_know_them(qualified, axes, name):
    assert operator_name(qualified, axes) == name


def names(*items: tuple[ModuleCall, str, str]) -> list[str]:
    return node_names([i[0] for i in items], [i[1] for i in items], [i[2] for i in items])


def test_a_leaf_gives_its_name_to_its_main_operator():
    linear = ModuleCall("fc", "Linear", 1, True)
    assert names((linear, "rearrange", "view"), (linear, "linear", "linear"), (linear, "rearrange", "view")) == [
        "fc/view",
        "fc",
        "fc/view:2",
    ]


def test_repeated_calls_and_functions():
    conv, again = ModuleCall("conv", "Conv2d", 1, True), ModuleCall("conv", "Conv2d", 2, True)
    block, root = ModuleCall("layer4.1", "Block", 1, False), ModuleCall("", "Net", 1, False)
    assert names((conv, "conv", "conv2d"), (again, "conv", "conv2d"), (block, "pool", "max_pool2d"), (block, "pool", "max_pool2d")) == [
        "conv", "conv:2", "layer4.1/max_pool2d", "layer4.1/max_pool2d:2",
    ]  # fmt: skip
    assert names((root, "activation", "relu"), (root, "activation", "relu")) == ["relu", "relu:2"]


def test_names_stay_unique():
    root, odd = ModuleCall("", "Net", 1, False), ModuleCall("relu", "ReLU", 1, True)
    found = names((odd, "activation", "relu"), (root, "activation", "relu"), (root, "activation", "relu"), (root, "other", "input"))
    assert len(set(found)) == 4
    assert "input" not in found
