from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import jsonschema
import pytest

from rfcheck.report.gitlab import render
from rfcheck.report.result import Run
from rfcheck.report.view import View
from rfcheck.span import Span
from tests.report.runs import CLEAN, EMPTY, FULL, NET, STEM, TAIL

ISSUE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["description", "check_name", "fingerprint", "severity", "location"],
    "properties": {
        "description": {"type": "string", "minLength": 1},
        "check_name": {"type": "string", "minLength": 1},
        "fingerprint": {"type": "string", "minLength": 1},
        "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
        "location": {
            "type": "object",
            "required": ["path", "lines"],
            "properties": {
                "path": {"type": "string", "pattern": r"^(?!\./)"},
                "lines": {
                    "type": "object",
                    "required": ["begin"],
                    "properties": {"begin": {"type": "integer", "minimum": 1}, "end": {"type": "integer", "minimum": 1}},
                },
            },
        },
    },
}
"""What GitLab documents of a code quality report."""


def issues(run: Run) -> list[dict]:
    text = render(run, View())
    assert text.endswith("]\n")
    found = json.loads(text)
    jsonschema.validate(found, {"type": "array", "items": ISSUE})
    return found


def sha(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def test_the_whole_report():
    fix = "Fix: truncate-before: tail 3 -> 0, unproductive 3 -> 0, FLOPs 135 k -> 58.2 k, parameters 2.20 k -> 990"
    assert issues(FULL) == [
        {
            "description": f"Net at 3x8x8, tail.2: {TAIL.message}. {fix}",
            "check_name": "RF101 unproductive-tail",
            "fingerprint": sha("model.py:Net", 3, [8, 8], "RF101", "tail.2", 1),
            "severity": "minor",
            "location": {"path": "src/a b/ünï.py", "lines": {"begin": 12, "end": 14}},
        },
        {
            "description": "Net at 3x8x8: 100 % of 5 FLOPs: too much,\nby far",
            "check_name": "RF401 budget",
            "fingerprint": sha("model.py:Net", 3, [8, 8], "RF401", None, 1),
            "severity": "info",
            "location": {"path": "model.py", "lines": {"begin": 5}},
        },
        {
            "description": "rfcheck cannot analyse bad.py:Bad: building the model fails: 100 %",
            "check_name": "analysis failed",
            "fingerprint": sha("failure", "bad.py:Bad", "bad.py:Bad: building the model fails: 100 %"),
            "severity": "blocker",
            "location": {"path": "bad.py", "lines": {"begin": 1}},
        },
    ]


@pytest.mark.parametrize("run", [CLEAN, EMPTY])
def test_nothing_found(run):
    assert render(run, View()) == "[]\n"


def test_without_a_file_the_target_stands_for_it():
    (issue,) = issues(Run((replace(NET, findings=(TAIL,), path=None, line=None),), ()))
    assert issue["location"] == {"path": "model.py:Net", "lines": {"begin": 1}}


def test_errors_are_major():
    assert issues(Run((replace(NET, findings=(STEM,)),), ()))[0]["severity"] == "major"


def test_no_leading_dot():
    (issue,) = issues(Run((replace(NET, findings=(replace(TAIL, chain=(Span("./a/b.py", 3),)),)),), ()))
    assert issue["location"] == {"path": "a/b.py", "lines": {"begin": 3}}
