"""Heads over flattened positions, against what torch says when the resolution changes."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from rfcheck import analyze
from rfcheck.analysis.head import FlattenedHead, flattened_head, output_classes
from tests.zoo import timm_model, torchvision_model


def head_of(model: nn.Module, size: int | tuple[int, ...] = 8) -> FlattenedHead | None:
    network = analyze(model, size).network
    return flattened_head(network.graph, network.roles)


def stem(channels: int = 4) -> nn.Conv2d:
    return nn.Conv2d(3, channels, 3, padding=1)


class Net(nn.Module):
    """A convolution, something in between, and linear layers."""

    def __init__(self, between, *linear: nn.Module) -> None:
        super().__init__()
        self.conv, self.between, self.fc = stem(), between, nn.Sequential(*linear)

    def forward(self, x):
        return self.fc(self.between(self.conv(x)))


class LeNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 6, 5, padding=2), nn.Conv2d(6, 16, 5)
        self.fc1, self.fc2, self.fc3 = nn.Linear(400, 120), nn.Linear(120, 84), nn.Linear(84, 10)

    def forward(self, x):
        x = F.avg_pool2d(torch.tanh(self.conv1(x)), 2)
        x = F.avg_pool2d(torch.tanh(self.conv2(x)), 2)
        return self.fc3(torch.tanh(self.fc2(torch.tanh(self.fc1(x.view(-1, 400))))))


def test_lenet():
    assert head_of(LeNet(), (1, 28, 28)) == FlattenedHead("fc1", "avg_pool2d:2", (5, 5))


TIED = {
    "flattened": (Net(nn.Flatten(), nn.Linear(256, 2)), FlattenedHead("fc.0", "conv", (8, 8))),
    "activation and dropout": (
        Net(nn.Sequential(nn.ReLU(), nn.Flatten(), nn.Dropout(0.5), nn.ReLU()), nn.Linear(256, 2)),
        FlattenedHead("fc.0", "between.0", (8, 8)),
    ),
    "whole map pooled": (
        Net(lambda x: F.avg_pool2d(x, 8).flatten(1), nn.Linear(4, 2)),
        FlattenedHead("fc.0", "avg_pool2d", (1, 1)),
    ),
    "whole map pooled, squeezed": (
        Net(lambda x: F.max_pool2d(x, 8).squeeze(3).squeeze(2), nn.Linear(4, 2)),
        FlattenedHead("fc.0", "max_pool2d", (1, 1)),
    ),
    "channels last": (Net(lambda x: x.permute(0, 2, 3, 1).flatten(1), nn.Linear(256, 2)), FlattenedHead("fc.0", "conv", (8, 8))),
    "two scales": (
        Net(lambda x: torch.cat([x.flatten(1), F.avg_pool2d(x, 2).flatten(1)], 1), nn.Linear(320, 2)),
        FlattenedHead("fc.0", "conv", (8, 8)),
    ),
    "one axis averaged": (Net(lambda x: x.mean(3).flatten(1), nn.Linear(32, 2)), FlattenedHead("fc.0", "conv", (8, 8))),
    "several linear layers": (
        Net(nn.Flatten(), nn.Linear(256, 8), nn.ReLU(), nn.Linear(8, 2)),
        FlattenedHead("fc.0", "conv", (8, 8)),
    ),
}

FREE = {
    "global mean": Net(lambda x: x.mean((2, 3)), nn.Linear(4, 2)),
    "global mean, flattened": Net(lambda x: x.mean((2, 3), keepdim=True).flatten(1), nn.Linear(4, 2)),
    "global pooling": Net(nn.Sequential(nn.AdaptiveMaxPool2d(1), nn.Flatten()), nn.Linear(4, 2)),
    "pooled to a grid": Net(nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.ReLU(), nn.Flatten()), nn.Linear(16, 2)),
    "pyramid": Net(
        lambda x: torch.cat([F.adaptive_avg_pool2d(x, n).flatten(1) for n in (1, 2, 4)], 1), nn.Linear(4 * (1 + 4 + 16), 2)
    ),
    "one position picked": Net(lambda x: x[:, :, 0, 0], nn.Linear(4, 2)),
    "every position by itself": Net(lambda x: x.permute(0, 2, 3, 1), nn.Linear(4, 2)),
}


@pytest.mark.parametrize("name", TIED)
def test_heads_that_fit_one_resolution(name):
    model, expected = TIED[name]
    assert head_of(model) == expected
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        model(torch.zeros(1, 3, 16, 16))


@pytest.mark.parametrize("name", FREE)
def test_heads_that_fit_any_resolution(name):
    assert head_of(FREE[name]) is None
    FREE[name](torch.zeros(1, 3, 16, 16))


class Autoencoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.code, self.wide = stem(), nn.Linear(256, 5), nn.Linear(5, 256)
        self.up = nn.ConvTranspose2d(4, 3, 3, padding=1)

    def forward(self, x):
        return self.up(self.wide(self.code(self.conv(x).flatten(1))).view(1, 4, 8, 8))


class Excited(nn.Module):
    """Weights of channels, made from all positions."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.weigh, self.last = stem(), nn.Linear(256, 4), nn.Conv2d(4, 3, 3)

    def forward(self, x):
        x = self.conv(x)
        return self.last(x * torch.sigmoid(self.weigh(x.flatten(1)))[:, :, None, None])


@pytest.mark.parametrize("model", [Autoencoder(), Excited()], ids=["autoencoder", "gate"])
def test_what_has_a_map_behind_it_is_no_head(model):
    assert head_of(model) is None


@pytest.mark.parametrize("name", ["alexnet", "vgg11", "resnet18", "googlenet", "squeezenet1_1", "vit_b_32", "swin_t", "mnasnet0_5"])
def test_published_networks_pool_adaptively_or_read_a_class_token(name):
    assert head_of(torchvision_model(name), 224) is None


def test_token_mixing_is_no_head():
    model, size = timm_model("mixer_s32_224")
    assert head_of(model, size) is None


@pytest.mark.parametrize(
    ("model", "classes"),
    [
        (Net(nn.Flatten(), nn.Linear(256, 7)), 7),
        (Net(nn.Flatten(), nn.Linear(256, 1)), None),
        (Net(lambda x: x), None),
        (Net(lambda x: (x.mean((2, 3)), x.amax((2, 3)))), None),
    ],
    ids=["vector", "one number", "map", "two vectors"],
)
def test_classes(model, classes):
    assert output_classes(analyze(model, 8).graph) == classes
