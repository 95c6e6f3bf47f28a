from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from rfcheck import analyze
from rfcheck.config import Settings
from rfcheck.fixes.fix import Fix, Skipped
from rfcheck.fixes.remove_stem import propose, stem_of, tail_without_stem
from tests.fixes.networks import ResNet, chain, conv, subject_of
from tests.predictions import assert_as_predicted, outcome
from tests.zoo import torchvision_model


@pytest.mark.parametrize("size", [8, 16, (16, 12)])
def test_the_first_two_lose_their_stride(size):
    (fix,) = propose(subject_of(ResNet(kernel=7), size))
    assert isinstance(fix, Fix)
    assert (fix.name, fix.safe) == ("remove-stem", False)
    assert fix.description == "keep the resolution in the stem: conv becomes 3x3 with stride 1, pool is removed"
    assert_as_predicted(ResNet(kernel=7), fix, size)
    assert fix.predicted.after == outcome(ResNet(kernel=3, strides=(1, 1, 2)), size)


def test_all_other_parameters_keep_their_names():
    model = ResNet()
    (fix,) = propose(subject_of(model, 16))
    changed = fix.plan.apply(ResNet())
    missing, unexpected = changed.load_state_dict(model.state_dict(), strict=False)
    assert missing == ["conv.conv.weight", "conv.conv.bias"]
    assert unexpected == ["conv.weight", "conv.bias"]


@pytest.mark.parametrize("kind", [nn.Conv2d, nn.MaxPool2d])
def test_a_small_kernel_stays(kind):
    first = conv(3, 3, 3, 2) if kind is nn.Conv2d else nn.MaxPool2d(2)
    (fix,) = propose(subject_of(nn.Sequential(first, *(conv(3, 3) for _ in range(5))), 4))
    assert fix.description == f"keep the resolution in the stem: 0 {'gets stride 1' if kind is nn.Conv2d else 'is removed'}"


@pytest.mark.parametrize("pool", [nn.MaxPool1d(3, 2, 1), nn.AvgPool1d(2)], ids=repr)
def test_a_pooling_along_one_axis_goes(pool):
    def rest():
        return [nn.Conv1d(4, 4, 9, padding=4) for _ in range(4)]

    model = nn.Sequential(nn.Conv1d(1, 4, 7, 2, 3), pool, *rest())
    (fix,) = propose(subject_of(model, (1, 1, 48)))
    assert fix.description == "keep the resolution in the stem: 0 becomes 3 with stride 1, 1 is removed"
    assert_as_predicted(model, fix, (1, 1, 48))
    assert fix.predicted.after == outcome(nn.Sequential(nn.Conv1d(1, 4, 3, 1, 1), *rest()), (1, 1, 48))


def test_a_third_down_sampling_stays():
    model = nn.Sequential(conv(3, 3, 3, 2), conv(3, 3, 3, 2), conv(3, 3, 3, 2), conv(3, 3))
    (fix,) = propose(subject_of(model, 8))
    changed = assert_as_predicted(model, fix, 8)
    assert [layer.stride for layer in changed] == [(1, 1), (1, 1), (2, 2), (1, 1)]


class PooledByFunction(nn.Module):
    """A pooling without a module of its own, early in the network."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.fc = conv(3, 4), nn.Linear(4, 3)
        self.rest = nn.Sequential(*(conv(4, 4) for _ in range(6)))

    def forward(self, x):
        return self.fc(self.rest(F.max_pool2d(self.first(x), 2)).mean((2, 3)))


def test_poolings_that_are_functions_are_left_out():
    model = PooledByFunction()
    (fix,) = propose(subject_of(model, 8))
    assert fix.description == "keep the resolution in the stem: max_pool2d is removed"
    changed = assert_as_predicted(model, fix, 8)
    image = torch.rand(2, 3, 8, 8)
    assert torch.allclose(changed(image), model.fc(model.rest(model.first(image)).mean((2, 3))), atol=1e-6)


class Functional(nn.Module):
    """A strided convolution whose stride stands in the forward."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.body = conv(3, 3), nn.Sequential(*(conv(3, 3) for _ in range(5)))

    def forward(self, x):
        return self.body(F.conv2d(x, self.conv.weight, stride=2))


SKIPPED = {
    "nothing to gain": (ResNet(), 64, "every layer is productive"),
    "no stem": (chain(6), 8, "the first layers do not lower the resolution"),
    "not an attribute": (Functional(), 8, "the stride of conv2d is neither an attribute of a module nor that of a pooling"),
}


@pytest.mark.parametrize("case", SKIPPED)
def test_refusals_say_why(case):
    model, size, reason = SKIPPED[case]
    assert propose(subject_of(model, size)) == [Skipped("remove-stem", reason)]


def test_a_forward_that_needs_the_size():
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.features, self.fc = nn.Sequential(conv(3, 4, 3, 2), *(conv(4, 4) for _ in range(5))), nn.Linear(64, 2)

        def forward(self, x):
            return self.fc(self.features(x).flatten(1))

    (skipped,) = propose(subject_of(Tied(), 8))
    assert isinstance(skipped, Skipped)
    assert skipped.reason.startswith("the changed model's forward fails in fc: ")


@pytest.mark.parametrize("size", [8, 16, 32])
@pytest.mark.parametrize("kernel", [3, 5, 7])
def test_the_tail_without_the_stem(kernel, size):
    analysis = analyze(ResNet(kernel=kernel), size)
    without = analyze(ResNet(kernel=min(kernel, 3), strides=(1, 1, 2)), size)
    assert tail_without_stem(analysis.network, stem_of(analysis.network), analysis.settings) == len(without.tail)


def test_the_residual_network_for_small_images():
    model = torchvision_model("resnet18", num_classes=10)
    analysis = analyze(model, 32)
    assert [point.nodes for point in stem_of(analysis.network)] == [("conv1",), ("maxpool",)]
    model.conv1, model.maxpool = nn.Conv2d(3, 64, 3, 1, 1, bias=False, device="meta"), nn.Identity()
    assert tail_without_stem(analysis.network, stem_of(analysis.network), Settings()) == len(analyze(model, 32).tail)


def test_no_tail_to_speak_of_without_a_stem():
    network = analyze(chain(6), 8).network
    assert stem_of(network) == []
    assert tail_without_stem(network, stem_of(network), Settings()) is None
