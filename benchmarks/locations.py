"""Time to build a model while noting where each of its modules is made, as a multiple of the time without."""

from __future__ import annotations

import argparse
import contextlib
import gc
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from analyze import MODELS

from rfcheck.target.load import Target, load_targets
from rfcheck.target.origin import ConstructionSites

EXAMPLES = Path(__file__).parent.parent / "examples"


def seconds(action: Callable[[], object]) -> float:
    """Processor time, which other programs disturb less than the clock."""
    start = time.process_time()
    action()
    return time.process_time() - start


def measure(target: Target, repetitions: int) -> tuple[float, float, float]:
    """Median seconds without notes, and medians of the ratios with notes and with places made of them; the three alternate."""
    recording: Any = ConstructionSites.recording
    patched: Any = ConstructionSites

    def built() -> torch.nn.Module:
        return target.make(True)

    def bare() -> None:
        patched.recording = lambda _: contextlib.nullcontext()
        try:
            built()
        finally:
            patched.recording = recording

    ways = (bare, built, lambda: target.origin(built()))
    rows = []
    for i in range(repetitions):
        gc.collect()
        bare()  # the first after a collection is slower, and what is cached on first use is no part of any
        order = (0, 1, 2) if i % 2 else (2, 1, 0)
        took = {way: seconds(ways[way]) for way in order}
        rows.append((took[0], took[1] / took[0], took[2] / took[0]))
    plain, noted, placed = (statistics.median(column) for column in zip(*rows, strict=True))
    return plain, noted, placed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=41)
    parser.add_argument("models", nargs="*", default=MODELS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    gc.disable()
    with tempfile.TemporaryDirectory() as folder:
        calls = [f"def {name}():\n    return models.{name}()\n" for name in options.models]
        file = Path(folder) / "catalogue.py"
        file.write_text("from torchvision import models\n" + "".join(calls), encoding="utf-8")
        texts = [str(path) for path in sorted(EXAMPLES.glob("*.py"))] + [f"{file}:{name}" for name in options.models]
        print(f"{'':24} {'build ms':>9} {'noted':>6} {'with places':>12}")
        ratios = []
        for text in texts:
            target = load_targets(text)[-1]
            plain, noted, placed = measure(target, options.repetitions)
            ratios.append((noted, placed))
            print(f"{target.label.rpartition('/')[2]:24} {plain * 1000:9.2f} {noted:6.2f} {placed:12.2f}")
    for label, of in (("median", statistics.median), ("largest", max)):
        print(f"{label:34} {of(noted for noted, _ in ratios):6.2f} {of(placed for _, placed in ratios):12.2f}")


if __name__ == "__main__":
    main()
