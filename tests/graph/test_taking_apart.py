"""Operators that arrive whole: what is made of them is held against the support of the gradient, and torch's counter."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import rfcheck
from rfcheck.graph.taking_apart import parts_of, parts_of_unknown
from tests.graph.cases import SERIES, assert_as_changed, assert_as_gradient, cases, moved
from tests.oracle import Apply

aten = torch.ops.aten


@pytest.mark.parametrize("func", [aten.conv2d.default, aten.linear.default, aten.conv_tbc.default], ids=str)
def test_what_only_calls_others_is_taken_apart(func):
    assert parts_of(func) is not None


@pytest.mark.parametrize(
    "func", [aten.convolution.default, aten.relu.default, aten.lstm.input, torch.ops.prim.device.default], ids=str
)
def test_what_computes_or_has_an_entry_is_not(func):
    assert parts_of(func) is None
    assert parts_of_unknown(func) is None


@pytest.mark.parametrize("func", [aten._foreach_add.List, aten._foreach_mul_.Scalar, aten.block_diag.default], ids=str)
def test_of_the_unknown_ones_those_with_a_derivative_of_their_own_are(func):
    assert parts_of(func) is None
    assert parts_of_unknown(func) is not None


def in_place(x):
    first, second = x.clone(), F.avg_pool2d(x, 5, 1, 2)
    torch._foreach_mul_([first, second], 2.0)
    return first


FOREACH = {
    "with a number": lambda x: torch._foreach_mul([x, F.avg_pool2d(x, 5, 1, 2)], 2.0)[0],
    "with a list": lambda x: torch._foreach_add([x, x], [x, F.avg_pool2d(x, 5, 1, 2)])[1],
    "alone": lambda x: torch._foreach_neg([x, F.avg_pool2d(x, 5, 1, 2)])[1],
    "in place": in_place,
}


@cases(FOREACH)
def test_lists_are_followed_tensor_by_tensor(case):
    assert_as_gradient(moved(case))


def test_a_convolution_over_steps_is_a_convolution():
    weight = torch.rand(3, 2, 4, dtype=torch.float64)
    bias = torch.zeros(4, dtype=torch.float64)

    def steps_first(x):
        return torch.conv_tbc(x.permute(2, 0, 1).contiguous(), weight.to(x), bias.to(x), 1).permute(1, 2, 0)

    model = Apply(lambda x, a: steps_first(a(x)), nn.Conv1d(2, 2, 3, stride=2))
    assert_as_changed(model, SERIES)
    with FlopCounterMode(display=False) as counter:
        F.conv1d(nn.Conv1d(2, 2, 3, stride=2)(torch.zeros(SERIES)), torch.zeros(4, 2, 3), padding=1)
    (layer,) = rfcheck.analyze(model, SERIES).layers[1:]
    assert (layer.kind, layer.kernel, layer.out_channels) == ("conv", (3,), 4)
    assert 2 * rfcheck.analyze(model, SERIES).flops == counter.get_total_flops()


def test_parameters_of_what_is_taken_apart_are_counted():
    class Steps(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight, self.bias = nn.Parameter(torch.zeros(3, 2, 4)), nn.Parameter(torch.zeros(4))

        def forward(self, x):
            return torch.conv_tbc(x.permute(2, 0, 1).contiguous(), self.weight, self.bias).permute(1, 2, 0)

    (layer,) = rfcheck.analyze(Steps(), SERIES).layers
    assert layer.params == 3 * 2 * 4 + 4
