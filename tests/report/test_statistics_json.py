from __future__ import annotations

import json

from rfcheck.report.statistics import statistics_to_dict
from rfcheck.report.statistics_json import render
from rfcheck.report.view import View
from tests.report.runs import EMPTY, FULL


def test_the_counts_as_text():
    text = render(FULL, View())
    assert text.endswith("}\n")
    assert json.loads(text) == statistics_to_dict(FULL)
    assert [row["code"] for row in json.loads(text)["statistics"]] == ["RF101", "RF401"]


def test_nothing_found():
    assert json.loads(render(EMPTY, View()))["statistics"] == []
