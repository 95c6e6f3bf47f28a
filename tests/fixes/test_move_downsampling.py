from __future__ import annotations

import contextlib
import itertools

import pytest
import torch.nn.functional as F
from torch import nn

from rfcheck.errors import TraceError
from rfcheck.fixes.fix import Fix, Skipped
from rfcheck.fixes.move_downsampling import propose
from rfcheck.fixes.outcome import Outcome
from tests.fixes.networks import ResNet, chain, conv, subject_of
from tests.predictions import assert_as_predicted, outcome, shapes


def fixes(model: nn.Module, size: int | tuple[int, ...]) -> list[Fix]:
    found = propose(subject_of(model, size))
    assert all(isinstance(fix, Fix) for fix in found), found
    return [fix for fix in found if isinstance(fix, Fix)]


def staged(*strides: int, layers: int = 2) -> nn.Sequential:
    """Stages of convolutions and activations, the first convolution of each strided, then a head."""
    stages: list[nn.Module] = []
    for stride in strides:
        convolutions = [layer for i in range(layers) for layer in (conv(3, 3, 3, stride if i == 0 else 1), nn.ReLU())]
        stages.append(nn.Sequential(*convolutions))
    return nn.Sequential(*stages, nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2)))


def every_combination(strides: tuple[int, ...], layers: int, size: int) -> list[Outcome]:
    """The outcomes of all ways to keep, drop or shift each stride to the end of its stage, each built and analysed."""
    found = []
    for choices in itertools.product(("keep", "drop", "shift"), repeat=len(strides)):
        model = staged(*(s if choice == "keep" else 1 for s, choice in zip(strides, choices, strict=True)), layers=layers)
        for index, (stride, choice) in enumerate(zip(strides, choices, strict=True)):
            if choice == "shift":
                model[index].append(nn.MaxPool2d(stride))
        with contextlib.suppress(TraceError):  # a pooling may be larger than its map
            found.append(outcome(model, size))
    return found


@pytest.mark.parametrize(
    ("strides", "layers", "size"), [((2, 2), 2, 8), ((2, 2), 3, 12), ((2, 2, 2), 2, 16), ((4, 2), 3, 12), ((4, 2), 2, 16)]
)
def test_no_combination_has_a_smaller_tail_or_the_same_for_less(strides, layers, size):
    model = staged(*strides, layers=layers)
    combinations = every_combination(strides, layers, size)
    now = outcome(model, size)
    found = fixes(model, size)
    assert 1 <= len(found) <= 3
    assert [fix.name for fix in found] == ["move-downsampling", "move-downsampling-2", "move-downsampling-3"][: len(found)]
    tails = [fix.predicted.after.tail_layers for fix in found]
    assert tails == sorted(set(tails))
    assert tails[0] == min(combination.tail_layers for combination in combinations) < now.tail_layers
    for fix in found:
        after = fix.predicted.after
        assert after.flops == min(c.flops for c in combinations if c.tail_layers <= after.tail_layers)
        changed = assert_as_predicted(model, fix, size)
        assert shapes(changed) == shapes(model)
        assert not fix.safe


def test_down_sampling_behind_a_stage():
    model = staged(4, 2)
    (fix,) = fixes(model, 16)
    assert fix.description == "lower the resolution behind 0 instead of in 0.0"
    changed = assert_as_predicted(model, fix, 16)
    assert list(changed[0]._modules) == ["0", "1", "2", "3", "downsample"]
    assert repr(changed[0].downsample) == repr(nn.MaxPool2d(4))


class Flat(nn.Module):
    """Modules that no nn.Sequential holds."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.act, self.last = conv(3, 3, 3, 4), conv(3, 3), nn.Tanh(), conv(3, 3, 3, 2)
        self.fc = nn.Linear(3, 2)

    def forward(self, x):
        return self.fc(self.last(self.act(self.second(self.first(x)))).mean((2, 3)))


def test_a_pooling_is_put_around_a_module_without_parameters():
    model = Flat()
    (fix,) = fixes(model, 8)
    assert fix.description == "lower the resolution behind act instead of in first"
    changed = assert_as_predicted(model, fix, 8)
    assert shapes(changed) == shapes(model)
    assert repr(changed.act) == repr(nn.Sequential(nn.Tanh(), nn.MaxPool2d(4)))


def test_a_residual_block_changes_with_its_projection():
    (fix,) = fixes(ResNet(), 16)
    assert fix.description == "keep the resolution in layer2.0.conv1"
    assert [step.lines(ResNet())[0] for step in fix.plan.steps] == [
        "model.layer2[0].conv1.stride = (1, 1)",
        "model.layer2[0].shortcut.stride = (1, 1)",
    ]
    assert fix.predicted.after == outcome(ResNet(strides=(2, 2, 1)), 16)


@pytest.mark.parametrize("size", [(8, 12), (6, 10)])
def test_axes_may_differ(size):
    model = staged(2, 2, 2)
    for fix in fixes(model, size):
        assert_as_predicted(model, fix, size)


class Upsampling(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.down, self.body = conv(3, 3, 3, 2), nn.Sequential(*(conv(3, 3) for _ in range(6)))

    def forward(self, x):
        return self.body(F.interpolate(self.down(x), scale_factor=2))


class Functional(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.body = conv(3, 3), nn.Sequential(*(conv(3, 3) for _ in range(5)))

    def forward(self, x):
        return self.body(F.conv2d(x, self.conv.weight, stride=2))


class Tied(nn.Module):
    """A head for one size, and no place for another pooling."""

    def __init__(self, act: nn.Module) -> None:
        super().__init__()
        self.a, self.b, self.c, self.act, self.d = conv(3, 3, 3, 2), conv(3, 3), conv(3, 3), act, conv(3, 3)
        self.fc = nn.Linear(48, 2)

    def forward(self, x):
        return self.fc(self.d(self.act(self.c(self.b(self.a(x))))).flatten(1))


SKIPPED = {
    "no tail": (ResNet(), 64, "the network has no tail"),
    "no down-sampling": (chain(6), 8, "the network has no down-sampling that can be changed from outside"),
    "no module": (Functional(), 8, "the network has no down-sampling that can be changed from outside"),
    "nothing gained": (ResNet(), 4, "no combination of its down-sampling points gives a smaller tail"),
    "up-sampling": (
        Upsampling(),
        4,
        "sizes cannot be followed through the network: upsample_nearest2d (upsample_nearest2d) is not followed",
    ),
}


@pytest.mark.parametrize("case", SKIPPED)
def test_refusals_say_why(case):
    model, size, reason = SKIPPED[case]
    assert propose(subject_of(model, size)) == [Skipped("move-downsampling", reason)]


def test_a_head_for_one_size_leaves_what_keeps_that_size():
    (skipped,) = propose(subject_of(Tied(nn.PReLU()), 8))
    assert isinstance(skipped, Skipped)
    assert skipped.reason.startswith("the changed model's forward fails in fc: ")
    (fix,) = propose(subject_of(Tied(nn.ReLU()), 8))
    assert isinstance(fix, Fix)
    assert fix.description == "lower the resolution behind act instead of in a"


@pytest.mark.parametrize(("strides", "size"), [((2, 2, 2), 16), ((4, 2), 12)])
def test_the_smallest_tail_comes_first_and_the_cheapest_last(strides, size):
    model = staged(*strides, layers=3)
    found = [fix.predicted.after for fix in fixes(model, size)]
    assert len(found) == 3
    assert [after.flops for after in found] == sorted({after.flops for after in found}, reverse=True)
    assert [after.tail_layers for after in found] == sorted({after.tail_layers for after in found})


def test_a_pooling_that_saves_nothing_is_not_put_in():
    (fix,) = fixes(chain(8, stride=2), 8)
    assert fix.description == "keep the resolution in 0.0"
