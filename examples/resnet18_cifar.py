"""ResNet-18 with its ImageNet stem, on small images.

The architecture of He et al., "Deep Residual Learning for Image Recognition" (2016), with ten classes. Its stem, a 7x7
convolution and a max pooling with stride 2 each, was made for 224x224 images, and makes the receptive field grow four times as
fast in all layers behind it. At 32x32, the largest path sees more than the image from the end of the first stage on. Shortcuts
keep some layers behind that productive, but in the third stage a tail begins that runs to the end and holds most of the
parameters; the last stage ends on a 1x1 map, where 3x3 kernels read little but padding. At 224x224 there is no tail.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut around them."""

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
        out = self.bn2(self.conv2(out))
        result: Tensor = self.relu(out + identity)
        return result


def _make_layer(in_channels: int, channels: int, stride: int) -> nn.Sequential:
    """One stage: two blocks, the first of which down-samples."""
    return nn.Sequential(BasicBlock(in_channels, channels, stride), BasicBlock(channels, channels, 1))


class ResNet18(nn.Module):
    """ResNet-18 with a stem for large images."""

    def __init__(self, num_classes: int = 10) -> None:
        """Build the network.

        Args:
            num_classes: length of the output.
        """
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, kernel_size=7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        self.layer1 = _make_layer(64, 64, stride=1)
        self.layer2 = _make_layer(64, 128, stride=2)
        self.layer3 = _make_layer(128, 256, stride=2)
        self.layer4 = _make_layer(256, 512, stride=2)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(512, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Map images (N, 3, H, W) to logits (N, num_classes)."""
        x = self.relu(self.bn1(self.conv1(x)))  # (N, 64, H / 2, W / 2)
        x = self.maxpool(x)  # (N, 64, H / 4, W / 4)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))  # (N, 512, H / 32, W / 32)
        logits: Tensor = self.fc(torch.flatten(self.avgpool(x), 1))
        return logits
