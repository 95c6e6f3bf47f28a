from __future__ import annotations

from collections import OrderedDict

import pytest
import torch
from torch import nn

from rfcheck.fixes.parts import IDENTITY, Container, Part, free_name, named_apart

CONV = Part("Conv2d", (3, 4), (("kernel_size", 3), ("padding", (1, 0)), ("bias", False)))
HEAD = Container((("pool", Part("AdaptiveAvgPool2d", (1,))), ("flatten", Part("Flatten")), ("linear", Part("Linear", (4, 2)))))


def built(code: str) -> nn.Module:
    return eval(code, {"nn": nn, "OrderedDict": OrderedDict})


@pytest.mark.parametrize("part", [CONV, HEAD, IDENTITY, Part("MaxPool2d", ((2, 1),)), named_apart("conv", CONV, {"conv"})])
def test_what_is_made_is_what_is_written(part):
    assert repr(part.make(None)) == repr(built(part.code()))


def test_code():
    assert CONV.code() == "nn.Conv2d(3, 4, kernel_size=3, padding=(1, 0), bias=False)"
    assert HEAD.code() == ("nn.Sequential(OrderedDict(pool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), linear=nn.Linear(4, 2)))")


@pytest.mark.parametrize(
    ("part", "holds"), [(CONV, True), (HEAD, True), (IDENTITY, False), (Container((("pool", Part("AvgPool2d", (2,))),)), False)]
)
def test_which_hold_parameters(part, holds):
    assert part.has_parameters is holds
    assert bool(list(part.make(None).parameters())) is holds


@pytest.mark.parametrize("like", [torch.empty(1, dtype=torch.float64), torch.empty(1, device="meta", dtype=torch.bfloat16)])
def test_parameters_follow_a_tensor(like):
    for parameter in (*CONV.make(like).parameters(), *HEAD.make(like).parameters()):
        assert (parameter.dtype, parameter.device) == (like.dtype, like.device)


def test_parameters_are_initialised_as_torch_does_it():
    torch.manual_seed(3)
    expected = nn.Linear(4, 2).weight
    torch.manual_seed(3)
    assert Part("Linear", (4, 2)).make(torch.empty(1)).weight.equal(expected)


@pytest.mark.parametrize(
    ("taken", "name"), [(set(), "pool"), ({"fc"}, "pool"), ({"pool"}, "pool2"), ({"pool", "pool2", "pool4"}, "pool3")]
)
def test_free_names(taken, name):
    assert free_name("pool", taken) == name
    assert named_apart("pool", CONV, taken) == Container(((name, CONV),))
