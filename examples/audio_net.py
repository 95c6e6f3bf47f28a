"""A 1-D convolutional network on raw waveforms.

In the manner of M5 of Dai et al., "Very Deep Convolutional Neural Networks for Raw Waveforms" (2017): a stem with a wide kernel
and stride 4 that takes the place of a spectrogram, then three convolutions of three taps, with a max pooling over four
positions behind each, global average pooling, and a linear layer for 35 spoken words. The input has one channel and one axis:
(1, 8000) is a second at 8 kHz. Strides multiply to 1024, so the receptive field grows quickly, yet it ends at a fraction of a
second, well below the length of the clip. Expect no border and no tail: what is larger than one feature is left to the average
over time.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ConvLayer(nn.Sequential):
    """A 1-D convolution with batch normalisation and ReLU, and a max pooling over four positions."""

    def __init__(self, in_channels: int, channels: int, kernel_size: int, stride: int) -> None:
        """Build the layer.

        Args:
            in_channels: channels of the input.
            channels: channels of the output.
            kernel_size: extent of the kernel.
            stride: of the convolution.
        """
        super().__init__(
            nn.Conv1d(in_channels, channels, kernel_size, stride=stride, padding=(kernel_size - 1) // 2, bias=False),
            nn.BatchNorm1d(channels),
            nn.ReLU(inplace=True),
            nn.MaxPool1d(kernel_size=4),
        )


class AudioNet(nn.Module):
    """Four convolutional layers over raw waveform, global average pooling and a linear layer."""

    def __init__(self, num_classes: int = 35) -> None:
        """Build the network.

        Args:
            num_classes: length of the output.
        """
        super().__init__()
        self.stem = ConvLayer(1, 128, kernel_size=80, stride=4)
        self.layer1 = ConvLayer(128, 128, kernel_size=3, stride=1)
        self.layer2 = ConvLayer(128, 256, kernel_size=3, stride=1)
        self.layer3 = ConvLayer(256, 512, kernel_size=3, stride=1)
        self.avgpool = nn.AdaptiveAvgPool1d(1)
        self.fc = nn.Linear(512, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Map waveforms (N, 1, L) to logits (N, num_classes); L is at least 1022."""
        x = self.stem(x)  # (N, 128, L / 16)
        x = self.layer3(self.layer2(self.layer1(x)))  # (N, 512, L / 1024)
        logits: Tensor = self.fc(torch.flatten(self.avgpool(x), 1))
        return logits
