"""Time of a training step whose saturation is measured, as a multiple of the plain step, on the CPU or a GPU."""

from __future__ import annotations

import argparse
import contextlib
import statistics
import time

import torch
from torch import nn
from torchvision import models

from rfcheck.verify import SaturationTracker


class Trainer:
    """A model that is trained on one batch over and over, by Adam."""

    def __init__(self, name: str, resolution: int, batch_size: int, device: str, log_interval: int | None) -> None:
        torch.manual_seed(0)
        self.model: nn.Module = models.get_model(name, weights=None, num_classes=10).to(device)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=1e-4)
        self.images = torch.randn(batch_size, 3, resolution, resolution, device=device)
        self.labels = torch.arange(batch_size, device=device) % 10
        self.tracker = None if log_interval is None else SaturationTracker(self.model, log_interval=log_interval)

    def seconds(self, steps: int) -> float:
        """Of so many steps; hooks are attached before the clock starts."""
        with self.tracker or contextlib.nullcontext():
            start = time.perf_counter()
            for _ in range(steps):
                self.optimizer.zero_grad()
                nn.functional.cross_entropy(self.model(self.images), self.labels).backward()
                self.optimizer.step()
            if self.images.is_cuda:
                torch.cuda.synchronize()
            return time.perf_counter() - start


def measure(options: argparse.Namespace, name: str, intervals: list[int]) -> None:
    """Print the medians of the ratios; trainings alternate, some steps of each at a time."""
    arguments = (name, options.resolution, options.batch_size, options.device)
    plain, tracked = Trainer(*arguments, None), [Trainer(*arguments, interval) for interval in intervals]
    for trainer in (plain, *tracked):
        trainer.seconds(2)  # what is set up on first use is not part of a step
    rounds = [[trainer.seconds(options.steps) for trainer in (plain, *tracked)] for _ in range(options.repetitions)]
    step = statistics.median(seconds[0] for seconds in rounds) / options.steps
    ratios = [statistics.median(seconds[i] / seconds[0] for seconds in rounds) for i in range(1, len(intervals) + 1)]
    print(f"{name:20} {step * 1000:10.1f}" + "".join(f" {ratio:12.3f}" for ratio in ratios))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--resolution", type=int, default=32)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=8, help="per turn; a multiple of 4, so that each interval is measured whole")
    parser.add_argument("--repetitions", type=int, default=31)
    parser.add_argument("models", nargs="*", default=("resnet18",))
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    intervals = [1, 4]
    print(f"{'':20} {'plain ms':>10}" + "".join(f" {f'interval {interval}':>12}" for interval in intervals))
    for name in options.models:
        measure(options, name, intervals)


if __name__ == "__main__":
    main()
