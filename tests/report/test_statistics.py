from __future__ import annotations

import json
from dataclasses import replace

import rfcheck
from rfcheck.report.json_v1 import dump
from rfcheck.report.result import Run
from rfcheck.report.statistics import render, statistics_to_dict
from rfcheck.report.view import View
from tests.report.runs import CLEAN, EMPTY, FULL, NET, STEM, TAIL, WHOLE

MANY = Run((replace(NET, findings=(WHOLE, *[TAIL] * 9, STEM)), replace(NET, findings=(replace(TAIL, severity="error"),))), ())


def test_the_most_frequent_first():
    assert render(MANY, View()) == (
        "10  RF101 unproductive-tail [error]\n"
        " 1  RF201 aggressive-stem [error]\n"
        " 1  RF401 budget [info]\n"
        "Found 12 findings in 2 models: 2 errors, 9 warnings, 1 info.\n"
    )


def test_what_is_not_reported_does_not_count():
    assert render(FULL, View(quiet=True)) == "1  RF101 unproductive-tail [warning]\n1  RF401 budget [info]\n"


def test_nothing_found():
    assert render(CLEAN, View()) == "No findings in 1 model.\n"
    assert render(EMPTY, View(quiet=True)) == ""


def test_as_data():
    assert json.loads(dump(statistics_to_dict(MANY))) == {
        "version": 1,
        "rfcheck": rfcheck.__version__,
        "statistics": [
            {"count": 10, "code": "RF101", "name": "unproductive-tail", "severity": "error"},
            {"count": 1, "code": "RF201", "name": "aggressive-stem", "severity": "error"},
            {"count": 1, "code": "RF401", "name": "budget", "severity": "info"},
        ],
    }
    assert statistics_to_dict(CLEAN)["statistics"] == []
