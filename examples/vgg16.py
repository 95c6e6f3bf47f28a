"""VGG16 without batch normalisation, with a small head.

Configuration D of Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition" (2015): thirteen
3x3 convolutions in five groups, with a 2x2 max pooling behind each group. Global average pooling and one linear layer for ten
classes stand in for the three linear layers of the original. The network is a plain sequence, so every layer has exactly one
receptive field, and the border is the same by the smallest and by the largest path. At 32x32, it lies at the first convolution
of the fourth group: the last two groups, which hold most of the parameters, are the tail. At 224x224 there is no tail.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

_GROUPS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))


def _make_features() -> nn.Sequential:
    """The convolutions of all groups, each with its ReLU, and a max pooling behind each group."""
    layers: list[nn.Module] = []
    in_channels = 3
    for group in _GROUPS:
        for channels in group:
            layers += [nn.Conv2d(in_channels, channels, kernel_size=3, padding=1), nn.ReLU(inplace=True)]
            in_channels = channels
        layers.append(nn.MaxPool2d(kernel_size=2, stride=2))
    return nn.Sequential(*layers)


class VGG16(nn.Module):
    """VGG, configuration D."""

    def __init__(self, num_classes: int = 10) -> None:
        """Build the network.

        Args:
            num_classes: length of the output.
        """
        super().__init__()
        self.features = _make_features()
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(512, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Map images (N, 3, H, W) to logits (N, num_classes); H and W are at least 32."""
        x = self.features(x)  # (N, 512, H / 32, W / 32)
        logits: Tensor = self.classifier(torch.flatten(self.avgpool(x), 1))
        return logits
