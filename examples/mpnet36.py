"""MPNet36, a network of parallel paths with different kernel sizes; the deep variant.

The architecture of Richter, "Towards Efficient Convolutional Neural Architecture Design" (2022), section 10.2 and figure 58,
where it serves as a simple model of networks with several paths. Four stages of four blocks, twice as many as in MPNet18; the
filters double from stage to stage, and the first layers of a stage have stride 2. A block adds the outputs of a 3x3 path and a
7x7 path with different numbers of layers, to set the smallest and the largest receptive field further apart; every convolution
has same padding, batch normalisation and ReLU. The text does not give these numbers, nor a layer count. Chosen here are one 3x3
convolution beside two 7x7 convolutions: the longer path has the larger kernels, and keeps the two layers per block that the
count of MPNet18 implies. With the stem and the linear layer this makes 34 along the 7x7 path, 18 along the 3x3 path, and 1 + 4
x 4 x 3 + 1 = 50 in all; no number of layers per block makes exactly the 36 of the name, as sixteen equal blocks between two
shared layers cannot add up to it. Also left open, and chosen as in MPNet18: a stem of one 3x3 convolution with stride 1, 64
filters in the first stage, ReLU before the addition and none behind it, and global average pooling. At 32x32, expect the
largest path to have left the image early in the first stage, and the smallest one to follow late in the second, as in MPNet18:
blocks that widen only the largest path do not move that border much.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

_BLOCKS_PER_STAGE = 4
_LAYERS_3X3 = 1
_LAYERS_7X7 = 2


class ConvLayer(nn.Sequential):
    """A convolution with same padding, batch normalisation and ReLU."""

    def __init__(self, in_channels: int, channels: int, kernel_size: int, stride: int) -> None:
        """Build the layer.

        Args:
            in_channels: channels of the input.
            channels: channels of the output.
            kernel_size: odd extent of the kernel.
            stride: of the convolution.
        """
        super().__init__(
            nn.Conv2d(in_channels, channels, kernel_size, stride=stride, padding=kernel_size // 2, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
        )


class MultiPathBlock(nn.Module):
    """A path of 3x3 convolutions beside a path of 7x7 convolutions, joined by addition."""

    def __init__(self, in_channels: int, channels: int, stride: int) -> None:
        """Build the block.

        Args:
            in_channels: channels of the input.
            channels: channels of the output.
            stride: of the first layer of each path.
        """
        super().__init__()
        self.path3x3 = _make_path(in_channels, channels, 3, stride, _LAYERS_3X3)
        self.path7x7 = _make_path(in_channels, channels, 7, stride, _LAYERS_7X7)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in_channels, H, W) to (N, channels, H / stride, W / stride)."""
        result: Tensor = self.path3x3(x) + self.path7x7(x)
        return result


def _make_path(in_channels: int, channels: int, kernel_size: int, stride: int, layers: int) -> nn.Sequential:
    """A sequence of layers with equal kernels, the first of which takes the stride."""
    rest = (ConvLayer(channels, channels, kernel_size, 1) for _ in range(layers - 1))
    return nn.Sequential(ConvLayer(in_channels, channels, kernel_size, stride), *rest)


def _make_stage(in_channels: int, channels: int) -> nn.Sequential:
    """A sequence of blocks, the first of which halves the feature map."""
    rest = (MultiPathBlock(channels, channels, 1) for _ in range(_BLOCKS_PER_STAGE - 1))
    return nn.Sequential(MultiPathBlock(in_channels, channels, 2), *rest)


class MPNet36(nn.Module):
    """The deep multi-path network."""

    def __init__(self, num_classes: int = 10) -> None:
        """Build the network.

        Args:
            num_classes: length of the output.
        """
        super().__init__()
        self.stem = ConvLayer(3, 64, 3, 1)
        self.stage1 = _make_stage(64, 64)
        self.stage2 = _make_stage(64, 128)
        self.stage3 = _make_stage(128, 256)
        self.stage4 = _make_stage(256, 512)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(512, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Map images (N, 3, H, W) to logits (N, num_classes)."""
        x = self.stem(x)  # (N, 64, H, W)
        x = self.stage4(self.stage3(self.stage2(self.stage1(x))))  # (N, 512, H / 16, W / 16)
        logits: Tensor = self.fc(torch.flatten(self.avgpool(x), 1))
        return logits
