"""Files of every kind that rfcheck reads, with random damage, and what comes of reading them; run by itself with little memory.

``python -m tests.mutated_files program=500 onnx=600`` reads so many damaged files of each kind, and prints what went wrong as JSON, with
how many were refused.
"""

from __future__ import annotations

import io
import json
import random
import re
import resource
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from torch import nn

from rfcheck import Settings, analyze
from rfcheck.configuration.reading import configuration_in
from rfcheck.errors import RfcheckError
from rfcheck.linting.baseline_file import read_baseline
from rfcheck.linting.rule import built_in_rules
from rfcheck.target.program_file import read_program
from rfcheck.verify.probes.kept import KeptProbes
from rfcheck.verify.records import Probe
from rfcheck.verify.run.measurement_file import read_measurement, write_measurement
from rfcheck.verify.run.recipe_file import read_run_file, write_run_file
from tests.target.programs import as_onnx, exported
from tests.verify.run.test_measurement_file import MEASURED
from tests.verify.run.test_recipe_file import FULL

MEMORY = 2 * 2**30
"""Bytes that reading may take, beyond what the process has after its imports."""

_MODEL = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)).eval()

_KNOWN = b"""{"format": "rfcheck-baseline", "version": 1, "findings": [
  {"target": "a", "input": [3, 32, 32], "code": "RF101", "layer": null, "count": 1},
  {"target": "b.py:Net", "input": [1, 9], "code": "RF203", "layer": "features.0", "count": 3}]}"""

_SETTINGS = b"""resolution = 32
channels = 3
select = ["RF1", "RF402"]
ignore = ["RF203"]
baseline = "known.json"
[rules.RF401]
severity = "error"
max_flops = 1e9
[[models]]
target = "a.py:Net"
input-size = [3, 32, 32]
"""

_VALUES = [
    b"-1",
    b"0",
    b"1e400",
    b"NaN",
    b"9" * 30,
    b"9" * 5000,
    b'""',
    b"null",
    b"true",
    b"[]",
    b"{}",
    b"[" * 5000,
    b"inf",
    b"2.5",
]
_VALUES += [b'"\\u001b[31m\\n::error"', b"1" + b"0" * 9, b'"' + b"a" * 9000 + b'"', "\u202e".encode(), b"\n::error::x\n"]
_TOKEN = re.compile(rb'"[^"]*"|[-+]?\d[\d.]*|\w+')


def damaged(content: bytes, chance: random.Random) -> bytes:
    """A copy with a few bytes changed, left out, doubled or cut off."""
    made = bytearray(content)
    for _ in range(chance.choice([1, 1, 2, 5])):
        at = chance.randrange(len(made) + 1)
        end = min(len(made), at + chance.choice([1, 4, 40]))
        change = chance.randrange(4)
        if change == 0:
            made[at:end] = chance.randbytes(end - at)
        elif change == 1:
            del made[at:end]
        elif change == 2:
            made[at:at] = made[at:end] * chance.choice([1, 20])
        else:
            del made[chance.randrange(at, len(made) + 1) :]
    return bytes(made)


def with_other_values(content: bytes, chance: random.Random) -> bytes:
    """A copy in which a few numbers, names and texts are others: extremes, or what stands elsewhere in the text."""
    for _ in range(chance.choice([1, 1, 2, 4])):
        tokens = list(_TOKEN.finditer(content))
        if not tokens:
            break
        token = chance.choice(tokens)
        value = chance.choice(_VALUES) if chance.random() < 0.6 else chance.choice(tokens)[0]
        content = content[: token.start()] + value + content[token.end() :]
    return content


def text_damage(content: bytes, chance: random.Random) -> bytes:
    """Either kind of damage."""
    return chance.choice([damaged, with_other_values, with_other_values])(content, chance)


def archive_damage(content: bytes, chance: random.Random) -> bytes:
    """Damage of an archive as a file, or of one document in it, in an archive that is whole."""
    if chance.random() < 0.3:
        return damaged(content, chance)
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(made, "w") as after:
        names = before.namelist()
        chosen = chance.choice([name for name in names if name.endswith((".json", ".npy"))] or names)
        for name in names:
            after.writestr(name, text_damage(before.read(name), chance) if name == chosen else before.read(name))
    return made.getvalue()


def _probe_file(folder: Path) -> Path:
    KeptProbes(folder, "here").save(Probe("features.0", 3, 0.1, 0.5, np.array([True, False, True])))
    return next(path for path in folder.rglob("*") if path.is_file())


def _measured_file(folder: Path) -> Path:
    write_measurement(folder / "m.npz", MEASURED)
    return folder / "m.npz"


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def _run_file(folder: Path) -> Path:
    write_run_file(folder / "run.toml", FULL)
    return folder / "run.toml"


def _exported_file(folder: Path) -> Path:
    return exported(_MODEL, folder / "m.pt2")


def _rule_file(folder: Path) -> Path:
    chosen = next(rule for rule in built_in_rules() if rule.code == "RF104")
    return _written(folder / f"XX104-{chosen.name}.md", chosen.path.read_bytes().replace(b"RF104", b"XX104"))


Kind = tuple[Callable[[Path], Path], Callable[[bytes, random.Random], bytes], Callable[[Path], object]]

KINDS: dict[str, Kind] = {
    "program": (_exported_file, archive_damage, lambda path: analyze(read_program(str(path), "pt2"), 16).findings),
    "onnx": (lambda folder: as_onnx(_MODEL, folder / "m.onnx"), damaged, lambda path: analyze(read_program(str(path), "onnx"), 16)),
    "rule": (
        _rule_file,
        text_damage,
        lambda path: analyze(_MODEL, 16, settings=Settings(rule_folders=(str(path.parent),))).findings,
    ),
    "settings": (
        lambda folder: _written(folder / "rfcheck.toml", _SETTINGS),
        text_damage,
        lambda path: configuration_in(path.parent),
    ),
    "baseline": (lambda folder: _written(folder / "b.json", _KNOWN), text_damage, lambda path: read_baseline(path, "--baseline")),
    "run": (_run_file, text_damage, read_run_file),
    "probe": (_probe_file, text_damage, lambda path: KeptProbes(path.parent, "here").load("features.0", 3, 3)),
    "measurement": (_measured_file, archive_damage, read_measurement),
}
"""How a whole file is made, damaged and read."""


def outcomes(kind: str, number: int) -> tuple[list[str], int]:
    """What comes of reading damaged files.

    Returns:
        What it ended with, other than a result or one sentence, with the number that makes the file again; and how many were
        refused, by one sentence or by passing over them.
    """
    make, damage, read = KINDS[kind]
    found, refused = [], 0
    with tempfile.TemporaryDirectory() as name:
        path = make(Path(name))
        whole = path.read_bytes()
        assert read(path) is not None  # or damage would show nothing
        for seed in range(number):
            path.write_bytes(damage(whole, random.Random(f"{kind}{seed}")))
            try:
                refused += read(path) is None
            except RfcheckError as error:
                refused += 1
                if len(str(error).splitlines()) != 1:
                    found.append(f"{kind} {seed}: not one line: {str(error)[:300]!r}")
            except Exception as error:
                found.append(f"{kind} {seed}: {type(error).__name__}: {str(error)[:300]!r}")
    return found, refused


def _limit_memory() -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


if __name__ == "__main__":
    numbers = {kind: int(number) for kind, number in (word.split("=") for word in sys.argv[1:])}
    for kind in numbers:
        outcomes(kind, 1)  # imports what it needs
    _limit_memory()
    print(json.dumps({kind: outcomes(kind, number) for kind, number in numbers.items()}, indent=1))
