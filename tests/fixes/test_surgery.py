"""Cuts and bypasses in graphs of torch.fx, carried out and written, against the same model built by hand."""

from __future__ import annotations

import copy
import re

import pytest
import torch
import torch.nn.functional as F
from torch import fx, nn

from rfcheck.errors import FixError
from rfcheck.fixes.outer_graph import OuterForwards
from rfcheck.fixes.surgery import Bypass, Cut, plan_cut, pooling_functions
from tests.fixes.networks import ResNet, conv
from tests.predictions import outcome, shapes

IMAGE = torch.rand(3, 3, 16, 16)


def by_code(model: nn.Module, change: Cut | Bypass) -> nn.Module:
    names = {"model": copy.deepcopy(model)}
    exec(change.snippet(model).text, names)
    return names["model"]


class Functional(nn.Module):
    """Functions between modules, poolings among them."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c = conv(3, 4), conv(4, 4), conv(4, 4)
        self.pool = nn.MaxPool2d(2)
        self.stage = nn.Sequential(conv(4, 4), nn.AvgPool2d(2))
        self.new_head = nn.Linear(4, 2)

    def forward(self, x, mask=None):
        x = F.max_pool2d(torch.tanh(self.a(x)), 2)
        x = self.pool(F.relu6(torch.tanh(self.b(x))))
        x = self.pool(F.avg_pool2d(self.c(x), 3, 1, 1))
        return self.new_head(self.stage(x).mean((2, 3)))


@pytest.mark.parametrize(
    ("place", "functions", "prefix"),
    [
        ("b", 0, lambda net, x: net.b(F.max_pool2d(torch.tanh(net.a(x)), 2))),
        ("b", 2, lambda net, x: F.relu6(torch.tanh(net.b(F.max_pool2d(torch.tanh(net.a(x)), 2))))),
        ("a", 1, lambda net, x: torch.tanh(net.a(x))),
    ],
)
def test_a_cut_keeps_everything_up_to_the_place(place, functions, prefix):
    model = Functional().eval()
    cut = plan_cut(model, place, functions, 4, 5, 2)
    assert cut.name == "new_head2"
    for changed in (cut.apply(copy.deepcopy(model)), by_code(model, cut)):
        assert isinstance(changed, fx.GraphModule)
        linear = changed.new_head2.linear
        with torch.no_grad():
            assert torch.allclose(changed(IMAGE), linear(prefix(model, IMAGE).mean((2, 3))), atol=1e-6)
        assert {name.partition(".")[0] for name in changed.state_dict()} == {"a", place, "new_head2"}
        assert not changed.training


def test_a_cut_inside_a_part():
    model = Functional()
    cut = plan_cut(model, "stage.0", 0, 4, 5, 2)
    assert cut.forwards == OuterForwards(("stage",), ("mask",))
    changed = cut.apply(copy.deepcopy(model))
    assert shapes(changed) == shapes(by_code(model, cut))
    assert "stage.0.weight" in changed.state_dict()
    assert outcome(changed, 16) == outcome(by_code(model, cut), 16)


def test_a_cut_behind_the_last_call():
    changed = plan_cut(Functional(), "pool", 0, 4, 5, 2).apply(Functional())
    assert {name for name, _ in changed.named_children()} == {"a", "b", "c", "pool", "new_head2"}


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_a_new_head_is_where_the_model_is_and_in_its_mode(dtype):
    model = ResNet().to(dtype)
    changed = plan_cut(model, "layer1", 0, 4, 5, 2).apply(model)
    assert changed.new_head.linear.weight.dtype == dtype
    assert all(module.training for module in changed.modules())
    assert not any(module.training for module in plan_cut(ResNet(), "layer1", 0, 4, 5, 2).apply(ResNet().eval()).new_head.modules())


def test_one_three_and_two_axes():
    for axes, kind in enumerate((nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d), 1):
        assert isinstance(plan_cut(ResNet(), "conv", 0, 4, 5, axes).head.make(None)[0], kind)


def test_a_place_that_is_not_called():
    model = Functional()
    model.unused = nn.ReLU()
    with pytest.raises(FixError, match=f"^{re.escape('torch.fx does not see unused in Functional.forward')}$"):
        plan_cut(model, "unused", 0, 4, 5, 2).apply(model)


def without(model: Functional, functions: tuple[int, ...], pools: tuple[int, ...]):
    """The forward, written once more without some of its poolings."""

    def pool(x, index):
        return x if index in pools else F.max_pool2d(x, 2)

    x = torch.tanh(model.a(IMAGE))
    x = x if 0 in functions else F.max_pool2d(x, 2)
    x = pool(F.relu6(torch.tanh(model.b(x))), 0)
    x = model.c(x)
    x = pool(x if 1 in functions else F.avg_pool2d(x, 3, 1, 1), 1)
    return model.new_head(model.stage(x).mean((2, 3)))


@pytest.mark.parametrize(
    ("functions", "pools"), [((0,), ()), ((1,), ()), ((0, 1), ()), ((), (0,)), ((), (1,)), ((), (0, 1)), ((0,), (1,))]
)
def test_a_bypass_leaves_out_calls_of_poolings(functions, pools):
    model = Functional().eval()
    bypass = Bypass(OuterForwards.around(model, ()), functions, (("pool", pools),) if pools else ())
    with torch.no_grad():
        for changed in (bypass.apply(copy.deepcopy(model)), by_code(model, bypass)):
            assert torch.allclose(changed(IMAGE), without(model, functions, pools), atol=1e-6)
            assert shapes(changed) == shapes(model)


def test_a_bypass_in_an_opened_part():
    model = Functional().eval()
    bypass = Bypass(OuterForwards.around(model, ("stage",)), (), (("stage.1", (0,)),))
    for changed in (bypass.apply(copy.deepcopy(model)), by_code(model, bypass)):
        assert [name for name, _ in changed.stage.named_children()] == ["0"]
        assert list(changed.state_dict()) == list(model.state_dict())


@pytest.mark.parametrize(("functions", "modules"), [((2,), ()), ((), (("pool", (2,)),)), ((), (("b.1", (0,)),))])
def test_calls_that_are_not_there(functions, modules):
    model = Functional()
    with pytest.raises(FixError, match="^torch.fx does not see the calls of poolings that the forward makes$"):
        Bypass(OuterForwards.around(model, ()), functions, modules).apply(model)


class Poolings(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.pool = nn.MaxPool2d(2)

    def forward(self, x):
        x = F.lp_pool2d(F.relu(self.pool(x)), 2, 2)
        return F.adaptive_avg_pool2d(F.avg_pool2d(F.max_pool2d(x, 2), 2).mean(1, keepdim=True), 1)


def test_which_functions_are_poolings():
    graph = OuterForwards((), ()).trace(Poolings())
    assert [node.name for node in pooling_functions(graph)] == ["max_pool2d", "avg_pool2d"]
