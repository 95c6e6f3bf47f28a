from __future__ import annotations

import os
from pathlib import Path

import pytest

from rfcheck.span import Span, shown_path


def test_the_last_line():
    assert Span("model.py", 3).last_line == 3
    assert Span("model.py", 3, 5, 7, 2).last_line == 7


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("{here}/model.py", "model.py"),
        ("{here}/a b/ünï.py", "a b/ünï.py"),
        ("model.py", "model.py"),
        ("./model.py", "model.py"),
        ("sub/../model.py", "model.py"),
        ("{here}2/model.py", "{here}2/model.py"),
        ("../model.py", "{above}/model.py"),
        ("/other/model.py", "/other/model.py"),
    ],
)
def test_paths_are_relative_where_they_lie_in_the_current_folder(tmp_path, monkeypatch, path, shown):
    here = tmp_path / "project"
    here.mkdir()
    monkeypatch.chdir(here)
    assert shown_path(path.format(here=here)) == shown.format(here=here, above=tmp_path)


def test_links_stay_as_they_are(tmp_path, monkeypatch):
    (tmp_path / "project").mkdir()
    (tmp_path / "elsewhere.py").touch()
    (tmp_path / "project" / "link.py").symlink_to(tmp_path / "elsewhere.py")
    (tmp_path / "linked").symlink_to(tmp_path / "project")
    monkeypatch.chdir(tmp_path / "linked")
    assert shown_path("link.py") == "link.py"
    assert shown_path(str(tmp_path / "project" / "link.py")) == "link.py"
    assert shown_path(str(tmp_path / "linked" / "link.py")) == str(tmp_path / "linked" / "link.py")


def test_everything_lies_in_the_root(monkeypatch):
    monkeypatch.chdir(os.sep)
    assert shown_path(str(Path(os.sep) / "a" / "model.py")) == str(Path("a") / "model.py")
