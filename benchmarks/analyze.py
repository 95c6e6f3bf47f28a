"""Time of an analysis, as a multiple of one bare forward pass of the same model on the meta device."""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from collections.abc import Callable

import torch
from torch import nn
from torchvision import models

from rfcheck import analyze

MODELS = (
    "resnet18", "resnet50", "resnet152", "densenet121", "densenet201", "efficientnet_b0", "mobilenet_v3_large", "convnext_tiny",
    "swin_t", "vgg19",
)  # fmt: skip


def build(name: str, device: str) -> nn.Module:
    with torch.device(device):
        model: nn.Module = models.get_model(name, weights=None)
    return model.eval()


def timed(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def measure(name: str, device: str, resolution: int, repetitions: int) -> tuple[float, float, float]:
    """Median seconds of the forward pass and of the analysis, and the median of their ratios; the two alternate."""
    bare, model = build(name, "meta"), build(name, device)
    image = torch.empty(1, 3, resolution, resolution, device="meta")

    def forward() -> None:
        with torch.no_grad():
            bare(image)

    def analysis() -> None:
        analyze(model, resolution)

    forward(), analysis()  # what is imported and cached on first use is not part of either
    pairs = [(timed(forward), timed(analysis)) for _ in range(repetitions)]
    forwards, analyses = zip(*pairs, strict=True)
    return statistics.median(forwards), statistics.median(analyses), statistics.median(b / a for a, b in pairs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--resolution", type=int, default=224)
    parser.add_argument("--repetitions", type=int, default=9)
    parser.add_argument("models", nargs="*", default=MODELS)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    for device, label in (("meta", "without weights"), ("cpu", "with weights")):
        print(f"{label:20} {'forward ms':>11} {'analyze ms':>11} {'ratio':>6}")
        ratios = []
        for name in options.models:
            forward, analysis, ratio = measure(name, device, options.resolution, options.repetitions)
            ratios.append(ratio)
            print(f"{name:20} {forward * 1000:11.1f} {analysis * 1000:11.1f} {ratio:6.2f}")
        print(f"{'median':44} {statistics.median(ratios):6.2f}\n{'largest':44} {max(ratios):6.2f}\n")


if __name__ == "__main__":
    main()
