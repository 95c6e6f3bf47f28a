from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from rfcheck.report.place import file_of, place_of, repository_path, span_of
from rfcheck.report.result import Failure
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


@pytest.mark.parametrize(
    ("path", "shown"),
    [("./a/b.py", "a/b.py"), ("a/b c.py", "a/b c.py"), ("a/../b.py", "b.py"), ("{here}/a.py", "a.py"), ("/a/b.py", "/a/b.py")],
)
def test_paths_for_services_without_a_repository(tmp_path, monkeypatch, path, shown):
    monkeypatch.chdir(tmp_path)
    assert repository_path(path.format(here=tmp_path)) == shown


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("a.py", "models/small/a.py"),
        ("../b.py", "models/b.py"),
        ("{root}/c.py", "c.py"),
        ("{root}.py", "{root}.py"),
        ("../../../d.py", "{outside}/d.py"),
    ],
)
def test_paths_for_services_start_from_the_repository(tmp_path, monkeypatch, path, shown):
    root = tmp_path / "repository"
    (root / "models" / "small").mkdir(parents=True)
    subprocess.run(["git", "init", "-q", root], check=True)
    monkeypatch.chdir(root / "models" / "small")
    assert repository_path(path.format(root=root)) == shown.format(root=root, outside=tmp_path)


@pytest.mark.parametrize(
    ("target", "file"),
    [
        ("a/b.py", "a/b.py"),
        ("a/b.py:build(depth=3)", "a/b.py"),
        ("torchvision:resnet18", None),
        ("package.module:Net", None),
        ("tiny", None),
    ],
)
def test_the_file_of_a_target_that_failed(target, file):
    assert file_of(Failure(target, "it fails")) == file


def test_places_as_text():
    assert place_of(NET, PLACED) == "src/a b/ünï.py:12:9"
    assert place_of(NET, replace(PLACED, chain=PLACED.chain[2:])) == "train.py:7"
    assert place_of(NET, TAIL) == "model.py:5"
    assert place_of(replace(NET, path=None), TAIL) == "model.py:Net"
    assert place_of(replace(NET, line=None), TAIL) == "model.py:Net"
