"""A small U-Net for segmentation into two classes.

The architecture of Ronneberger et al., "U-Net: Convolutional Networks for Biomedical Image Segmentation" (2015), with three
levels below the full resolution, sixteen channels at the top, batch normalisation, and padding that keeps the size of the
feature maps. Each level on the way up concatenates what the level of the same size kept on the way down. Expect one receptive
field per layer down to the bottom, and a wide spread on the way up: each kept feature map brings back a smaller receptive
field. On a small image, the bottom and some layers next to it see more than all of it along every path, yet there is no tail,
as layers behind them still read kept feature maps. There is no global pooling: the output has one logit per pixel.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class DoubleConv(nn.Sequential):
    """Two 3x3 convolutions with same padding, each with batch normalisation and ReLU."""

    def __init__(self, in_channels: int, channels: int) -> None:
        """Build the block.

        Args:
            in_channels: channels of the input.
            channels: channels of the output.
        """
        super().__init__(
            nn.Conv2d(in_channels, channels, kernel_size=3, padding="same", bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels, channels, kernel_size=3, padding="same", bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
        )


class UpBlock(nn.Module):
    """Doubles the feature map, and merges it with the one that was kept on the way down."""

    def __init__(self, in_channels: int, channels: int) -> None:
        """Build the block.

        Args:
            in_channels: channels of the input.
            channels: channels of the kept feature map and of the output.
        """
        super().__init__()
        self.up = nn.ConvTranspose2d(in_channels, channels, kernel_size=2, stride=2)
        self.conv = DoubleConv(2 * channels, channels)

    def forward(self, x: Tensor, kept: Tensor) -> Tensor:
        """Map (N, in_channels, H, W) and (N, channels, 2H, 2W) to (N, channels, 2H, 2W)."""
        merged: Tensor = self.conv(torch.cat([kept, self.up(x)], dim=1))
        return merged


class UNet(nn.Module):
    """A U-Net with three levels below the full resolution."""

    def __init__(self, in_channels: int = 3, width: int = 16) -> None:
        """Build the network.

        Args:
            in_channels: channels of the image.
            width: channels at full resolution; doubled at each level below.
        """
        super().__init__()
        self.pool = nn.MaxPool2d(kernel_size=2)
        self.down1 = DoubleConv(in_channels, width)
        self.down2 = DoubleConv(width, 2 * width)
        self.down3 = DoubleConv(2 * width, 4 * width)
        self.bottom = DoubleConv(4 * width, 8 * width)
        self.up3 = UpBlock(8 * width, 4 * width)
        self.up2 = UpBlock(4 * width, 2 * width)
        self.up1 = UpBlock(2 * width, width)
        self.head = nn.Conv2d(width, 1, kernel_size=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map images (N, in_channels, H, W) to a logit per pixel (N, 1, H, W); H and W are multiples of 8."""
        full = self.down1(x)  # (N, width, H, W)
        half = self.down2(self.pool(full))  # (N, 2 * width, H / 2, W / 2)
        quarter = self.down3(self.pool(half))  # (N, 4 * width, H / 4, W / 4)
        x = self.bottom(self.pool(quarter))  # (N, 8 * width, H / 8, W / 8)
        x = self.up1(self.up2(self.up3(x, quarter), half), full)  # (N, width, H, W)
        logits: Tensor = self.head(x)
        return logits
