from __future__ import annotations

import copy
from dataclasses import FrozenInstanceError

import pytest
import torch
from torch import nn

from rfcheck.fixes.fix import Fix, Plan, Prediction, Skipped, proposed
from rfcheck.fixes.parts import IDENTITY, Part
from rfcheck.fixes.steps import Assign, Replace
from rfcheck.fixes.surgery import plan_cut
from tests.fixes.networks import ResNet, subject_of
from tests.predictions import outcome

STEPS = (Assign("layer2.0.conv1", "stride", (1, 1)), Assign("layer2.0.shortcut", "stride", (1, 1)), Replace("pool", IDENTITY))


def test_a_plan_of_steps():
    model = ResNet()
    assert Plan(STEPS).apply(model) is model
    assert outcome(model, 16) == outcome(ResNet(strides=(2, 1, 1)), 16)
    assert Plan(STEPS).snippet(ResNet()).text == (
        "from torch import nn\n\n"
        "model.layer2[0].conv1.stride = (1, 1)\nmodel.layer2[0].shortcut.stride = (1, 1)\nmodel.pool = nn.Identity()\n"
    )


def test_steps_come_before_surgery():
    model = ResNet()
    cut = plan_cut(model, "layer1", 0, 4, 3, 2)
    plan = Plan(STEPS[2:], cut)
    changed = plan.apply(copy.deepcopy(model))
    assert [name for name, _ in changed.named_children()] == ["conv", "relu", "pool", "layer1", "new_head"]
    assert isinstance(changed.pool, nn.Identity)
    names = {"model": copy.deepcopy(model)}
    exec(plan.snippet(model).text, names)
    assert outcome(names["model"], 16) == outcome(changed, 16)
    assert changed(torch.rand(2, 3, 16, 16)).shape == (2, 3)


def test_a_proposed_fix():
    subject = subject_of(ResNet(), (16, 20))
    plan = Plan((Replace("fc", Part("Linear", (8, 4))),))
    fix = proposed(subject, "name", plan, subject.before, "what it does", safe=True)
    assert fix == Fix(
        "name",
        True,
        "what it does",
        plan.snippet(subject.model),
        Prediction(subject.before, subject.before),
        plan,
        (16, 20),
        shape=(1, 3, 16, 20),
        held=subject.network.graph.graph["input_axes"],
    )
    assert fix.code == "from torch import nn\n\nmodel.fc = nn.Linear(8, 4)\n"
    assert repr(fix).startswith("Fix(name='name', safe=True, description='what it does', predicted=Prediction(before=Outcome(")
    assert "Linear" not in repr(fix)


def test_fixes_do_not_change():
    with pytest.raises(FrozenInstanceError):
        Skipped("name", "reason").reason = "another"
