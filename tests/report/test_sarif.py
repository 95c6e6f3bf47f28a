from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

import rfcheck
from rfcheck.linting.rule import find_rule
from rfcheck.report.result import Run, Suppressed
from rfcheck.report.sarif import render
from rfcheck.report.view import View
from rfcheck.span import Span
from tests.report.runs import CLEAN, COMMENT, EMPTY, FULL, NET, STEM, TAIL

SCHEMA = json.loads((Path(__file__).parent / "sarif-schema-2.1.0.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft4Validator(SCHEMA)


def log(run: Run) -> dict:
    text = render(run, View())
    assert text.endswith("}\n")
    whole = json.loads(text)
    VALIDATOR.validate(whole)
    return whole


def printed(code: str, layer: str | None) -> dict[str, str]:
    recipe = json.dumps(["model.py:Net", 3, [8, 8], code, layer, 1]).encode()
    return {"rfcheckFinding/v1": hashlib.sha256(recipe).hexdigest()}


def place(path: str, line: int, **region: int) -> dict:
    return {"artifactLocation": {"uri": path, "uriBaseId": "%SRCROOT%"}, "region": {"startLine": line, **region}}


def properties(*fixes: str) -> dict:
    return {"target": "model.py:Net", "inputSize": [3, 8, 8], "fixes": list(fixes)}


TAIL_FIXES = ("truncate", "truncate-before", "move-downsampling", "remove-stem")
FIX = "Fix: truncate-before: tail 3 -> 0, unproductive 3 -> 0, FLOPs 135 k -> 58.2 k, parameters 2.20 k -> 990"

RESULTS = [
    {
        "ruleId": "RF101",
        "ruleIndex": 0,
        "level": "warning",
        "message": {"text": f"Net at 3x8x8, tail.2: {TAIL.message}\n{FIX}"},
        "locations": [
            {
                "logicalLocations": [{"fullyQualifiedName": "tail.2", "kind": "module"}],
                "physicalLocation": place("src/a%20b/%C3%BCn%C3%AF.py", 12, startColumn=9, endLine=14, endColumn=2),
            }
        ],
        "relatedLocations": [
            {
                "id": 0,
                "message": {"text": "the call that led to it"},
                "physicalLocation": place("src/a%20b/%C3%BCn%C3%AF.py", 30, startColumn=5, endLine=30, endColumn=20),
            },
            {"id": 1, "message": {"text": "the call that led to it"}, "physicalLocation": place("train.py", 7)},
        ],
        "partialFingerprints": printed("RF101", "tail.2"),
        "suppressions": [],
        "properties": properties(*TAIL_FIXES),
    },
    {
        "ruleId": "RF401",
        "ruleIndex": 2,
        "level": "note",
        "message": {"text": "Net at 3x8x8: 100 % of 5 FLOPs: too much,\nby far"},
        "locations": [
            {
                "logicalLocations": [{"fullyQualifiedName": "model.py:Net", "kind": "module"}],
                "physicalLocation": place("model.py", 5),
            }
        ],
        "partialFingerprints": printed("RF401", None),
        "suppressions": [],
        "properties": properties(),
    },
    {
        "ruleId": "RF201",
        "ruleIndex": 1,
        "level": "error",
        "message": {"text": "Net at 3x8x8, stem: the stem is too fast"},
        "locations": [
            {
                "logicalLocations": [{"fullyQualifiedName": "stem", "kind": "module"}],
                "physicalLocation": place("model.py", 8, startColumn=20, endLine=8, endColumn=44),
            }
        ],
        "partialFingerprints": printed("RF201", "stem"),
        "suppressions": [
            {
                "kind": "inSource",
                "status": "accepted",
                "justification": "as in the paper",
                "location": {"physicalLocation": place("model.py", 8, startColumn=46)},
            }
        ],
        "properties": properties(),
    },
    {
        "ruleId": "RF101",
        "ruleIndex": 0,
        "level": "warning",
        "message": {"text": f"Net at 3x8x8, tail.3: {TAIL.message}\n{FIX}"},
        "locations": [
            {
                "logicalLocations": [{"fullyQualifiedName": "tail.3", "kind": "module"}],
                "physicalLocation": place("model.py", 5),
            }
        ],
        "partialFingerprints": printed("RF101", "tail.3"),
        "suppressions": [{"kind": "external", "status": "accepted"}],
        "properties": properties(*TAIL_FIXES),
    },
]


def test_the_whole_log():
    whole = log(FULL)
    rules = whole["runs"][0]["tool"]["driver"].pop("rules")
    assert [(rule["id"], rule["help"]["markdown"]) for rule in rules] == [
        (code, find_rule(code).body) for code in ("RF101", "RF201", "RF401")
    ]
    assert whole == {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "rfcheck", "version": rfcheck.__version__}},
                "invocations": [
                    {
                        "executionSuccessful": False,
                        "toolExecutionNotifications": [
                            {
                                "level": "error",
                                "message": {"text": "bad.py:Bad: building the model fails: 100 %"},
                                "locations": [{"logicalLocations": [{"fullyQualifiedName": "bad.py:Bad", "kind": "module"}]}],
                            }
                        ],
                    }
                ],
                "columnKind": "unicodeCodePoints",
                "results": RESULTS,
            }
        ],
    }


@pytest.mark.parametrize("run", [CLEAN, EMPTY])
def test_nothing_found(run):
    (only,) = log(run)["runs"]
    assert (only["results"], only["tool"]["driver"]["rules"]) == ([], [])
    assert only["invocations"] == [{"executionSuccessful": True, "toolExecutionNotifications": []}]


def only_result(**changes) -> dict:
    return log(Run((replace(NET, **changes),), ()))["runs"][0]["results"][0]


@pytest.mark.parametrize(
    ("target", "uri"), [("zoo:net", "zoo%3Anet"), ("zoo:net(a='b/c')", "zoo%3Anet%28a%3D%27b%2Fc%27%29"), ("tiny", "tiny")]
)
def test_without_any_file(target, uri):
    """Code scanning wants a physical location of every result."""
    (location,) = only_result(findings=(TAIL,), target=target, path=None, line=None)["locations"]
    assert location == {
        "logicalLocations": [{"fullyQualifiedName": "tail.2", "kind": "module"}],
        "physicalLocation": {"artifactLocation": {"uri": uri, "uriBaseId": "%SRCROOT%"}, "region": {"startLine": 1}},
    }


def test_absolute_paths_are_file_addresses(tmp_path):
    elsewhere = tmp_path / "ünï model.py"
    result = only_result(findings=(replace(TAIL, chain=(Span(str(elsewhere), 3),)),))
    assert result["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": elsewhere.as_uri()},
        "region": {"startLine": 3},
    }


@pytest.mark.parametrize(("path", "uri"), [("a:b.py", "a%3Ab.py"), ("a#b?c%.py", "a%23b%3Fc%25.py"), ("./a.py", "a.py")])
def test_relative_paths_are_encoded(path, uri):
    result = only_result(findings=(replace(TAIL, chain=(Span(path, 3),)),))
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri


def test_a_path_that_is_not_unicode():
    result = only_result(findings=(replace(TAIL, chain=(Span(b"\xff.py".decode("utf-8", "surrogateescape"), 3),)),))
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "%FF.py"


def test_a_comment_without_a_reason():
    silenced = only_result(findings=(), suppressed=(Suppressed(STEM, replace(COMMENT, reason="")),))
    assert "justification" not in silenced["suppressions"][0]


def test_rules_of_the_user_bring_their_pages(tmp_path):
    front = "code: MY001\nname: mine\nseverity: info\nscope: model\nwhen: size(tail) > 0\nmessage: there is a tail"
    (tmp_path / "MY001-mine.md").write_text(f"---\n{front}\n---\n# My rule\n\nWhat it means.\n", encoding="utf-8")
    run = Run((replace(NET, findings=(replace(TAIL, code="MY001", name="mine"),)),), ())
    whole = json.loads(render(run, View(rule_folders=(str(tmp_path),))))
    VALIDATOR.validate(whole)
    (rule,) = whole["runs"][0]["tool"]["driver"]["rules"]
    assert rule["help"] == {"text": "# My rule\n\nWhat it means.", "markdown": "# My rule\n\nWhat it means."}


def test_fingerprints_are_unique_in_a_run():
    results = log(Run((NET, NET, replace(NET, findings=(TAIL, TAIL))), ()))["runs"][0]["results"]
    assert len({result["partialFingerprints"]["rfcheckFinding/v1"] for result in results}) == 4


@pytest.mark.parametrize("damage", [{"level": "info"}, {"suppressions": [{}]}, {"locations": {}}, {"color": "red"}])
def test_the_schema_would_notice(damage):
    whole = log(FULL)
    whole["runs"][0]["results"][0].update(damage)
    assert not VALIDATOR.is_valid(whole)
