from __future__ import annotations

import contextlib
import io
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from rfcheck.cli.outputs import Output, chosen_outputs
from rfcheck.cli.signs import encoded
from rfcheck.errors import SettingsError
from rfcheck.report.formats import FORMATS, render
from rfcheck.report.view import View
from tests.report.runs import FULL

FULL_TEXT = Output("full", None, "--output-file")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (((), None, None), [FULL_TEXT]),
        (((), "json", None), [Output("json", None, "--output-file")]),
        (((), "sarif", "out.sarif"), [Output("sarif", "out.sarif", "--output-file")]),
        (((), None, "out.txt"), [Output("full", "out.txt", "--output-file")]),
        ((("concise",), None, None), [Output("concise", None, "--output")]),
        (
            (("sarif=a.sarif", "json=b=c.json", "full"), None, None),
            [
                Output("sarif", "a.sarif", "--output"),
                Output("json", "b=c.json", "--output"),
                Output("full", None, "--output"),
            ],
        ),
    ],
)
def test_what_is_to_be_written(tmp_path, monkeypatch, given, expected):
    monkeypatch.chdir(tmp_path)
    assert chosen_outputs(*given) == expected


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((("full",), "json", None), "give either --output FORMAT=FILE or --output-format with --output-file, not both"),
        ((("full",), None, "x"), "give either --output FORMAT=FILE or --output-format with --output-file, not both"),
        ((("sarfi=x",), None, None), "--output sarfi=x: no format 'sarfi'; did you mean sarif?"),
        ((("xml",), None, None), f"--output xml: no format 'xml'; formats are {', '.join(FORMATS)}"),
        ((("",), None, None), f"--output : no format ''; formats are {', '.join(FORMATS)}"),
        ((("json=",), None, None), "--output json=: the file is missing; write json=FILE, or json for standard output"),
        ((("json", "full"), None, None), "--output: two reports go to standard output; give all but one a file, like sarif=report.sarif"),
        ((("json=a", "full", "sarif=./a"), None, None), "--output: two reports go to a; give all but one a file, like sarif=report.sarif"),
        ((("json=link", "sarif=real"), None, None), "--output: two reports go to link; give all but one a file, like sarif=report.sarif"),
        ((("json=none/a",), None, None), "--output none/a: the folder none does not exist"),
        ((("json=.",), None, None), "--output .: is a folder; give a file"),
        (((), None, "none/a"), "--output-file none/a: the folder none does not exist"),
    ],
)  # fmt: skip
def test_what_cannot_be_written(tmp_path, monkeypatch, given, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to("real")
    with pytest.raises(SettingsError) as caught:
        chosen_outputs(*given)
    assert str(caught.value) == message
    assert [path.name for path in tmp_path.iterdir()] == ["link"]


@pytest.mark.parametrize("name", FORMATS)
def test_writing(tmp_path, monkeypatch, name, capsys):
    monkeypatch.chdir(tmp_path)
    view = View(80, True)
    Output(name, None, "--output").write(FULL, view)
    assert capsys.readouterr().out == render(name, FULL, view)
    Output(name, "ünï.txt", "--output").write(FULL, view)
    written = Path("ünï.txt").read_text(encoding="utf-8")
    assert written == render(name, FULL, View(80, False))
    assert "\x1b[" not in written
    assert capsys.readouterr().out == ""


def test_a_pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with ThreadPoolExecutor(1) as pool:
        read = pool.submit((tmp_path / "pipe").read_text, encoding="utf-8")
        Output("json", str(tmp_path / "pipe"), "--output").write(FULL, View(80, False))
        assert read.result(10) == render("json", FULL, View(80, False))


@pytest.mark.parametrize("name", FORMATS)
def test_a_standard_output_without_all_characters(monkeypatch, name):
    written = io.BytesIO()
    stream = io.TextIOWrapper(written, encoding="ascii", write_through=True)
    monkeypatch.setattr(sys, "stdout", stream)
    stream.write("before\n")
    Output(name, None, "--output").write(FULL, View(80, False))
    text = render(name, FULL, View(80, False))
    assert name == "sarif" or not text.isascii()
    expected = encoded(text, "ascii") if name in ("full", "concise") else text.encode()
    assert written.getvalue() == b"before\n" + expected


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="needs a full device")
@pytest.mark.parametrize("name", FORMATS)
def test_a_standard_output_that_is_full(monkeypatch, name):
    with Path("/dev/full").open("wb", buffering=0) as full:
        stream = io.TextIOWrapper(full, encoding="utf-8")
        monkeypatch.setattr(sys, "stdout", stream)
        with pytest.raises(SettingsError) as caught:
            Output(name, None, "--output").write(FULL, View(80, False))
        with contextlib.suppress(OSError):
            stream.close()
    assert str(caught.value) == "standard output cannot be written: No space left on device"


def test_who_reads_it_and_what_it_shows():
    outputs = [Output(name, None, "") for name in FORMATS]
    assert [one.format for one in outputs if one.is_for_people] == ["full", "concise"]
    bare = replace(FULL, results=tuple(replace(one, snapshot=replace(one.snapshot, best_fixes={})) for one in FULL.results))
    differ = [name for name in FORMATS if render(name, FULL, View()) != render(name, bare, View())]
    assert [one.format for one in outputs if one.shows_fixes] == differ
