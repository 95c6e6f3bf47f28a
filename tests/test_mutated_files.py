"""Files with random damage: each is read, or refused by an error of rfcheck; nothing else may come out."""

from __future__ import annotations

import random

import onnx
import pytest
from torch import nn

from rfcheck import analyze
from rfcheck.errors import RfcheckError
from rfcheck.linting.baseline_file import read_baseline
from rfcheck.linting.rule import built_in_rules, parse_rule
from rfcheck.target.program_file import read_program
from tests.target.programs import as_onnx, exported

EACH, MANY = 25, 670
"""Files of each kind in the default suite, and in the slow one."""


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


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    folder = tmp_path_factory.mktemp("originals")
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)).eval()
    program = exported(model, folder / "m.pt2").read_bytes()
    graph = as_onnx(model, folder / "m.onnx")
    assert onnx.load(graph)
    rule = next(rule for rule in built_in_rules() if rule.code == "RF101")
    known = b'{"format": "rfcheck-baseline", "version": 1, "findings": [{"target": "a", "input": [3], "code": "RF101", "layer": null, "count": 1}]}'
    return {"pt2": program, "onnx": graph.read_bytes(), "md": rule.path.read_bytes(), "json": known}


def read(kind, path, content):
    if kind in ("pt2", "onnx"):
        analyze(read_program(str(path), kind), 16)
    elif kind == "md":
        parse_rule(path, content.decode("utf-8", "replace"))
    else:
        read_baseline(path, "--baseline")


def run(kind, originals, tmp_path, number):
    chance = random.Random(f"{kind}{number}")
    read_well = 0
    for _ in range(number):
        content = damaged(originals[kind], chance)
        path = tmp_path / f"m.{kind}"
        path.write_bytes(content)
        try:
            read(kind, path, content)
            read_well += 1
        except RfcheckError:
            continue
    assert read_well < number


@pytest.mark.parametrize("kind", ["pt2", "onnx", "md", "json"])
def test_a_few(kind, originals, tmp_path):
    run(kind, originals, tmp_path, EACH)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["pt2", "onnx", "md"])
def test_many(kind, originals, tmp_path):
    run(kind, originals, tmp_path, MANY)
