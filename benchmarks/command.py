"""Time of the whole command, as a multiple of importing torch in a fresh process."""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
FLOOR = [sys.executable, "-c", "import torch"]
LIGHT = {"--help": ["--help"], "--version": ["--version"], "rule RF101": ["rule", "RF101"]}


def seconds(command: list[str], folder: Path) -> float:
    start = time.perf_counter()
    finished = subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
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
    check = [Path(options.model).name, "--resolution", options.resolution]
    commands = {" ".join(check): [*check, "--no-cache"], "the same again, unchanged": check, **LIGHT}
    print(f"{'command':40} {'import torch s':>15} {'command s':>10} {'ratio':>6}")
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder)
        shutil.copy(ROOT / options.model, project)
        for label, arguments in commands.items():
            command = [sys.executable, "-m", "rfcheck", *arguments]
            seconds(FLOOR, project), seconds(command, project)  # fill the file system's caches, and rfcheck's
            pairs = [(seconds(FLOOR, project), seconds(command, project)) for _ in range(options.repetitions)]
            floor, whole = (statistics.median(values) for values in zip(*pairs, strict=True))
            print(f"{label:40} {floor:15.2f} {whole:10.2f} {statistics.median(b / a for a, b in pairs):6.2f}")


if __name__ == "__main__":
    main()
