from __future__ import annotations

from dataclasses import replace

import pytest

from rfcheck.report.full import render
from rfcheck.report.next_steps import next_steps, size_option
from rfcheck.report.result import Run
from rfcheck.report.view import View
from tests.report.runs import CLEAN, FULL, NET, TAIL

RULE = "rfcheck rule RF101  # what a finding means, and when to ignore it"
FIX = "rfcheck fix model.py:Net --resolution 8  # what to change, side by side"


def run(edits: dict[str, bool], **changes: object) -> Run:
    snapshot = replace(NET.snapshot, edits=edits)
    return Run((replace(NET, findings=(TAIL, replace(TAIL, code="RF301", layer="stem")), snapshot=snapshot, **changes),), ())


@pytest.mark.parametrize(
    ("edits", "line"),
    [
        ({}, None),
        ({"RF101 tail.2": False}, "1 finding fixable with --fix --unsafe-fixes."),
        ({"RF301 stem": True}, "1 finding fixable with --fix."),
        ({"RF301 stem": True, "RF101 tail.2": True}, "2 findings fixable with --fix."),
        ({"RF301 stem": True, "RF101 tail.2": False}, "1 finding fixable with --fix, 1 more with --fix --unsafe-fixes."),
        ({"RF301 other": True, "RF101": True}, None),
    ],
)
def test_what_edits_answer(edits, line):
    assert next_steps(run(edits)) == [*([line] if line else []), FIX, RULE]


def test_nothing_to_do():
    assert next_steps(CLEAN) == []
    assert next_steps(Run((replace(NET, findings=()),), ())) == []


def test_without_a_fix_and_with_names_that_a_shell_would_split():
    unfixed = Run((replace(NET, snapshot=replace(NET.snapshot, best_fixes={})),), ())
    assert next_steps(unfixed) == [RULE]
    assert next_steps(run({}, target="my net.py:build(2)"))[0].startswith("rfcheck fix 'my net.py:build(2)' --resolution 8 ")


@pytest.mark.parametrize(
    ("channels", "size", "usual", "option"),
    [
        (0, (16000,), 3, "--input-size 16000"),
        (0, (22, 1000), 3, "--input-size 22,1000"),
        (3, (32, 32), 3, "--resolution 32"),
        (3, (32, 48), 3, "--resolution 32x48"),
        (1, (32, 32), 3, "--input-size 1,32,32"),
        (3, (32, 32), 1, "--input-size 3,32,32"),
        (12, (2048,), 3, "--input-size 12,2048"),
        (3, (8, 16, 16), 3, "--input-size 3,8,16,16"),
    ],
)
def test_sizes(channels, size, usual, option):
    assert size_option(channels, size, usual) == option


def test_commands_stay_whole_in_a_narrow_terminal_and_are_left_out_where_findings_only_are_asked_for():
    assert render(FULL, View(width=40)).splitlines()[-2:] == ["rfcheck fix model.py:Net --resolution 8", "rfcheck rule RF101"]
    assert "rfcheck rule" not in render(FULL, View(quiet=True))
