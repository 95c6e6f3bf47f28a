"""Small networks that fixes are tried on, and how they are looked at."""

from __future__ import annotations

from collections.abc import Sequence

import networkx as nx
import torch
from torch import nn

from rfcheck import analyze
from rfcheck.config import Settings
from rfcheck.fixes.subject import Subject

Size = int | tuple[int, ...]


def subject_of(model: nn.Module, size: Size, **settings: object) -> Subject:
    """A model, analysed."""
    analysis = analyze(model, size, settings=settings)
    return Subject(analysis.model, analysis.network, Settings.of(settings))


def graph_of(model: nn.Module, size: Size) -> nx.DiGraph:
    """The traced graph of a model."""
    return analyze(model, size).graph


def conv(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> nn.Conv2d:
    """A convolution that keeps the size of its map but for the stride."""
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2)


class Block(nn.Module):
    """Two convolutions and a shortcut around them, projected where the channels change."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = conv(inputs, outputs, 3, stride)
        self.relu = nn.ReLU()
        self.conv2 = conv(outputs, outputs)
        self.shortcut = nn.Identity() if inputs == outputs else conv(inputs, outputs, 1, stride)

    def forward(self, x):
        return self.relu(self.conv2(self.relu(self.conv1(x))) + self.shortcut(x))


class ResNet(nn.Module):
    """A stem that divides the resolution by four, and two stages of residual blocks.

    At 16 px, the inputs of ``layer2.0.conv1`` and of ``layer2.1.conv2`` see 11 and 35 px along the shortest path; the last is the tail.
    """

    def __init__(self, classes: int = 4, strides: Sequence[int] = (2, 2, 2), kernel: int = 5) -> None:
        super().__init__()
        self.conv = conv(3, 4, kernel, strides[0])
        self.relu = nn.ReLU()
        self.pool = nn.MaxPool2d(2, 2) if strides[1] == 2 else nn.Identity()
        self.layer1 = nn.Sequential(Block(4, 4))
        self.layer2 = nn.Sequential(Block(4, 8, strides[2]), Block(8, 8))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(8, classes)

    def forward(self, x):
        x = self.pool(self.relu(self.conv(x)))
        x = self.layer2(self.layer1(x))
        return self.fc(torch.flatten(self.avgpool(x), 1))


def chain(convolutions: int, *, stride: int = 1, classes: int = 3) -> nn.Sequential:
    """3x3 convolutions, the first one strided, with a pooled head; all are called as modules.

    At 8 px without stride, the input of convolution ``n`` sees ``2n + 1`` px, counted from 0.
    """
    features = nn.Sequential(conv(3, 4, 3, stride), *(conv(4, 4) for _ in range(convolutions - 1)))
    return nn.Sequential(features, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, classes))


class Pipeline(nn.Module):
    """Convolutions one after the other, then whatever is done behind them."""

    def __init__(self, convolutions: int = 6, stride: int = 1, **modules: nn.Module) -> None:
        super().__init__()
        self.features = chain(convolutions, stride=stride)[0]
        for name, module in modules.items():
            setattr(self, name, module)

    def forward(self, x):
        return self.behind(self.features(x))

    def behind(self, x):
        return self.fc(torch.flatten(self.pool(x), 1))


def pipeline(convolutions: int = 6, *, behind=Pipeline.behind, stride: int = 1, **modules: nn.Module) -> Pipeline:
    """A model whose forward, behind its convolutions, is ``behind(self, x)``."""
    model_class = type("Net", (Pipeline,), {"behind": behind})
    defaults = {"pool": nn.AdaptiveAvgPool2d(1), "fc": nn.Linear(4, 3)}
    return model_class(convolutions, stride, **(modules or defaults))


def with_a_height(kernel: int, stride: int) -> nn.Module:
    """A series that goes through a convolution of maps."""
    convs = nn.Conv1d(1, 4, 1), nn.Unflatten(2, (1, -1)), nn.Conv2d(4, 4, (1, kernel), (1, stride), (0, kernel // 2))
    return nn.Sequential(*convs, nn.Flatten(2), nn.Conv1d(4, 4, 3, padding=1))
