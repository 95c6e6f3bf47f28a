from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from rfcheck.fixes.fix import Fix, Skipped
from rfcheck.fixes.pool_head import propose
from tests.fixes.networks import ResNet, chain, pipeline, subject_of
from tests.predictions import assert_as_predicted


def vgg() -> nn.Module:
    """Features, a pooling with a window, a flattened map and a head of three layers."""
    return pipeline(
        behind=lambda net, x: net.classifier(torch.flatten(net.pool(x), 1)),
        pool=nn.MaxPool2d(2),
        classifier=nn.Sequential(nn.Linear(64, 9), nn.ReLU(), nn.Dropout(), nn.Linear(9, 3)),
    )


TIED = {
    "modules": (vgg(), "classifier.0"),
    "functions": (pipeline(behind=lambda net, x: net.fc(F.relu(x).flatten(1)), fc=nn.Linear(256, 3)), "fc"),
    "one sequence": (nn.Sequential(chain(2)[0], nn.Flatten(), nn.Linear(256, 3)), "2"),
}


@pytest.mark.parametrize("case", TIED)
def test_the_model_is_freed_from_its_resolution(case):
    model, linear = TIED[case]
    with pytest.raises(RuntimeError):
        model(torch.rand(1, 3, 10, 12))
    (fix,) = propose(subject_of(model, 8))
    assert isinstance(fix, Fix)
    assert (fix.name, fix.safe) == ("pool-head", False)
    assert fix.description.startswith(f"replace {linear} and what follows ")
    assert fix.description.endswith(" by global average pooling and a linear layer")
    changed = assert_as_predicted(model, fix, 8)
    for size in ((8, 8), (10, 12), (31, 7)):
        assert changed(torch.rand(2, 3, *size)).shape == (2, 3)
    assert propose(subject_of(changed, 8)) == [Skipped("pool-head", "the head is not tied to one resolution")]


@pytest.mark.parametrize("model", [ResNet(), chain(3), chain(3)[0]])
def test_other_heads_stay(model):
    assert propose(subject_of(model, 16)) == [Skipped("pool-head", "the head is not tied to one resolution")]


class Branches(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.left, self.right, self.fc = nn.Conv2d(3, 2, 3), nn.Conv2d(3, 2, 3), nn.Linear(144, 2)

    def forward(self, x):
        return self.fc(torch.cat([self.left(x), self.right(x)], 1).flatten(1))


def test_without_a_place_before_the_head():
    (skipped,) = propose(subject_of(Branches(), 8))
    assert skipped == Skipped("pool-head", "no single tensor carries everything at a module's end before fc")
