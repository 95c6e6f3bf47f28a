from __future__ import annotations

import io
import sys

import pytest

from rfcheck.cli.terminal import terminal_view
from rfcheck.report.view import View


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("is_terminal", "environment", "color"),
    [
        (True, {}, True),
        (False, {}, False),
        (True, {"NO_COLOR": "1"}, False),
        (True, {"NO_COLOR": ""}, True),
        (False, {"FORCE_COLOR": "1"}, True),
        (False, {"FORCE_COLOR": ""}, False),
        (True, {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        (True, {"TERM": "dumb"}, False),
        (True, {"TERM": "unknown"}, False),
        (False, {"TERM": "dumb", "FORCE_COLOR": "1"}, True),
    ],
)
def test_colour(monkeypatch, is_terminal, environment, color):
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stdout", Terminal() if is_terminal else io.StringIO())
    assert terminal_view().color is color


def test_the_width(monkeypatch):
    monkeypatch.setenv("COLUMNS", "57")
    assert terminal_view().width == 57


def test_what_is_asked_for(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    view = terminal_view(quiet=True, layers=True, statistics=True, show_suppressed=True)
    assert view == View(width=80, color=False, quiet=True, layers=True, statistics=True, show_suppressed=True)
    assert terminal_view() == View(width=80, color=False)
