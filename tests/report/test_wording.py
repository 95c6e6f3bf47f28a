from __future__ import annotations

from dataclasses import replace

import pytest

from rfcheck.report.result import Failure, Suppressed
from rfcheck.report.wording import fix_of, model_of, reason_of, silenced_in, size_of, statement
from tests.report.runs import COMMENT, NET, STEM, TAIL, WHOLE


def test_models_and_sizes():
    assert size_of(NET.snapshot) == "3x8x8"
    assert model_of(NET) == "model.py:Net at 3x8x8"


def test_a_finding_that_stands_alone():
    assert statement(NET, STEM) == "Net at 3x8x8, stem: the stem is too fast"
    assert statement(NET, WHOLE) == "Net at 3x8x8: 100 % of 5 FLOPs: too much,\nby far"


def test_the_best_fix():
    assert fix_of(NET, TAIL).startswith("truncate-before: tail 3 -> 0, unproductive 3 -> 0, ")
    assert fix_of(NET, WHOLE) is None


def test_what_silences_a_finding():
    assert silenced_in(Suppressed(STEM, COMMENT)) == "suppressed in model.py:8: as in the paper"
    assert silenced_in(Suppressed(STEM, replace(COMMENT, reason=""))) == "suppressed in model.py:8"


@pytest.mark.parametrize(
    ("target", "message", "reason"),
    [
        ("m.py:Net", "m.py:Net: building fails", "building fails"),
        ("m.py", "m.py: holds no model", "holds no model"),
        ("m.py:Net", "m.py: holds no Net", "m.py: holds no Net"),
        ("m.py", "layer m.py: fails", "layer m.py: fails"),
    ],
)
def test_reasons_do_not_repeat_the_target(target, message, reason):
    assert reason_of(Failure(target, message)) == reason
