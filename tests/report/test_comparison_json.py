"""A comparison as JSON."""

from __future__ import annotations

import json

import pytest
from torch import nn

import rfcheck
from rfcheck.report.comparison_json import versions_to_dict
from rfcheck.report.json_v1 import dump
from rfcheck.report.versions import compare_versions
from tests.report.version_cases import LONG, SHORT, chain, result


def pair(before, after):
    return {"before": before, "after": after}


def test_the_whole_structure():
    versions = compare_versions([result("old.py:Net", chain(SHORT))], [result("new.py:Chain", chain([3, 3, 5, 3]))])
    assert json.loads(dump(versions_to_dict(versions, "warning"))) == {
        "version": 1,
        "rfcheck": rfcheck.__version__,
        "changed": True,
        "worse": False,
        "models": [
            {
                "before": "old.py:Net",
                "after": "new.py:Chain",
                "input": {"channels": 3, "size": [8, 8]},
                "totals": {
                    "flops": pair(15552, 29952),
                    "params": pair(252, 480),
                    "activation_bytes": pair(2304, 3072),
                    "tail_layers": pair(0, 1),
                    "unproductive_layers": pair(0, 1),
                    "r_max": pair([7, 7], [11, 11]),
                    "lowest_resolution": pair([5, 5], [9, 9]),
                    "highest_resolution": pair([7, 7], [11, 11]),
                },
                "border_min": pair(None, "3"),
                "border_max": pair(None, "3"),
                "layers": {
                    "added": ["3"],
                    "removed": [],
                    "changed": [
                        {
                            "name": "2",
                            "changes": {
                                "kernel": pair([3, 3], [5, 5]),
                                "padding": pair([1, 1], [2, 2]),
                                "r_max": pair([7, 7], [9, 9]),
                            },
                        }
                    ],
                },
                "findings": {"fixed": [], "new": [], "kept": []},
            }
        ],
        "models_removed": [],
        "models_added": [],
    }


def test_findings_and_models_of_one_version():
    before = [result("a.py:A", chain(SHORT)), result("a.py:B", chain(LONG)), result("a.py:C", chain(LONG))]
    after = [result("b.py:A", chain(LONG)), result("b.py:B", chain(LONG)), result("b.py:D", chain(SHORT))]
    report = versions_to_dict(compare_versions(before, after), "warning")
    assert report["worse"] is True
    assert versions_to_dict(compare_versions(before, after), "error")["worse"] is False
    first, second = report["models"]
    (finding,) = first["findings"]["new"]
    assert set(finding) == {"code", "name", "severity", "message", "layer"}
    assert (finding["code"], finding["layer"]) == ("RF101", "4")
    assert [f["code"] for f in second["findings"]["kept"]] == ["RF101"]
    assert [(m["target"], len(m["findings"])) for m in report["models_removed"]] == [("a.py:C", 1)]
    assert [(m["target"], len(m["findings"])) for m in report["models_added"]] == [("b.py:D", 0)]


def test_nothing_changed():
    report = versions_to_dict(compare_versions([result("a.py:A", chain(LONG))], [result("b.py:A", chain(LONG))]), "info")
    assert (report["changed"], report["worse"]) == (False, False)


def test_unbounded_values_are_json():
    pooled = nn.Sequential(nn.Conv2d(3, 3, 3), nn.AdaptiveAvgPool2d(1))
    versions = compare_versions([result("a.py:A", nn.Sequential(nn.Conv2d(3, 3, 3), nn.AvgPool2d(2)))], [result("b.py:A", pooled)])
    text = dump(versions_to_dict(versions, "warning"))
    report = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert report["models"][0]["layers"]["changed"][0]["changes"]["r_max"] == pair([4, 4], ["inf", "inf"])
