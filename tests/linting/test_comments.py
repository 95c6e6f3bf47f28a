from __future__ import annotations

import os

import pytest

from rfcheck.linting.comments import suppressions_in
from rfcheck.linting.suppression import Suppression

CODE = '''import torch
from torch import nn


class Net(nn.Module):  # noqa: D101  # rfcheck: ignore[RF3] as published
    """# rfcheck: ignore-file"""

    def __init__(self):
        text = "# rfcheck: ignore"
        # rfcheck: ignore[RF101]
        self.body = nn.Sequential(
            nn.Conv2d(3, 8, 3),  # rfcheck: ignore[RF101, dead-taps]
            # rfcheck: ignore
            nn.Conv2d(8, 8, 3),
        )  # rfcheck: ingore
        self.größe = 3  # rfcheck: ignore
    # rfcheck: ignore-file[RF4] no budget here
'''
ALONE = "on a line of its own it silences nothing; put it at the end of a line of the code that it is about"
TYPO = "'ingore' is nothing that a comment can ask for; did you mean ignore?"


def test_the_comments_of_a_file(tmp_path):
    path = tmp_path / "größe.py"
    path.write_text(CODE, encoding="utf-8")
    name = str(path)
    assert suppressions_in(name) == [
        Suppression(name, 5, 38, ("RF3",), "as published", 5, 16, end_column=73),
        Suppression(name, 10, 9, ("RF101",), "", 10, 10, end_column=33, problem=ALONE),
        Suppression(name, 12, 34, ("RF101", "dead-taps"), "", 12, 12, end_column=69),
        Suppression(name, 13, 13, (), "", 13, 13, end_column=30, problem=ALONE),
        Suppression(name, 15, 12, (), "", 15, 15, end_column=29, problem=TYPO),
        Suppression(name, 16, 25, (), "", 16, 16, end_column=42),
        Suppression(name, 17, 5, ("RF4",), "no budget here", 1, 18, True, 47),
    ]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
def test_line_ends_and_encodings(tmp_path, line_end, encoding):
    code = f"# coding: {encoding.removesuffix('-sig')}\n{CODE}".replace("\n", line_end)
    (tmp_path / "a.py").write_bytes(code.encode(encoding))
    assert [s.line for s in suppressions_in(str(tmp_path / "a.py"))] == [6, 11, 13, 14, 16, 17, 18]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.py", b"x = 1\n"),
        ("a.py", b""),
        ("a.py", b"x = (  # rfcheck: ignore\n"),
        ("a.py", b"x = '\xff'  # rfcheck: ignore\n"),
        ("a.py", b"# coding: nonsense\nx = 1  # rfcheck: ignore\n"),
        ("a.py", b"x = '\0'  # rfcheck: ignore\n"),
        ("a.onnx", b"x = 1  # rfcheck: ignore\n"),
    ],
    ids=["none", "empty", "syntax", "bytes", "encoding", "null byte", "not Python"],
)
def test_files_without_comments(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    assert suppressions_in(str(tmp_path / name)) == []


def test_what_cannot_be_read(tmp_path):
    assert suppressions_in(str(tmp_path / "none.py")) == []
    assert suppressions_in("<string>") == []
    assert suppressions_in("\0.py") == []
    (tmp_path / "folder.py").mkdir()
    assert suppressions_in(str(tmp_path / "folder.py")) == []
    os.mkfifo(tmp_path / "pipe.py")
    assert suppressions_in(str(tmp_path / "pipe.py")) == []


@pytest.mark.parametrize("comment", ["#rfcheck:ignore", "#\xa0rfcheck: ignore", "# RFcheck: ignore", "#: # rfcheck: ignore"])
def test_odd_spellings_are_seen(tmp_path, comment):
    (tmp_path / "a.py").write_text(f"x = 1  {comment}\n", encoding="utf-8")
    assert [(s.line, s.problem) for s in suppressions_in(str(tmp_path / "a.py"))] == [(1, "")]
