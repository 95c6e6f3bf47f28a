"""The networks of Richter 2022, figure 64, with their filters divided by a number so that a CPU can train them.

VGG of Simonyan and Zisserman 2015 with batch normalisation, global average pooling and one linear layer, as in section 9.3 of
the thesis; ResNet of He et al. 2016 with the stem for large images; MPNet as in the examples of this repository.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

VGG = {
    11: ((64,), (128,), (256, 256), (512, 512), (512, 512)),
    16: ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512)),
    19: ((64, 64), (128, 128), (256,) * 4, (512,) * 4, (512,) * 4),
}
RESNET = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3)}
MPNET = {18: (2, 2, 2), 36: (4, 1, 2)}
"""Blocks per stage, and layers of the 3x3 and of the 7x7 path of a block."""


class ConvLayer(nn.Sequential):
    """A convolution with same padding, batch normalisation and ReLU."""

    def __init__(self, in_channels: int, channels: int, kernel: int = 3, stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(in_channels, channels, kernel, stride, kernel // 2, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
        )


class Classifier(nn.Module):
    """Feature layers, global average pooling and a linear layer."""

    def __init__(self, features: nn.Sequential, channels: int, classes: int = 10) -> None:
        super().__init__()
        self.features = features
        self.fc = nn.Linear(channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Map images (N, 3, H, W) to logits (N, classes)."""
        logits: Tensor = self.fc(self.features(x).mean((2, 3)))
        return logits


class Residual(nn.Module):
    """Two 3x3 convolutions with a shortcut around them."""

    def __init__(self, in_channels: int, channels: int, stride: int) -> None:
        super().__init__()
        self.first = ConvLayer(in_channels, channels, 3, stride)
        self.second = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or in_channels != channels:
            self.shortcut = nn.Sequential(nn.Conv2d(in_channels, channels, 1, stride, bias=False), nn.BatchNorm2d(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in_channels, H, W) to (N, channels, H / stride, W / stride)."""
        return relu(self.norm(self.second(self.first(x))) + self.shortcut(x))


class MultiPath(nn.Module):
    """A path of 3x3 convolutions beside a path of 7x7 convolutions, joined by addition."""

    def __init__(self, in_channels: int, channels: int, stride: int, layers: tuple[int, int]) -> None:
        super().__init__()
        self.narrow, self.wide = (
            nn.Sequential(*(ConvLayer(channels if i else in_channels, channels, k, 1 if i else stride) for i in range(count)))
            for k, count in zip((3, 7), layers, strict=True)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in_channels, H, W) to (N, channels, H / stride, W / stride)."""
        joined: Tensor = self.narrow(x) + self.wide(x)
        return joined


def vgg(depth: int, divisor: int = 1) -> nn.Module:
    """VGG-11, 16 or 19 with its filters divided by a number."""
    layers: list[nn.Module] = []
    channels = 3
    for group in VGG[depth]:
        for wanted in group:
            layers.append(ConvLayer(channels, channels := wanted // divisor))
        layers.append(nn.MaxPool2d(2))
    return Classifier(nn.Sequential(*layers), channels)


def resnet(depth: int, divisor: int = 1) -> nn.Module:
    """ResNet-18 or 34 with its filters divided by a number."""
    channels = 64 // divisor
    layers: list[nn.Module] = [ConvLayer(3, channels, 7, 2), nn.MaxPool2d(3, 2, 1)]
    for stage, blocks in enumerate(RESNET[depth]):
        for block in range(blocks):
            wanted = (64 << stage) // divisor
            layers.append(Residual(channels, wanted, 2 if block == 0 and stage else 1))
            channels = wanted
    return Classifier(nn.Sequential(*layers), channels)


def mpnet(depth: int, divisor: int = 1) -> nn.Module:
    """MPNet18 or 36 with its filters divided by a number."""
    blocks, *paths = MPNET[depth]
    channels = 64 // divisor
    layers: list[nn.Module] = [ConvLayer(3, channels)]
    for stage in range(4):
        for block in range(blocks):
            wanted = (64 << stage) // divisor
            layers.append(MultiPath(channels, wanted, 1 if block else 2, (paths[0], paths[1])))
            channels = wanted
    return Classifier(nn.Sequential(*layers), channels)


if __name__ == "__main__":
    for build, depths in ((vgg, VGG), (resnet, RESNET), (mpnet, MPNET)):
        for depth in depths:
            model = build(depth)
            print(build.__name__, depth, sum(p.numel() for p in model.parameters()), tuple(model(torch.zeros(2, 3, 32, 32)).shape))
