"""Small networks whose tails are known, for digits at 32 px."""

from __future__ import annotations

from torch import nn

PLANTED = """
def conv(in_channels, channels, stride=1):
    return nn.Sequential(nn.Conv2d(in_channels, channels, 3, stride, 1, bias=False), nn.BatchNorm2d(channels), nn.ReLU())

def planted(width=32, idle=5, narrow=8) -> nn.Module:
    down = [conv(3, width, 2), *(conv(width, width, 2) for _ in range(3)), conv(width, width)]
    chain = [conv(width, width), conv(width, narrow), *(conv(narrow, narrow) for _ in range(idle - 2))]
    return nn.Sequential(*down, *chain, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(narrow, 10))
"""
"""Down-samples four times; behind it a chain of convolutions that see more than the image before they begin.

Behind the first of these the chain is narrow, so that it can only lose: by that, the verdict does not hang on a few images.
"""

HEALTHY = """
def conv(in_channels, channels, stride=1):
    return nn.Sequential(nn.Conv2d(in_channels, channels, 3, stride, 1, bias=False), nn.BatchNorm2d(channels), nn.ReLU())

def healthy(width=8) -> nn.Module:
    layers = [conv(3, width, 2), conv(width, width), conv(width, 2 * width, 2), conv(2 * width, 2 * width)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2 * width, 10))
"""
"""Every layer still has context to add."""

PARITY = """
class Mean(nn.Conv2d):
    def __init__(self, stride):
        super().__init__(3, 3, 3, stride, 1, groups=3, bias=False)
        nn.init.constant_(self.weight, 1 / 9)
        self.requires_grad_(False)

def late() -> nn.Module:
    means = [Mean(stride) for stride in (2, 2, 2, 2, 1, 1)]
    wide = [nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 32, 3, padding=1)]
    return nn.Sequential(*means, *wide, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 2))

def images(count, seed):
    generator = torch.Generator().manual_seed(seed)
    halves = torch.randint(2, (count, 2), generator=generator)
    pixels = halves.repeat_interleave(4, 1)[:, :, None].expand(-1, 8, 8) * 150 + torch.randint(100, (count, 8, 8), generator=generator)
    return [(pixels[i][None].to(torch.uint8), int(halves[i].sum() % 2)) for i in range(count)]

def data():
    return images(400, 0), images(600, 1)
"""
"""A task that nothing linear can do: whether one half of the image is bright, but not both. Up to the border layer all is linear."""


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
