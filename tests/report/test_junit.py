from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from rfcheck.report.junit import render
from rfcheck.report.result import Failure, Run
from rfcheck.report.view import View
from tests.report.runs import CLEAN, EMPTY, FULL, NET, STEM, TAIL
from tests.report.runs import WHOLE as WHOLE_MODEL

FIX = "Fix: truncate-before: tail 3 -&gt; 0, unproductive 3 -&gt; 0, FLOPs 135 k -&gt; 58.2 k, parameters 2.20 k -&gt; 990"
SUITE = "model.py:Net at 3x8x8"

WHOLE = f"""\
<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="rfcheck" tests="6" failures="1" errors="1">
  <testsuite name="{SUITE}" tests="4" failures="1" errors="0" skipped="3">
    <testcase classname="{SUITE}" name="RF101 unproductive-tail tail.2">
      <failure type="warning" message="{TAIL.message}">src/a b/ünï.py:12:9: {TAIL.message}
{FIX}</failure>
    </testcase>
    <testcase classname="{SUITE}" name="RF401 budget">
      <skipped message="[info] model.py:5: 100 % of 5 FLOPs: too much,&#10;by far" />
    </testcase>
    <testcase classname="{SUITE}" name="RF201 aggressive-stem stem">
      <skipped message="suppressed in model.py:8: as in the paper" />
    </testcase>
    <testcase classname="{SUITE}" name="RF101 unproductive-tail tail.3">
      <skipped message="in the baseline" />
    </testcase>
  </testsuite>
  <testsuite name="zoo:clean at 3x8x8" tests="1" failures="0" errors="0" skipped="0">
    <testcase classname="zoo:clean at 3x8x8" name="no findings" />
  </testsuite>
  <testsuite name="bad.py:Bad" tests="1" failures="0" errors="1" skipped="0">
    <testcase classname="bad.py:Bad" name="analysis">
      <error type="analysis" message="building the model fails: 100 %" />
    </testcase>
  </testsuite>
</testsuites>
"""


def require_structure(text: str) -> ET.Element:
    """What readers of JUnit XML rely on: names, counts that agree with the tests, one outcome per test."""
    root = ET.fromstring(text.encode("utf-8"))
    assert root.tag == "testsuites"
    suites = list(root)
    for suite in suites:
        cases = list(suite)
        assert {case.tag for case in cases} <= {"testcase"}
        assert set(suite.attrib) == {"name", "tests", "failures", "errors", "skipped"}
        assert all(set(case.attrib) == {"name", "classname"} and len(case) <= 1 for case in cases)
        outcomes = [child.tag for case in cases for child in case]
        counted = {kind: int(suite.get(kind)) for kind in ("tests", "failures", "errors", "skipped")}
        expected = {"failures": "failure", "errors": "error", "skipped": "skipped"}
        assert counted == {"tests": len(cases), **{kind: outcomes.count(tag) for kind, tag in expected.items()}}
    for kind in ("tests", "failures", "errors"):
        assert int(root.get(kind)) == sum(int(suite.get(kind)) for suite in suites)
    return root


@pytest.mark.parametrize("run", [FULL, CLEAN, EMPTY])
def test_the_structure(run):
    require_structure(render(run, View()))


def test_the_whole_report():
    assert render(FULL, View()) == WHOLE


def test_no_model_at_all():
    assert render(EMPTY, View()) == (
        '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="rfcheck" tests="0" failures="0" errors="0" />\n'
    )


def test_a_model_whose_findings_are_all_silenced_passes():
    root = require_structure(render(Run((replace(NET, findings=(), known=(TAIL,)),), ()), View()))
    assert [(case.get("name"), [child.tag for child in case]) for case in root.iter("testcase")] == [
        ("no findings", []),
        ("RF101 unproductive-tail tail.2", ["skipped"]),
    ]


@pytest.mark.parametrize(
    ("fail_on", "outcomes"),
    [
        ("info", ["failure", "failure", "failure"]),
        ("warning", ["failure", "failure", "skipped"]),
        ("error", ["failure", "skipped", "skipped"]),
        ("never", ["skipped", "skipped", "skipped"]),
    ],
)
def test_what_does_not_fail_the_run_fails_no_test(fail_on, outcomes):
    run = Run((replace(NET, findings=(STEM, TAIL, WHOLE_MODEL), fail_on=fail_on),), ())
    root = require_structure(render(run, View()))
    assert [case[0].tag for case in root.iter("testcase")] == outcomes
    assert run.fails == ("failure" in outcomes)


NASTY = "a\x00b\x1b[31m <&> \"quoted\" 'it' ]]> ü \U0001f600 \ud800 \ufffe\x7f\tend\r\nnext"
READABLE = "a\ufffdb\ufffd[31m <&> \"quoted\" 'it' ]]> ü \U0001f600 \ufffd \ufffd\x7f\tend"


def test_any_text_is_valid_xml():
    finding = replace(STEM, message=NASTY, layer=NASTY)
    run = Run((replace(NET, target=NASTY, findings=(finding,)),), (Failure(NASTY, NASTY),))
    root = require_structure(render(run, View()))
    assert root.find(".//failure").get("message") == f"{READABLE}\r\nnext"
    assert root.find(".//error").get("message") == f"{READABLE}\r\nnext"
    assert root[0].get("name").startswith(READABLE)
