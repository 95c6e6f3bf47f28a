"""Small networks whose tails are known, for digits at 32 px."""

from __future__ import annotations

from torch import nn

PLANTED = """
def conv(in_channels, channels, stride=1):
    return nn.Sequential(nn.Conv2d(in_channels, channels, 3, stride, 1, bias=False), nn.BatchNorm2d(channels), nn.ReLU())

def planted(width=32, idle=5) -> nn.Module:
    down = [conv(3, width, 2), *(conv(width, width, 2) for _ in range(3))]
    chain = [conv(width, width) for _ in range(1 + idle)]
    return nn.Sequential(*down, *chain, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 10))
"""
"""Down-samples four times; behind it a chain of convolutions of which all but the first see more than the image before they begin."""

HEALTHY = """
def conv(in_channels, channels, stride=1):
    return nn.Sequential(nn.Conv2d(in_channels, channels, 3, stride, 1, bias=False), nn.BatchNorm2d(channels), nn.ReLU())

def healthy(width=8) -> nn.Module:
    layers = [conv(3, width, 2), conv(width, width), conv(width, 2 * width, 2), conv(2 * width, 2 * width)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2 * width, 10))
"""
"""Every layer still has context to add."""

NARROW = """
def conv(in_channels, channels, stride=1):
    return nn.Sequential(nn.Conv2d(in_channels, channels, 3, stride, 1, bias=False), nn.BatchNorm2d(channels), nn.ReLU())

def narrow(width=4) -> nn.Module:
    down = [conv(3, width, 2), *(conv(width, width, 2) for _ in range(3))]
    chain = [conv(width, width), conv(width, width), conv(width, 64), conv(64, 64), conv(64, 64)]
    return nn.Sequential(*down, *chain, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))
"""
"""So few channels before the border layer that much of what a wide tail can still separate is not separable linearly there."""


def tiny() -> nn.Module:
    """A network that trains in no time."""
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, 2, 1), nn.ReLU(), nn.Conv2d(4, 4, 3, padding=1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 10)
    )
