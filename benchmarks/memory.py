"""Peak memory of the command on a large network, against the same network with a sixteenth of its channels."""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent

NETWORK = """
from torch import nn

GROUPS = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))

def build_model() -> nn.Module:
    layers, channels = [], 3
    for width, convolutions in GROUPS:
        for _ in range(convolutions):
            layers += [nn.Conv2d(channels, width // {divisor}, 3, padding=1), nn.ReLU()]
            channels = width // {divisor}
        layers.append(nn.MaxPool2d(2))
    hidden = 4096 // {divisor}
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels * 49, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(),
                         nn.Linear(hidden, 1000))
"""

# The peak of finished children is the largest of them, so each command has a process of its own to be the child of.
WATCH = """
import json, resource, subprocess, sys
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
print(json.dumps([code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss]))
"""


def peak_mib(arguments: list[str]) -> float:
    """Largest resident memory of a Python process, in MiB (Linux counts in KiB)."""
    watched = [sys.executable, "-c", WATCH, sys.executable, *arguments]
    code, peak = json.loads(subprocess.run(watched, cwd=ROOT, capture_output=True, text=True, check=True).stdout)
    if code not in (0, 1):  # 1: findings
        raise SystemExit(f"{' '.join(arguments)} ended with {code}")
    return float(peak) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        peaks: dict[str, float] = {}
        commands: dict[str, list[str]] = {"import torch": ["-c", "import torch"]}
        for label, divisor in (("narrow", 16), ("VGG-16", 1)):
            file = Path(folder) / f"{label.lower().replace('-', '')}.py"
            file.write_text(NETWORK.format(divisor=divisor), encoding="utf-8")
            commands[label] = ["-m", "rfcheck", str(file), "--resolution", "224"]
        for label, arguments in commands.items():
            peaks[label] = statistics.median(peak_mib(arguments) for _ in range(options.repetitions))
    weights = 138_357_544 * 4 / 2**20
    print(f"{'process':15} {'peak MiB':>9} {'of narrow':>10}")
    for label, peak in peaks.items():
        print(f"{label:15} {peak:9.0f} {peak / peaks['narrow']:10.3f}")
    grown = peaks["VGG-16"] - peaks["narrow"]
    print(f"\nThe weights of VGG-16 alone are {weights:.0f} MiB; the peak grew by {grown:.0f} MiB, {grown / weights:.3f} of that.")


if __name__ == "__main__":
    main()
