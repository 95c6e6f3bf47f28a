"""Time of the whole command, as a multiple of importing torch in a fresh process."""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
FLOOR = [sys.executable, "-c", "import torch"]
LIGHT = {"--help": ["--help"], "--version": ["--version"], "rule RF101": ["rule", "RF101"]}


def seconds(command: list[str]) -> float:
    start = time.perf_counter()
    finished = subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    elapsed = time.perf_counter() - start
    if finished.returncode not in (0, 1):  # 1: findings
        raise SystemExit(f"{' '.join(command)} failed: {finished.stderr.decode()}")
    return elapsed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=9)
    parser.add_argument("--model", default="examples/resnet18_cifar.py")
    parser.add_argument("--resolution", default="32")
    options = parser.parse_args()
    check = [options.model, "--resolution", options.resolution]
    print(f"{'command':40} {'import torch s':>15} {'command s':>10} {'ratio':>6}")
    for label, arguments in {" ".join(check): check, **LIGHT}.items():
        command = [sys.executable, "-m", "rfcheck", *arguments]
        seconds(FLOOR), seconds(command)  # fill the file system's caches
        pairs = [(seconds(FLOOR), seconds(command)) for _ in range(options.repetitions)]
        floor, whole = (statistics.median(values) for values in zip(*pairs, strict=True))
        print(f"{label:40} {floor:15.2f} {whole:10.2f} {statistics.median(b / a for a, b in pairs):6.2f}")


if __name__ == "__main__":
    main()
