from __future__ import annotations

from dataclasses import replace

import pytest

from rfcheck.fixes.fix import Prediction
from rfcheck.fixes.outcome import Outcome
from rfcheck.report.result import Failure
from rfcheck.report.source_fixing import LeftFix, MadeFix, SourceFixing, fixing_text

OUTCOME = Outcome(3, 4, 5, 37_000_000, 11_200_000, 1000, None, (None, None))
CHEAPER = replace(OUTCOME, flops=24_200_000, params=1_860_000)
SHORTER = replace(CHEAPER, tail_layers=1, unproductive_layers=2)

STEM = MadeFix("model.py:Net", "remove-stem", False, ("conv1", "pool"), (12,), Prediction(OUTCOME, SHORTER))
CROP = MadeFix("model.py:Net", "crop-kernels", True, ("a", "b", "c"), (31, 34, 40), Prediction(OUTCOME, CHEAPER))
COMMAND = "rfcheck fix model.py:Net --resolution 32 --apply truncate"
LEFT = (
    LeftFix("model.py:Net", "truncate", ("it shortens features",), COMMAND),
    LeftFix("model.py:Net", "remove-stem", ("it changes what the model computes; --unsafe-fixes makes it",), None),
    LeftFix(
        "model.py:Net",
        "crop-kernels",
        ("line 3 makes 2 layers", "line 4 makes 2 layers", "a", "b", "c"),
        COMMAND.replace("truncate", "crop-kernels"),
    ),
)
FAILURES = (Failure("model.py:Odd", "the forward pass fails"),)

MADE = """\
model.py:Net: made remove-stem in line 12: tail 3 -> 1, unproductive 4 -> 2,
  FLOPs 37.0 M -> 24.2 M, parameters 11.2 M -> 1.86 M
model.py:Net: made crop-kernels in lines 31, 34 and 40: FLOPs 37.0 M -> 24.2 M,
  parameters 11.2 M -> 1.86 M, outputs stay the same
"""
REST = """\
model.py:Net: left truncate: it shortens features
model.py:Net: left remove-stem: it changes what the model computes;
  --unsafe-fixes makes it
model.py:Net: left crop-kernels: line 3 makes 2 layers; line 4 makes 2 layers;
  a; and 2 more reasons
rfcheck fix model.py:Net --resolution 32 --apply NAME prints code that makes one
  of the others
"""
FAILED = "model.py:Odd: no fixes: the forward pass fails\n"


@pytest.mark.parametrize(
    ("fixing", "text"),
    [
        (SourceFixing("model.py", b"", b"x", True, (STEM, CROP), ()), f"{MADE}model.py: 2 fixes made, 0 left.\n"),
        (SourceFixing("model.py", b"", b"x", True, (STEM, CROP), LEFT, FAILURES), f"{MADE}{REST}{FAILED}model.py: 2 fixes made, 3 left.\n"),
        (SourceFixing("model.py", b"", b"", False, (), LEFT), f"{REST}model.py: 0 fixes made, 3 left.\n"),
        (SourceFixing("model.py", b"", b"", False, (), (), FAILURES), f"{FAILED}model.py: 0 fixes made, 0 left.\n"),
        (SourceFixing("model.py", b"", b"", False, (), ()), ""),
    ],
)  # fmt: skip
def test_the_whole_text(fixing, text):
    assert fixing_text(fixing, 80) == text


def test_what_would_be_made():
    (line, *_, last) = fixing_text(SourceFixing("model.py", b"", b"x", False, (CROP,), ()), 200).splitlines()
    assert line.startswith("model.py:Net: would make crop-kernels in lines 31, 34 and 40: FLOPs")
    assert last == "model.py: 1 fix to make, 0 left."


@pytest.mark.parametrize(("width", "widest"), [(20, 40), (60, 60), (300, 120)])
def test_the_width_of_the_terminal(width, widest):
    lines = fixing_text(SourceFixing("model.py", b"", b"x", True, (STEM, CROP), LEFT), width).splitlines()
    assert widest - 25 < max(map(len, lines)) <= widest
