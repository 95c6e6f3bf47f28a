from __future__ import annotations

import re

import pytest
import torch
from torch import nn

from rfcheck.errors import FixError
from rfcheck.fixes.applying import changed_copy
from rfcheck.fixes.fix import Fix, Plan, Prediction
from rfcheck.fixes.outcome import Outcome
from rfcheck.fixes.parts import IDENTITY, Part
from rfcheck.fixes.snippet import NOTHING
from rfcheck.fixes.steps import Append, Assign, Replace, Shorten, Step, run_steps
from tests.fixes.networks import ResNet, chain, subject_of
from tests.predictions import outcome

SHAPE = (1, 3, 16, 16)


def fix_of(*steps: Step, size: tuple[int, ...] = (16, 16), after: Outcome | None = None) -> Fix:
    before = subject_of(chain(1), 8).before
    return Fix("shorter", False, "", NOTHING, Prediction(before, after or before), Plan(steps), size)


STEPS = (
    Shorten("layer2", 1),
    Assign("layer2.0.conv2", "stride", (1, 1)),
    Replace("relu", IDENTITY),
    Replace("fc", Part("Linear", (8, 2))),
)


AFTER = outcome(run_steps(ResNet(), STEPS), 16)


@pytest.mark.parametrize("training", [True, False])
def test_the_copy_is_changed_and_shares_nothing_with_the_model(training):
    model = ResNet().train(training)
    before = {name: (tensor, tensor.clone()) for name, tensor in model.state_dict().items()}
    modules = list(model.modules())
    changed = changed_copy(model, fix_of(*STEPS, after=AFTER), SHAPE)
    assert changed(torch.rand(2, *SHAPE[1:])).shape == (2, 2)
    assert {module.training for module in changed.modules()} == {training}
    with torch.no_grad():
        for tensor in changed.state_dict().values():
            tensor.zero_()
    assert all(now is then for now, then in zip(model.modules(), modules, strict=True))
    for name, tensor in model.state_dict().items():
        assert tensor.data_ptr() == before[name][0].data_ptr()
        assert tensor.equal(before[name][1])


def test_weights_that_stay_are_copied():
    model = ResNet()
    changed = changed_copy(model, fix_of(*STEPS, after=AFTER), SHAPE)
    theirs = model.state_dict()
    kept = [name for name in changed.state_dict() if not name.startswith("fc")]
    assert len(kept) == 2 + 4 + 6
    assert all(changed.state_dict()[name].equal(theirs[name]) for name in kept)


class Uncopyable(nn.Module):
    def forward(self, x):
        return x

    def __deepcopy__(self, memo):
        raise ValueError("only one of a kind")


REFUSED = {
    "size": (
        ResNet(),
        fix_of(size=(32, 32)),
        "shorter was made for 32x32 px, not 16x16; analyse the model at 16x16 px and take the fix from there",
    ),
    "copy": (Uncopyable(), fix_of(), "the model cannot be copied: ValueError: only one of a kind"),
    "module": (
        chain(2),
        fix_of(Assign("0.5", "stride", (1, 1))),
        "shorter was made for another model: Sequential has no attribute `5`",
    ),
    "prediction": (
        ResNet(),
        fix_of(*STEPS),
        "shorter was carried out, but the result is not what was predicted: the model is not the one analysed",
    ),
    "result": (
        ResNet(),
        fix_of(Replace("avgpool", IDENTITY)),
        "shorter was carried out, but the changed model's forward fails in fc: a and b must have same reduction dim, but got [1, 32] X [8, 4].",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals_say_why(case):
    model, fix, message = REFUSED[case]
    before = repr(model)
    with pytest.raises(FixError, match=f"^{re.escape(message)}(: RuntimeError: .*)?$"):
        changed_copy(model, fix, SHAPE)
    assert repr(model) == before


def test_initial_values_come_from_torchs_random_state():
    step = Append("layer2", "extra", Part("Conv2d", (8, 8, 1)))
    fix = fix_of(step, after=outcome(run_steps(ResNet(), [step]), 16))
    model = ResNet()
    torch.manual_seed(1)
    first = changed_copy(model, fix, SHAPE).layer2.extra.weight
    torch.manual_seed(1)
    assert changed_copy(model, fix, SHAPE).layer2.extra.weight.equal(first)
    assert not changed_copy(model, fix, SHAPE).layer2.extra.weight.equal(first)
