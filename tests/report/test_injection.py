"""Names that would be commands, escape codes or markup, in every format."""

from __future__ import annotations

import json
import re

import pytest
from torch import nn

from rfcheck import analyze
from rfcheck.report.formats import FORMATS, render
from rfcheck.report.result import Failure, Result, Run
from rfcheck.report.snapshot import snapshot_of
from rfcheck.report.view import View

NAME = "a\n::error file=x::pwn\x1b[31m\x9b1m\u202e<script>![i](http:x)"
SHOWN = r"a\n::error file=x::pwn\x1b[31m\u009b1m\u202e"


@pytest.fixture(scope="module")
def run():
    model = nn.Sequential()
    for number in range(6):
        model.add_module(f"{NAME}{number}", nn.Conv2d(3, 3, 3, padding=1))
    analysis = analyze(model, 6)
    assert analysis.findings
    result = Result(f"{NAME}.py:Net", None, None, snapshot_of(analysis), analysis.findings)
    return Run((result,), (Failure(f"{NAME}.onnx", f"cannot be read: {NAME}"),))


@pytest.mark.parametrize("name", FORMATS)
def test_nothing_in_a_name_is_obeyed(name, run):
    text = render(name, run, View(layers=True))
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", text)
    assert "\x1b" not in text
    commands = re.findall("^::.*", text, re.MULTILINE)
    assert all(re.match("::(error|warning|notice) (file|title)=", command) and name == "github" for command in commands)
    assert not any(command.startswith("::error file=x") for command in commands)


@pytest.mark.parametrize("name", ["concise", "full"])
def test_names_are_shown(name, run):
    assert SHOWN in render(name, run, View(width=400))


def test_programs_find_the_names(run):
    assert json.dumps(f"{NAME}0") in render("json", run, View())
