"""Time of an analysis, and of all fixes, per layer, for deep networks against networks of a tenth of their depth."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from rfcheck import analyze


class Residual(nn.Module):
    """Two convolutions and a shortcut."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(4, 4, 3, padding=1)
        self.conv2 = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, 4, H, W) to (N, 4, H, W)."""
        return x + self.conv2(torch.relu(self.conv1(x)))


def chain(depth: int) -> nn.Module:
    return nn.Sequential(*[nn.Conv2d(4, 4, 3, padding=1) for _ in range(depth)])


def residual(depth: int) -> nn.Module:
    return nn.Sequential(*[Residual() for _ in range(depth)])


def classifier(depth: int) -> nn.Module:
    """A convolution and an activation a stage, in nested nn.Sequentials, with a tail that fixes cut."""
    stages = (nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.ReLU()) for _ in range(depth))
    return nn.Sequential(nn.Sequential(*stages), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 10))


def seconds_per_part(make: Callable[[int], nn.Module], depth: int, *, fixes: bool = False) -> float:
    model = make(depth)
    start = time.perf_counter()
    analysis = analyze(model, 32, settings={"channels": 4})
    if fixes:
        start = time.perf_counter()
        assert analysis.fixes
    return (time.perf_counter() - start) / depth


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=3)
    options = parser.parse_args()
    seconds_per_part(residual, 5)  # what is imported and cached on first use
    print(f"{'network':22} {'us per part, tenth':>19} {'us per part, whole':>19} {'ratio':>6}")
    for label, make, depth, fixes in (
        ("10,000 convolutions", chain, 10_000, False),
        ("100,000 convolutions", chain, 100_000, False),
        ("1,000 residual blocks", residual, 1_000, False),
        ("fixes, 3,000 stages", classifier, 3_000, True),
    ):
        pairs = [
            (seconds_per_part(make, depth // 10, fixes=fixes), seconds_per_part(make, depth, fixes=fixes))
            for _ in range(options.repetitions)
        ]
        tenth, whole = (statistics.median(values) for values in zip(*pairs, strict=True))
        ratio = statistics.median(b / a for a, b in pairs)
        print(f"{label:22} {tenth * 1e6:19.0f} {whole * 1e6:19.0f} {ratio:6.2f}")


if __name__ == "__main__":
    main()
