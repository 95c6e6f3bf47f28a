from __future__ import annotations

import re

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from rfcheck.errors import FixError
from rfcheck.fixes.fix import Plan
from rfcheck.fixes.measuring import counts_by_formula, measured
from rfcheck.fixes.parts import IDENTITY, Part
from rfcheck.fixes.steps import Assign, Replace, Shorten
from tests.fixes.networks import ResNet, chain, subject_of
from tests.predictions import outcome

PLAN = Plan((Replace("pool", IDENTITY), Assign("conv", "stride", (1, 1)), Shorten("layer2", 1)))


def test_the_changed_model_is_analysed():
    model = ResNet()
    before = model.state_dict(keep_vars=True)
    found = measured(subject_of(model, 16), PLAN)
    really = ResNet(strides=(1, 1, 2))
    really.layer2 = really.layer2[:1]
    assert found == outcome(really, 16)
    after = model.state_dict(keep_vars=True)
    assert all(after[name] is tensor for name, tensor in before.items())
    assert isinstance(model.pool, nn.MaxPool2d)


def test_models_without_data():
    with torch.device("meta"):
        model = ResNet()
    assert measured(subject_of(model, 16), PLAN) == measured(subject_of(ResNet(), 16), PLAN)


def test_settings_decide_as_in_an_analysis():
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU())
    plan = Plan((Replace("2", IDENTITY),))
    by_torch, by_fvcore = (measured(subject_of(model, 8, flops_by=by), plan).flops for by in ("torch", "fvcore"))
    assert by_torch == 6 * 6 * 27 * 4
    assert by_fvcore > by_torch  # fvcore counts normalisation


class Tied(nn.Module):
    """Takes maps of six positions per axis only."""

    def forward(self, x):
        if x.shape[-1] != 6:
            raise ValueError(f"six positions,\n   not {x.shape[-1]}")
        return x


class Uncopyable(nn.Module):
    def forward(self, x):
        return F.relu(x)

    def __deepcopy__(self, memo):
        raise ValueError("only one of a kind")


@pytest.mark.parametrize(
    ("model", "plan", "message"),
    [
        (Uncopyable(), Plan(), "the model cannot be copied: ValueError: only one of a kind"),
        (
            nn.Sequential(nn.Conv2d(3, 4, 3), Tied()),
            Plan((Replace("0", Part("Conv2d", (3, 4, 5))),)),
            "the changed model's forward fails in 1: six positions, not 4",
        ),
    ],
)
def test_what_cannot_be_measured(model, plan, message):
    with pytest.raises(FixError, match=f"^{re.escape(message)}$"):
        measured(subject_of(model, 8), plan)


class Standardised(nn.Conv2d):
    """A convolution that computes on its weight alone."""

    def forward(self, x):
        return F.conv2d(x, F.conv2d(self.weight, torch.ones(3, 3, 1, 1, device=self.weight.device)))


@pytest.mark.parametrize(
    ("model", "flops_by", "by_formula"),
    [
        (chain(2), "torch", True),
        (chain(2), "fvcore", False),
        (nn.Sequential(Standardised(3, 3, 3)), "torch", False),
    ],
)
def test_whether_costs_follow_from_the_graph(model, flops_by, by_formula):
    assert counts_by_formula(subject_of(model, 8, flops_by=flops_by)) is by_formula
