from __future__ import annotations

import re

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from rfcheck.errors import FixError
from rfcheck.fixes.arithmetic import Window
from rfcheck.fixes.fix import Plan
from rfcheck.fixes.parts import IDENTITY, Part
from rfcheck.fixes.points import downsampling_points
from rfcheck.fixes.restriding import is_bypassable, is_changeable, plan_and_outcome, plan_for
from rfcheck.fixes.steps import Append, Assign, Replace, run_steps
from rfcheck.fixes.subject import Subject
from tests.fixes.networks import ResNet, conv, subject_of, with_a_height
from tests.predictions import outcome

ONE = (1, 1)


class Net(nn.Module):
    def __init__(self, forward, **parts: nn.Module) -> None:
        super().__init__()
        self.forward_of = forward
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, x):
        return self.forward_of(self, x)


class Opaque(nn.Module):
    """Pools in a forward that torch.fx cannot follow."""

    def forward(self, x):
        return F.max_pool2d(x, 2) if x.shape[1] > 0 and bool(x.abs().sum() >= 0) else x


POOLED_TWICE = Net(lambda net, x: net.pool(net.conv(net.pool(x))), pool=nn.MaxPool2d(2), conv=conv(3, 3))
STRIDED_TWICE = Net(lambda net, x: net.conv(net.conv(x)), conv=conv(3, 3, 3, 2))


def changeable(model: nn.Module) -> list[bool]:
    subject = subject_of(model, 16)
    return [is_changeable(subject, point) for point in downsampling_points(subject.graph, subject.network.roles)]


@pytest.mark.parametrize(
    ("model", "found"),
    [
        (ResNet(), [True, True, True]),
        (POOLED_TWICE, [True, True]),
        (STRIDED_TWICE, [False, False]),
        (Net(lambda net, x: F.avg_pool2d(F.max_pool2d(net.conv(x), 2), 2), conv=conv(3, 3)), [True, True]),
        (Net(lambda net, x: F.conv2d(x, net.conv.weight, stride=2), conv=conv(3, 3)), [False]),
        (Net(lambda net, x: net.last(net.opaque(x)), opaque=Opaque(), last=conv(3, 3)), [False]),
        (Net(lambda net, x: torch.cat([net.a(x), F.max_pool2d(x, 2)], 1), a=conv(3, 3, 3, 2)), [True]),
        (Net(lambda net, x: torch.cat([net.a(x), F.max_pool2d(x, 3, 2)], 1), a=nn.Conv2d(3, 3, 3, 2)), [False]),
    ],
)
def test_which_points_can_be_changed(model, found):
    assert changeable(model) == found


def test_a_convolution_over_more_than_the_image_axes_stays():
    subject = subject_of(with_a_height(9, 4), (1, 1, 16))
    (point,) = downsampling_points(subject.graph, subject.network.roles)
    assert (point.nodes, point.stride) == (("2",), (4,))
    assert not is_changeable(subject, point)


def test_which_calls_can_be_left_out():
    subject = subject_of(POOLED_TWICE, 16)
    assert [is_bypassable(subject, name) for name in ("pool", "pool:2", "conv")] == [True, True, False]


def windows(subject: Subject, *names: str, kernel: tuple[int, int] | None = None) -> dict[str, Window]:
    nodes = subject.graph.nodes
    return {
        name: Window(kernel or nodes[name]["kernel"], ONE, tuple((k - 1) // 2 for k in kernel or nodes[name]["kernel"]))
        for name in names
    }


def test_a_step_for_each_module():
    subject = subject_of(ResNet(), 16)
    more = Append("layer2", "pool", Part("MaxPool2d", (2,)))
    changes = {**windows(subject, "conv", kernel=(3, 3)), "pool": None, **windows(subject, "layer2.0.conv1")}
    plan = plan_for(subject, changes, (more,))
    assert plan.surgery is None
    assert plan.steps[1:] == (Replace("pool", IDENTITY), Assign("layer2.0.conv1", "stride", ONE), more)
    changed = run_steps(ResNet(), plan.steps)
    assert repr(changed.conv.conv) == repr(nn.Conv2d(3, 4, 3, padding=1))


@pytest.mark.parametrize(
    "conv",
    [
        nn.Conv2d(4, 8, (5, 5), 2, 2, 2, groups=4, bias=False, padding_mode="reflect"),
        nn.Conv2d(4, 8, (5, 7), 2, 2, bias=True),
        nn.Conv1d(4, 8, 5, 2, 2, groups=2),
        nn.Conv3d(4, 8, 5, 2, 2),
    ],
)
def test_a_smaller_kernel_keeps_all_else(conv):
    axes = len(conv.kernel_size)
    subject = subject_of(nn.Sequential(conv), (1, 4, *[16] * axes))
    (step,) = plan_for(subject, {"0": Window((3,) * axes, (1,) * axes, (2,) * axes)}).steps
    made = run_steps(nn.Sequential(conv), [step])[0].conv
    assert (made.kernel_size, made.stride, made.padding) == ((3,) * axes, (1,) * axes, (2,) * axes)
    for name in ("in_channels", "out_channels", "dilation", "groups", "padding_mode"):
        assert getattr(made, name) == getattr(conv, name)
    assert (made.bias is None) == (conv.bias is None)
    assert eval(step.part.parts[0][1].code()).__repr__() == repr(made)


class OwnConv(nn.Conv2d):
    """A class of the user's own, with a constructor of its own."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, channels, 5, 2, 2)


def test_a_smaller_kernel_in_place_of_a_class_of_ones_own_is_a_plain_convolution():
    subject = subject_of(nn.Sequential(OwnConv(3)), 16)
    (step,) = plan_for(subject, windows(subject, "0", kernel=(3, 3))).steps
    assert type(run_steps(nn.Sequential(OwnConv(3)), [step])[0].conv) is nn.Conv2d


def test_calls_of_poolings_are_left_out_of_the_graph():
    subject = subject_of(POOLED_TWICE, 16)
    plan, after = plan_and_outcome(subject, {"pool:2": None})
    assert plan.surgery is not None
    assert (plan.steps, plan.surgery.functions, plan.surgery.modules) == ((), (), (("pool", (1,)),))
    assert after == outcome(Net(lambda net, x: net.conv(net.pool(x)), pool=nn.MaxPool2d(2), conv=conv(3, 3)), 16)


class Stage(nn.Module):
    """Pools by a function and by a module, between others that do."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.pool = conv(3, 3), nn.MaxPool2d(2)

    def forward(self, x):
        return self.pool(F.avg_pool2d(self.conv(x), 2))


def pooled_all_over(net, x):
    x = F.max_pool2d(net.first(x), 2)
    x = F.max_pool2d(net.stage(x), 2)
    return net.last(x)


@pytest.mark.parametrize(
    ("name", "without"),
    [
        ("max_pool2d", lambda net, x: net.last(F.max_pool2d(net.stage(net.first(x)), 2))),
        ("max_pool2d:2", lambda net, x: net.last(net.stage(F.max_pool2d(net.first(x), 2)))),
        (
            "stage/avg_pool2d",
            lambda net, x: net.last(F.max_pool2d(net.stage.pool(net.stage.conv(F.max_pool2d(net.first(x), 2))), 2)),
        ),
    ],
)
def test_functions_are_counted_as_torch_fx_sees_them(name, without):
    model = Net(pooled_all_over, first=conv(3, 3), stage=Stage(), last=conv(3, 3))
    plan, after = plan_and_outcome(subject_of(model, 32), {name: None})
    image = torch.rand(2, 3, 32, 32)
    changed = plan.apply(model)
    assert torch.allclose(changed(image), without(model, image), atol=1e-6)
    assert after == outcome(changed, 32)


def test_where_sizes_cannot_be_followed_the_changed_model_is_analysed():
    def build(stride: int) -> Net:
        up = nn.Upsample(scale_factor=2)
        return Net(lambda net, x: net.last(net.up(net.first(x))).mean((2, 3)), first=conv(3, 4, 3, stride), up=up, last=conv(4, 4))

    subject = subject_of(build(2), 16)
    assert plan_and_outcome(subject, windows(subject, "first")) == (Plan((Assign("first", "stride", ONE),)), outcome(build(1), 16))


def test_a_forward_that_fails():
    model = nn.Sequential(conv(3, 4, 3, 2), nn.Flatten(), nn.Linear(64, 2))
    subject = subject_of(model, 8)
    with pytest.raises(FixError, match=f"^{re.escape('the changed model' + chr(39) + 's forward fails in 2: ')}"):
        plan_and_outcome(subject, windows(subject, "0"))
