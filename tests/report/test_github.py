from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import unquote

import pytest

from rfcheck.report.github import render
from rfcheck.report.result import Failure, Run
from rfcheck.report.view import View
from rfcheck.span import Span
from tests.report.runs import CLEAN, EMPTY, FULL, NET, STEM, TAIL, WHOLE

TAIL_TEXT = (
    "3 layers from tail.2 on cannot add context: their input already sees at least 11 px of the 8x8 image; they hold 55.0%25 of the "
    "parameters and 56.9%25 of the FLOPs%0AFix: truncate-before: tail 3 -> 0, unproductive 3 -> 0, FLOPs 135 k -> 58.2 k, "
    "parameters 2.20 k -> 990"
)


def text_of(*findings, **changes) -> str:
    return render(Run((replace(NET, findings=findings, **changes),), ()), View())


def test_the_whole_output():
    assert render(FULL, View()).splitlines() == [
        "::warning file=src/a b/ünï.py,line=12,endLine=14,title=rfcheck RF101 unproductive-tail::Net at 3x8x8, tail.2: "
        + TAIL_TEXT,
        "::notice file=model.py,line=5,endLine=5,title=rfcheck RF401 budget::Net at 3x8x8: 100 %25 of 5 FLOPs: too much,%0Aby far",
        "::error file=bad.py,title=rfcheck cannot analyse bad.py%3ABad::building the model fails: 100 %25",
    ]


@pytest.mark.parametrize("run", [CLEAN, EMPTY])
def test_nothing_to_say(run):
    assert render(run, View()) == ""


def test_columns_on_a_single_line():
    start = "::error file=model.py,line=8,endLine=8,col=20,endColumn=44,title=rfcheck RF201 aggressive-stem::"
    assert text_of(STEM) == f"{start}Net at 3x8x8, stem: the stem is too fast\n"
    assert ",line=8,endLine=8,col=20,title=" in text_of(replace(STEM, chain=(Span("model.py", 8, 20),)))


def test_without_a_file():
    assert text_of(WHOLE, path=None, line=None).startswith("::notice title=rfcheck RF401 budget::Net at 3x8x8: ")


@pytest.mark.parametrize("text", ["a::b", "50%, 100%25", "one\r\ntwo\nthree", "file=x,line=1::error::", "%0A"])
def test_any_text_comes_back_unharmed(text):
    """What the runner does with a command: it ends a line, is split at "::" and at commas, and its parts are decoded."""
    finding = replace(TAIL, message=text, layer=None, name=text, chain=(Span(text, 1),))
    (line,) = text_of(finding, snapshot=replace(NET.snapshot, best_fixes={})).split("\n")[:-1]
    name, _, rest = line[2:].partition(" ")
    listed, _, message = rest.partition("::")
    properties = dict(item.split("=", 1) for item in listed.split(","))
    assert name == "warning"
    assert unquote(message) == f"Net at 3x8x8: {text}"
    assert unquote(properties["file"]) == text
    assert unquote(properties["title"]) == f"rfcheck RF101 {text}"
    assert set(re.findall("%..", line)) <= {"%25", "%0A", "%0D", "%3A", "%2C"}


def test_a_failure_names_its_target_once():
    run = Run((), (Failure("a,b.py", "a,b.py: holds no model"), Failure("zoo:net", "zoo:net: not there")))
    assert render(run, View()) == (
        "::error file=a%2Cb.py,title=rfcheck cannot analyse a%2Cb.py::holds no model\n"
        "::error title=rfcheck cannot analyse zoo%3Anet::not there\n"
    )
