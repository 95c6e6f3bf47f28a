from __future__ import annotations

import io
import sys

from rfcheck.cli.verify_progress import verify_progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_without_a_terminal_every_stage_ends_with_a_line(capsys):
    with verify_progress() as progress:
        progress.stage("training", 2)
        progress.step("accuracy 10.0 %")
        progress.step("accuracy 20.0 %")
        progress.stage("probes", 1)
        progress.step()
    assert capsys.readouterr() == ("", "training: accuracy 20.0 %\nprobes\n")


def test_on_a_terminal_a_bar_shows_how_far_it_is(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("COLUMNS", "120")
    with verify_progress() as progress:
        progress.stage("training", 4)
        for _ in range(3):
            progress.step("accuracy 20.0 %")
    shown = sys.stderr.getvalue()
    assert "training" in shown
    assert "3/4" in shown
    assert "accuracy 20.0 %" in shown
