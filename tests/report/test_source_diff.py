"""Differences, against what ``patch`` makes of them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from rfcheck.report.source_diff import source_diff

BEFORE = "# größe\n" + "".join(f"line {number}\n" for number in range(1, 20))
AFTER = BEFORE.replace("line 3\n", "changed\n").replace("line 15", "line x \u2028 with a separator")

DIFF = """\
--- model.py
+++ model.py
@@ -1,7 +1,7 @@
 # größe
 line 1
 line 2
-line 3
+changed
 line 4
 line 5
 line 6
@@ -13,7 +13,7 @@
 line 12
 line 13
 line 14
-line 15
+line x \u2028 with a separator
 line 16
 line 17
 line 18
"""


def test_the_diff():
    assert source_diff("model.py", BEFORE.encode(), AFTER.encode()) == DIFF


@pytest.mark.parametrize("content", [BEFORE.encode(), b"", b"# gr\xf6 coding: latin-1\n"])
def test_no_difference(content):
    assert source_diff("model.py", content, content) == ""


def test_what_a_log_would_obey_is_shown():
    before = b'"""\n::error file=x::y\n##[error]z \x1b[31m\n"""\nx = 1\n'
    diff = source_diff("##[error]a.py", before, before.replace(b"1\n", b"2\n"))
    assert diff.splitlines() == [
        r"--- \x23#[error]a.py", r"+++ \x23#[error]a.py", "@@ -2,4 +2,4 @@",
        r" \x3a:error file=x::y", r" \x23#[error]z \x1b[31m", ' """', "-x = 1", "+x = 2",
    ]  # fmt: skip


def test_a_last_line_without_an_end():
    assert source_diff("a.py", b"x = 1\ny = 2", b"x = 3\ny = 2").endswith(" y = 2\n\\ No newline at end of file\n")


@pytest.mark.skipif(shutil.which("patch") is None, reason="needs patch")
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("end", ["", "last"])
@pytest.mark.parametrize("path", ["model.py", "größe/model.py"])
def test_patch_takes_it(tmp_path, newline, encoding, end, path):
    before, after = (f"{text}{end}".replace("\n", newline).encode(encoding) for text in (BEFORE, AFTER))
    file = tmp_path / path
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(before)
    diff = source_diff(path, before, after).encode()
    subprocess.run(["patch", "-p0", "--binary"], input=diff, cwd=tmp_path, check=True, capture_output=True)
    assert Path(file).read_bytes() == after
