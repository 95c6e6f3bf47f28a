from __future__ import annotations

import io
import sys

import pytest

from rfcheck.cli import main
from rfcheck.cli.signs import encoded, substitute_signs
from rfcheck.report.picture import _BARS, _FULL, BORDER
from tests.conftest import EXAMPLES


def test_signs_of_the_same_width():
    text = "r/I ▁▂▃▄▅▆▇█│ → 2×3 … ü"
    assert encoded(text, "ascii") == b"r/I .:-=+*%#| > 2x3 ~ ?"
    assert encoded(text, "utf-8") == text.encode()
    assert encoded("2×3 ü", "latin-1") == "2×3 ü".encode("latin-1")


def test_every_bar_is_another_sign():
    bars = encoded(_BARS + _FULL + BORDER, "ascii").decode()
    assert len(set(bars)) == len(_BARS) + 2
    assert "?" not in bars


def test_streams_that_fail_no_more(monkeypatch):
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="ascii", write_through=True))
    monkeypatch.setattr(sys, "stderr", io.StringIO())  # has no encoding to give way to
    substitute_signs()
    print("7 → 8")
    assert written.getvalue() == b"7 > 8\n"


@pytest.mark.parametrize("command", ["{}", "fix {}", "sweep {} --resolutions 32,64"])
def test_a_whole_report_in_ascii(monkeypatch, command):
    written, errors = io.BytesIO(), io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="ascii", write_through=True))
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(errors, encoding="ascii", write_through=True))
    monkeypatch.setenv("COLUMNS", "80")
    words = command.format(EXAMPLES / "resnet18_cifar.py").split()
    with pytest.raises(SystemExit) as left:
        main(words if "--resolutions" in words else [*words, "--resolution", "32"])
    assert left.value.code in (0, 1), errors.getvalue()
    assert len(written.getvalue()) > 500
    assert written.getvalue().isascii()
    assert b"?" not in written.getvalue()
    assert errors.getvalue() == b""
