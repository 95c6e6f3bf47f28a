"""Names that would be commands, escape codes or markup, in every format."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET

import pytest
from torch import nn

from rfcheck import analyze
from rfcheck.report.formats import FORMATS, render
from rfcheck.report.graph_dot import graph_dot
from rfcheck.report.graph_facts import graph_facts
from rfcheck.report.graph_graphml import graph_graphml
from rfcheck.report.graph_json import graph_json
from rfcheck.report.graph_svg import graph_svg
from rfcheck.report.result import Failure, Result, Run
from rfcheck.report.snapshot import snapshot_of
from rfcheck.report.view import View
from tests.obeyed import NAME, obeyed

SHOWN = r"a\n::error file=x::pwn\x1b[31m\u009b1m\u202e \x3a:warning::w \x23#[add-mask]q \x23#vso[task]y"


@pytest.fixture(scope="module")
def analysis():
    model = nn.Sequential()
    for number in range(6):
        model.add_module(f"{NAME}{number}", nn.Conv2d(3, 3, 3, padding=1))
    return analyze(model, 6)


@pytest.fixture(scope="module")
def run(analysis):
    assert analysis.findings
    result = Result(f"{NAME}.py:Net", None, None, snapshot_of(analysis), analysis.findings)
    return Run((result,), (Failure(f"{NAME}.onnx", f"cannot be read: {NAME}"),))


@pytest.mark.parametrize("width", [40, 80, 400])
@pytest.mark.parametrize("name", FORMATS)
def test_nothing_in_a_name_is_obeyed(name, width, run):
    own = re.compile(r"::(error|warning|notice) (file|title)=(?!x::)") if name == "github" else re.compile("(?!)")
    assert [text for text in obeyed(render(name, run, View(width=width, layers=True))) if not own.match(text)] == []


@pytest.mark.parametrize("draw", [graph_svg, graph_dot, graph_graphml, graph_json])
def test_nor_is_anything_in_a_picture(draw, analysis):
    assert obeyed(draw(graph_facts(analysis))) == []


def test_nor_in_a_notebook(analysis):
    assert obeyed(analysis._repr_html_()) == []


@pytest.mark.parametrize("name", ["concise", "full"])
def test_names_are_shown(name, run):
    assert SHOWN in render(name, run, View(width=400))


def test_programs_find_the_names(run, analysis):
    layers = [layer["name"] for layer in json.loads(render("json", run, View()))["results"][0]["layers"]]
    assert layers == [f"{NAME}{number}" for number in range(6)]
    nodes = [node.get("id") for node in ET.fromstring(graph_graphml(graph_facts(analysis))).iter() if node.tag.endswith("}node")]
    assert nodes == ["input", *(f"{NAME}{number}".replace("\x1b", "\ufffd") for number in range(6))]
