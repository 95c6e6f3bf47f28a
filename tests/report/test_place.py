from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from rfcheck.report.place import place_of, slashed, span_of
from rfcheck.span import Span
from tests.report.runs import CALL, NET, PLACED, TAIL


def test_the_call_that_made_the_layer_comes_first():
    assert span_of(NET, PLACED) == CALL[0]


def test_a_finding_without_a_call_points_at_the_definition():
    assert span_of(NET, TAIL) == Span("model.py", 5)
    assert span_of(replace(NET, line=None), TAIL) == Span("model.py", 1)


def test_definitions_below_the_current_folder_are_relative(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    inside, outside = tmp_path / "nets" / "model.py", tmp_path.parent / "model.py"
    assert span_of(replace(NET, path=str(inside)), TAIL) == Span(str(Path("nets/model.py")), 5)
    assert span_of(replace(NET, path=str(outside)), TAIL) == Span(str(outside), 5)


def test_no_file():
    assert span_of(replace(NET, path=None, line=None), TAIL) is None


def test_paths_for_services():
    assert slashed("./a/b.py") == "a/b.py"
    assert slashed(str(Path("a") / "b c.py")) == "a/b c.py"
    assert slashed("/a/b.py") == "/a/b.py"


def test_places_as_text():
    assert place_of(NET, PLACED) == "src/a b/ünï.py:12:9"
    assert place_of(NET, replace(PLACED, chain=PLACED.chain[2:])) == "train.py:7"
    assert place_of(NET, TAIL) == "model.py:5"
    assert place_of(replace(NET, path=None), TAIL) == "model.py:Net"
    assert place_of(replace(NET, line=None), TAIL) == "model.py:Net"
