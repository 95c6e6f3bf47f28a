from __future__ import annotations

import io
import re
import sys

import pytest

from rfcheck.cli import verify_progress as module
from rfcheck.cli.verify_progress import verify_progress
from rfcheck.verify.run.folder import RunFolder

NOTE = "epoch 12 of 60: accuracy 53.2%, validation 50.1%, saturation 0.55"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def folder(tmp_path):
    return RunFolder(tmp_path / "run")


def terminal(monkeypatch, kind="xterm"):
    """Let standard error be a terminal of 80 columns; called in a test, as pytest brings its own back before."""
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", kind)
    return sys.stderr


def shown(seen):
    """The lines that stood on a terminal at some time, without colours and movements."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", seen.getvalue().replace("\r", "\n")).split("\n")


def test_without_a_terminal_every_stage_ends_with_a_line(capsys, folder):
    with verify_progress(folder) as progress:
        progress.stage("training", 2)
        progress.step("accuracy 10.0%")
        progress.step("accuracy 20.0%")
        progress.stage("probes", 1)
        progress.step()
    assert capsys.readouterr() == ("", "training: accuracy 20.0%\nprobes\n")


def test_a_long_stage_tells_now_and_then_how_far_it_is(capsys, folder, monkeypatch):
    seconds = iter([0, 30, 60, 61, 122])
    monkeypatch.setattr(module.time, "monotonic", lambda: next(seconds))
    with verify_progress(folder) as progress:
        progress.stage("training", 4)
        for number in range(1, 5):
            progress.step(f"step {number}")
    assert capsys.readouterr().err == "training: 2/4, 0:01:00 left: step 2\ntraining: step 4\n"


def test_a_stage_that_fails_does_not_end(capsys, folder):
    def fail():
        with verify_progress(folder) as progress:
            progress.stage("training", 2)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert capsys.readouterr().err == ""


def test_the_folder_is_named_once_as_soon_as_something_is_kept(capsys, folder):
    with verify_progress(folder) as progress:
        progress.stage("reading images", 1)
        folder.path.mkdir()
        folder.recipe.touch()
        progress.stage("training", 1)
        progress.stage("probes", 1)
    assert capsys.readouterr().err == f"reading images\neverything is kept in {folder.path}\ntraining\nprobes\n"


def test_a_terminal_of_80_columns_has_room_for_the_bar_the_time_left_and_all_numbers(monkeypatch, folder):
    seen = terminal(monkeypatch)
    with verify_progress(folder) as progress:
        progress.stage("12/40: truncate-before, seed 10: training", 1000)
        for _ in range(300):
            progress.step(NOTE)
    lines = shown(seen)
    assert f"  {NOTE}" in [line.rstrip() for line in lines]
    bar = re.compile(r"12/40: truncate-before, seed 10: training ━.* +300/1000 (-:--:--|0:00:\d\d)")
    assert any(bar.fullmatch(line.rstrip()) for line in lines)
    assert max(map(len, lines)) <= 80


def test_a_terminal_shows_nothing_before_the_first_stage(monkeypatch, folder):
    seen = terminal(monkeypatch)
    with verify_progress(folder):
        pass
    assert [line for line in shown(seen) if line.strip()] == []


def test_a_terminal_that_cannot_move_gets_lines(monkeypatch, folder):
    seen = terminal(monkeypatch, "dumb")
    with verify_progress(folder) as progress:
        progress.stage("probes", 1)
    assert seen.getvalue() == "probes\n"


def test_of_several_processes_the_first_one_shows_it(capsys, folder, monkeypatch):
    monkeypatch.setenv("RANK", "1")
    with verify_progress(folder) as progress:
        progress.stage("training", 1)
        progress.step("accuracy 10.0%")
    assert capsys.readouterr().err == ""
