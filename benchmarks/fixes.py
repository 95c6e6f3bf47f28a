"""Time of all fixes of a model with their predictions, as a multiple of the time of its analysis."""

from __future__ import annotations

import argparse
import statistics
import warnings

import torch
from analyze import MODELS, build, timed
from torch import nn

from rfcheck import Analysis, analyze


def measure(model: nn.Module, resolution: int, repetitions: int) -> tuple[float, float, Analysis]:
    """Median seconds of the analysis, the median of fixes / analysis, and an analysis; the two alternate."""
    analysis = analyze(model, resolution)
    assert analysis.fixes is not None  # what is imported and cached on first use is not part of either
    seconds, ratios = [], []
    for _ in range(repetitions):
        analysing = timed(lambda: analyze(model, resolution))
        fresh = analyze(model, resolution)
        seconds.append(analysing)
        ratios.append(timed(lambda fresh=fresh: fresh.fixes) / analysing)  # type: ignore[misc]
    return statistics.median(seconds), statistics.median(ratios), analysis


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--resolutions", type=int, nargs="+", default=(32, 64, 224))
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("models", nargs="*", default=MODELS)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    print(f"{'':20} {'px':>4} {'analyze ms':>11} {'fixes':>6} {'ratio':>6}")
    for resolution in options.resolutions:
        ratios = []
        for name in options.models:
            seconds, ratio, analysis = measure(build(name, "meta"), resolution, options.repetitions)
            ratios.append(ratio)
            print(f"{name:20} {resolution:4} {seconds * 1000:11.1f} {len(analysis.fixes):6} {ratio:6.2f}")
        print(f"{'median':43} {statistics.median(ratios):6.2f}\n{'largest':43} {max(ratios):6.2f}\n")


if __name__ == "__main__":
    main()
