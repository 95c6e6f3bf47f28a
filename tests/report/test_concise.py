from __future__ import annotations

from dataclasses import replace

import pytest
from torch import nn

from rfcheck import analyze
from rfcheck.report.concise import render
from rfcheck.report.result import Result, Run, Suppressed
from rfcheck.report.snapshot import snapshot_of
from rfcheck.report.view import View
from tests.report.runs import CLEAN, COMMENT, EMPTY, FULL, NET, STEM, TAIL

SILENCED = "model.py:8:20: RF201 [error] Net: stem: the stem is too fast [suppressed in model.py:8: as in the paper]\n"
BUDGET = "model.py:5: RF401 [info] Net: 100 % of 5 FLOPs: too much,\nby far\n"
SUMMARY = "Found 2 findings in 2 models: 1 warning, 1 info, 1 suppressed, 1 in the baseline, 1 target failed.\n"


def test_models_without_a_file_go_by_their_target():
    analysis = analyze(nn.Sequential(nn.Conv2d(3, 3, 3, padding=1)), 8, settings={"select": ("RF104",)})
    text = analysis.findings[0].message
    here = Result("torchvision:net", None, None, snapshot_of(analysis), analysis.findings)
    there = Result("m.py:Net", "m.py", 7, snapshot_of(analysis), analysis.findings)
    assert render(Run((here, there), ()), View(quiet=True)).splitlines() == [
        f"torchvision:net: RF104 [warning] Sequential: {text}",
        f"m.py:7: RF104 [warning] Sequential: {text}",
    ]


def test_the_whole_report():
    tail = f"src/a b/ünï.py:12:9: RF101 [warning] Net: tail.2: {TAIL.message}\n"
    assert render(FULL, View()) == tail + BUDGET + SUMMARY
    assert render(FULL, View(quiet=True)) == tail + BUDGET
    assert render(FULL, View(quiet=True, show_suppressed=True)) == tail + BUDGET + SILENCED


def test_a_comment_without_a_reason():
    silenced = replace(NET, findings=(), suppressed=(Suppressed(STEM, replace(COMMENT, reason="")),))
    assert render(Run((silenced,), ()), View(quiet=True, show_suppressed=True)).endswith("[suppressed in model.py:8]\n")


@pytest.mark.parametrize("run", [CLEAN, EMPTY])
def test_nothing_found(run):
    assert render(run, View()) == f"No findings in {len(run.results)} model{'s' * (not run.results)}.\n"
    assert render(run, View(quiet=True)) == ""


def test_tables_come_last():
    lines = render(CLEAN, View(layers=True, explanations={"zoo:clean": "and this"})).splitlines()
    assert lines[:3] == ["No findings in 1 model.", "", "zoo:clean"]
    assert [line.split()[:2] for line in lines[5:9]] == [[str(i), "conv"] for i in range(4)]
    assert lines[10].split()[:2] == ["whole", "model"]
    assert lines[11].startswith("k/s: kernel and stride")
    assert lines[-2:] == ["", "and this"]
