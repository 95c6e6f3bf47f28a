"""A small residual network with squeeze-and-excitation.

The twenty-layer residual network for CIFAR of He et al., "Deep Residual Learning for Image Recognition" (2016), with 1x1
projections, and with the gates of Hu et al., "Squeeze-and-Excitation Networks" (2018): each block pools its output globally,
computes a weight per channel through two 1x1 convolutions and a sigmoid, and multiplies the output by it. A gate has seen the
whole image, but only re-weights channels; it moves no information between positions. Expect its layers to be told apart from
the feature path, and the receptive fields of that path to be those of the same network without gates. At 32x32, the largest
path sees more than the image at the end of the second stage, but shortcuts keep all layers productive, and there is no tail.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class SqueezeExcitation(nn.Module):
    """Weights the channels of a feature map by what is in all of it."""

    def __init__(self, channels: int, reduction: int) -> None:
        """Build the gate.

        Args:
            channels: channels of the feature map.
            reduction: how many times fewer channels the hidden layer has.
        """
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.squeeze = nn.Conv2d(channels, channels // reduction, kernel_size=1)
        self.relu = nn.ReLU(inplace=True)
        self.excite = nn.Conv2d(channels // reduction, channels, kernel_size=1)
        self.sigmoid = nn.Sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, channels, H, W) to the same shape."""
        weights: Tensor = self.sigmoid(self.excite(self.relu(self.squeeze(self.pool(x)))))  # (N, channels, 1, 1)
        return x * weights


class SEBlock(nn.Module):
    """A residual block of two 3x3 convolutions, gated before it is added to the shortcut."""

    def __init__(self, in_channels: int, channels: int, stride: int) -> None:
        """Build the block.

        Args:
            in_channels: channels of the input.
            channels: channels of the output.
            stride: of the first convolution, and of the 1x1 projection on the shortcut where one is needed.
        """
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels, kernel_size=3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(channels, channels, kernel_size=3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.se = SqueezeExcitation(channels, reduction=8)
        self.downsample: nn.Sequential | None = None
        if stride != 1 or in_channels != channels:
            self.downsample = nn.Sequential(
                nn.Conv2d(in_channels, channels, kernel_size=1, stride=stride, bias=False),
                nn.BatchNorm2d(channels),
            )

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in_channels, H, W) to (N, channels, H / stride, W / stride)."""
        identity = x if self.downsample is None else self.downsample(x)
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.se(self.bn2(self.conv2(out)))
        result: Tensor = self.relu(out + identity)
        return result


def _make_stage(in_channels: int, channels: int, stride: int) -> nn.Sequential:
    """Three blocks, the first of which down-samples."""
    return nn.Sequential(SEBlock(in_channels, channels, stride), SEBlock(channels, channels, 1), SEBlock(channels, channels, 1))


class SENet(nn.Module):
    """A residual network of twenty layers with squeeze-and-excitation."""

    def __init__(self, num_classes: int = 10) -> None:
        """Build the network.

        Args:
            num_classes: length of the output.
        """
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, kernel_size=3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.relu = nn.ReLU(inplace=True)
        self.stage1 = _make_stage(16, 16, stride=1)
        self.stage2 = _make_stage(16, 32, stride=2)
        self.stage3 = _make_stage(32, 64, stride=2)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(64, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Map images (N, 3, H, W) to logits (N, num_classes)."""
        x = self.relu(self.bn1(self.conv1(x)))  # (N, 16, H, W)
        x = self.stage3(self.stage2(self.stage1(x)))  # (N, 64, H / 4, W / 4)
        logits: Tensor = self.fc(torch.flatten(self.avgpool(x), 1))
        return logits
