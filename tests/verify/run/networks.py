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

FROZEN = """
def conv(in_channels, channels, stride=1):
    return nn.Sequential(nn.Conv2d(in_channels, channels, 3, stride, 1, bias=False), nn.BatchNorm2d(channels), nn.ReLU())

def frozen(width=8, wide=64) -> nn.Module:
    down = [conv(3, width, 2), *(conv(width, width, 2) for _ in range(3)), conv(width, width), conv(width, width)]
    chain = [conv(width, wide), conv(wide, wide), conv(wide, wide)]
    for part in down:
        part.requires_grad_(False)
    return nn.Sequential(*down, *chain, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(wide, 10))
"""
"""Up to the border layer nothing learns, so that the tail has something left to do."""

PLAIN = """
def plain(width=8) -> nn.Module:
    layers = [nn.Conv2d(3, width, 3, 2, 1), nn.ReLU(), nn.Conv2d(width, width, 3, 2, 1), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 10))
"""
"""Without batch normalisation, whose statistics depend on how batches are shared."""


def tiny() -> nn.Module:
    """A network that trains in no time."""
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, 2, 1), nn.ReLU(), nn.Conv2d(4, 4, 3, padding=1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 10)
    )
