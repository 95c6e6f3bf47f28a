"""Files with random damage: each is read, or refused by one sentence of rfcheck; nothing else may come out."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.mutated_files import KINDS, outcomes

MANY = {"program": 500, "onnx": 600, "rule": 300, "settings": 150, "baseline": 150, "run": 150, "probe": 75, "measurement": 75}
"""Files of each kind in the slow suite, 2,000 together."""


@pytest.mark.parametrize("kind", KINDS)
def test_a_few(kind):
    wrong, refused = outcomes(kind, 12)
    assert wrong == []
    assert refused  # the damage is no decoration


@pytest.mark.slow
def test_many_with_little_memory():
    command = [sys.executable, "-m", "tests.mutated_files", *(f"{kind}={number}" for kind, number in MANY.items())]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    assert {kind: wrong for kind, (wrong, _) in found.items() if wrong} == {}
    assert all(MANY[kind] / 10 < refused < MANY[kind] for kind, (_, refused) in found.items())
