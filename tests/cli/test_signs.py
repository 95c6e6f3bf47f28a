from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rfcheck.cli.signs import encoded, substitute_signs
from rfcheck.report.picture import _BARS, _FULL, BORDER

ROOT = Path(__file__).parent.parent.parent


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


@pytest.mark.parametrize("command", ["", "fix", "sweep --resolutions 32,64"])
def test_a_whole_report_in_ascii(command):
    verb, *more = command.split() or [""]
    words = [*([verb] if verb else []), "examples/resnet18_cifar.py", *(more or ["--resolution", "32"])]
    done = subprocess.run(
        [sys.executable, "-m", "rfcheck", *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": "ascii", "COLUMNS": "80"},
        capture_output=True,
        timeout=600,
    )
    assert done.returncode in (0, 1), done.stderr
    assert done.stdout.isascii()
    assert b"?" not in done.stdout
    assert done.stderr == b""
