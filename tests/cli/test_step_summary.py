from __future__ import annotations

import sys

import pytest

from rfcheck.cli.step_summary import append_step_summary
from rfcheck.report.markdown import render
from rfcheck.report.result import Failure, Run
from rfcheck.report.view import View
from tests.report.runs import CLEAN, FULL


def test_reports_are_appended(tmp_path, capsys):
    file = tmp_path / "summary.md"
    file.write_text("before\n", encoding="utf-8")
    environ = {"GITHUB_STEP_SUMMARY": str(file)}
    append_step_summary(FULL, View(), environ)
    append_step_summary(CLEAN, View(quiet=True), environ)
    expected = f"before\n{render(FULL, View())}\n{render(CLEAN, View(quiet=True))}\n"
    assert file.read_text(encoding="utf-8") == expected
    assert capsys.readouterr() == ("", "")


def test_a_file_that_does_not_exist_yet(tmp_path):
    append_step_summary(CLEAN, View(), {"GITHUB_STEP_SUMMARY": str(tmp_path / "new.md")})
    assert (tmp_path / "new.md").read_text(encoding="utf-8") == f"{render(CLEAN, View())}\n"


@pytest.mark.parametrize("environ", [{}, {"GITHUB_STEP_SUMMARY": ""}])
def test_elsewhere_nothing_happens(environ, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    append_step_summary(FULL, View(), environ)
    assert list(tmp_path.iterdir()) == []
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(("name", "reason"), [("gone/summary.md", "No such file or directory"), (".", "Is a directory")])
@pytest.mark.skipif(sys.platform == "win32", reason="the sentences of other systems")
def test_a_file_that_cannot_be_written(name, reason, tmp_path, capsys):
    file = tmp_path / name
    append_step_summary(FULL, View(), {"GITHUB_STEP_SUMMARY": str(file)})
    said = f"warning: the job summary cannot be written to {file} (GITHUB_STEP_SUMMARY): {reason}\n"
    assert capsys.readouterr() == ("", said)


def test_names_that_are_not_unicode(tmp_path):
    file = tmp_path / "summary.md"
    append_step_summary(Run((), (Failure("\udcff.py", "fails"),)), View(quiet=True), {"GITHUB_STEP_SUMMARY": str(file)})
    assert "- `\\udcff.py`: fails" in file.read_text(encoding="utf-8")
