"""Whole outputs, files and exit codes of ``rfcheck graph``."""

from __future__ import annotations

import json
import re

import pytest
from torch import nn

from rfcheck import analyze
from rfcheck.report.graph_dot import graph_dot
from rfcheck.report.graph_facts import graph_facts
from rfcheck.report.graph_svg import graph_svg
from tests.test_import_weight import imported

CHAIN = """
class Chain(nn.Sequential):
    def __init__(self, n=7):
        super().__init__(*(nn.Conv2d(3, 3, 3, padding=1) for _ in range(n)))
"""


class Chain(nn.Sequential):
    def __init__(self, n=7):
        super().__init__(*(nn.Conv2d(3, 3, 3, padding=1) for _ in range(n)))


@pytest.fixture
def chain(model_file):
    return model_file(CHAIN)


def test_dot_is_the_default(run, chain):
    assert run("graph", chain, "--resolution", "8") == (0, graph_dot(graph_facts(analyze(Chain(), 8))), "")


def test_svg(run, chain):
    assert run("graph", chain, "--resolution", "8", "--format", "svg") == (0, graph_svg(graph_facts(analyze(Chain(), 8))), "")


def test_json_knows_the_lines_of_the_code(run, chain):
    code, out, err = run("graph", chain, "--resolution", "8", "--format", "json")
    assert (code, err) == (0, "")
    document = json.loads(out)
    assert [node["id"] for node in document["nodes"]] == ["input", "0", "1", "2", "3", "4", "5", "6"]
    assert [node["state"] for node in document["nodes"]] == [""] + ["productive"] * 4 + ["tail"] * 3
    assert {(node["source"][0]["path"], node["source"][0]["line"]) for node in document["nodes"][1:]} == {("model.py", 6)}


def test_graphml(run, chain):
    code, out, err = run("graph", chain, "--resolution", "8", "--output-format", "graphml")
    assert (code, err) == (0, "")
    assert re.findall(r'<node id="(\w+)"', out) == ["input", "0", "1", "2", "3", "4", "5", "6"]


@pytest.mark.parametrize(
    ("name", "start"),
    [("g.dot", "digraph"), ("g.gv", "digraph"), ("g.SVG", "<svg "), ("g.json", "{\n"), ("gräph.graphml", "<?xml ")],
)
def test_the_ending_of_the_file_says_the_format(run, chain, tmp_path, name, start):
    assert run("graph", chain, "--resolution", "8", "-o", name) == (0, "", "")
    assert (tmp_path / name).read_text(encoding="utf-8").startswith(start)
    assert {path.name for path in tmp_path.iterdir()} - {"__pycache__"} == {"model.py", name}


def test_a_format_that_is_given_wins(run, chain, tmp_path):
    assert run("graph", chain, "--resolution", "8", "-o", "g.txt", "--format", "json") == (0, "", "")
    assert json.loads((tmp_path / "g.txt").read_text(encoding="utf-8"))["version"] == 1


def test_one_model_of_a_file(run, model_file):
    path = model_file(CHAIN + CHAIN.replace("Chain", "Wide"))
    error = f"error: rfcheck graph draws one model, but {path} holds 2; give one of {path}:Chain, {path}:Wide\n"
    assert run("graph", path, "--resolution", "8") == (2, "", error)
    code, out, err = run("graph", f"{path}:Wide", "--resolution", "8")
    assert (code, err) == (0, "")
    assert out.startswith('digraph "Wide" {\n')


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["-o", "g.png"],
            "error: --output-file g.png: the name ends in none of .dot, .gv, .graphml, .json, .svg; add --format\n",
        ),
        (["-o", "nowhere/g.svg"], "error: --output-file nowhere/g.svg: the folder nowhere does not exist\n"),
        (["--channels", "5", "--input-size", "3,8,8"], None),
    ],
)
def test_refused_before_anything_is_computed(run, model_file, arguments, message):
    path = model_file("raise SystemExit('imported')\n")
    size = [] if "--input-size" in arguments else ["--resolution", "8"]
    code, out, err = run("graph", path, *size, *arguments)
    assert (code, out) == (2, "")
    assert err == message or (message is None and "--channels" in err)


def test_failures(run, chain, model_file):
    code, out, err = run("graph", chain)
    assert (code, out) == (2, "")
    assert err.startswith("error: the input size is missing")
    code, out, err = run("graph", "nowhere.py", "--resolution", "8")
    assert (code, out) == (2, "")
    assert err.startswith("error: nowhere.py")
    assert run("graph", model_file("x = 1\n", "empty.py"), "--resolution", "8")[0] == 3


def test_nothing_is_written_when_the_analysis_fails(run, model_file, tmp_path):
    path = model_file("def build():\n    return nn.Sequential(nn.Conv2d(3, 3, 9))\n")
    code, out, err = run("graph", f"{path}:build", "--resolution", "4", "-o", "g.svg")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert not (tmp_path / "g.svg").exists()
    assert "Traceback (most recent call last)" in run("graph", f"{path}:build", "--resolution", "4", "--verbose")[2]


def test_a_format_that_does_not_exist(run, chain):
    code, out, err = run("graph", chain, "--resolution", "8", "--format", "png")
    assert (code, out) == (2, "")
    assert "'png' is none of dot, graphml, json, svg" in err


def test_help_needs_no_torch():
    assert imported("from rfcheck.cli import main; main(['graph', '--help'])") == []
