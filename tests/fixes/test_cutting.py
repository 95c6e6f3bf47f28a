from __future__ import annotations

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import fx, nn

from rfcheck.fixes.cutting import cut_at
from rfcheck.fixes.fix import Fix, Skipped
from rfcheck.fixes.places import places
from tests.fixes.networks import ResNet, Size, chain, conv, pipeline, subject_of
from tests.predictions import assert_as_predicted


def cut(model: nn.Module, size: Size = 8, at: int = 2, **settings: object) -> Fix | Skipped:
    subject = subject_of(model, size, **settings)
    return cut_at(subject, places(subject)[at], "shorter", "what it does")


POOL, FC = nn.AdaptiveAvgPool2d(1), nn.Linear(4, 3)


def beside(net, x):
    return net.fc(torch.cat([net.a(x), net.b(x)], 1).mean((2, 3)))


BY_MODULES = {
    "residual": (ResNet(), 16),
    "oblong": (ResNet(), (16, 24)),
    "functions": (pipeline(behind=lambda net, x: F.log_softmax(net.fc(x.relu().mean((2, 3))), 1), fc=FC), 8),
    "deep head": (
        pipeline(
            behind=lambda net, x: net.fc(F.relu(net.hidden(net.pool(x).flatten(1)))),
            pool=nn.AdaptiveMaxPool2d(1),
            hidden=nn.Linear(4, 9),
            fc=nn.Linear(9, 3),
        ),
        8,
    ),
    "flattened": (pipeline(behind=lambda net, x: net.fc(x.flatten(1)), fc=nn.Linear(256, 3)), 8),
    "a result that nothing reads": (pipeline(behind=lambda net, x: (x.softmax(1), net.fc(x.mean((2, 3))))[1], fc=FC), 8),
    "sequential": (chain(6), 8),
    "one flat sequence": (nn.Sequential(*chain(6)[0], POOL, nn.Flatten(), FC), 8),
}


@pytest.mark.parametrize("case", BY_MODULES)
def test_modules_are_replaced_and_the_outcome_is_that_of_the_changed_model(case):
    model, size = BY_MODULES[case]
    fix = cut(copy.deepcopy(model), size)
    assert isinstance(fix, Fix)
    assert (fix.name, fix.safe, fix.description, fix.plan.surgery) == ("shorter", False, "what it does", None)
    changed = assert_as_predicted(model, fix, size)
    assert changed(torch.rand(3, 3, 19, 17)).shape == model(torch.rand(3, 3, *fix.input_size)).shape


def tied() -> nn.Module:
    model = chain(6)
    model[0][1].weight = model[0][4].weight
    return model


class LooksAtValues(nn.Module):
    """Can only run on data."""

    def forward(self, x):
        return x * 1 if float(x.sum()) < 1e9 else -x


@pytest.mark.parametrize(
    ("model", "settings"),
    [(tied(), {}), (chain(6), {"flops_by": "fvcore"}), (nn.Sequential(LooksAtValues(), *chain(6)), {})],
)
def test_where_arithmetic_is_not_enough_the_changed_model_is_analysed(model, settings):
    fix = cut(model, **settings)
    assert isinstance(fix, Fix)
    assert fix.plan.surgery is None
    if not settings:
        assert_as_predicted(model, fix, 8)


BY_GRAPH = {
    "branches": pipeline(behind=beside, a=conv(4, 4), b=conv(4, 4), fc=nn.Linear(8, 3)),
    "a forward that counts images": pipeline(behind=lambda net, x: net.fc(net.pool(x).view(1, -1)), pool=POOL, fc=FC),
}


@pytest.mark.parametrize("case", BY_GRAPH)
def test_else_the_graph_is_cut(case):
    model = BY_GRAPH[case]
    fix = cut(model)
    assert isinstance(fix, Fix)
    assert fix.plan.surgery is not None
    changed = assert_as_predicted(model, fix, 8)
    assert isinstance(changed, fx.GraphModule)
    assert changed(torch.rand(3, 3, 19, 17)).shape == (3, 3)


def branching(net, x):
    return beside(net, x) if x.sum() > -1e9 else x


SKIPPED = {
    "a map": (chain(6)[0], "the head is not recognised: the model returns one tensor (1x4x8x8), not classes; "
                           "its last operators are convolution, convolution, convolution, convolution"),
    "several results": (
        pipeline(behind=lambda net, x: (net.fc(x.mean((2, 3))), x), fc=FC),
        "the head is not recognised: the model returns 2 tensors (1x3, 1x4x8x8), not classes; "
        "its last operators are convolution, convolution, mean, addmm",
    ),
    "one class": (
        chain(6, classes=1),
        "the head is not recognised: the model returns one tensor (1x1), not classes; its last operators are convolution, mean, view, addmm",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SKIPPED)
def test_heads_that_are_not_recognised(case):
    model, reason = SKIPPED[case]
    assert cut(model) == Skipped("shorter", reason)


def test_neither_modules_nor_graph():
    model = pipeline(behind=branching, a=conv(4, 4), b=conv(4, 4), fc=nn.Linear(8, 3))
    found = cut(model)
    assert isinstance(found, Skipped)
    reason = found.reason
    assert reason.startswith("modules cannot be replaced (")
    assert "), and the graph cannot be cut (torch.fx cannot follow Net.forward: symbolically traced variables" in reason
