from __future__ import annotations

import inspect
import linecache
import py_compile
import sys
from pathlib import Path

import pytest

from rfcheck.target.isolation import own_imports
from rfcheck.target.load import load_targets
from rfcheck.target.source import FileSource
from rfcheck.target.unsaved import lines_shown_as

SAVED, UNSAVED = b"WIDTH = 1\n", b"WIDTH = 2\n"


@pytest.fixture
def saved(tmp_path, monkeypatch):
    """A file that has run, of which there is bytecode; the text to run has the same size."""
    monkeypatch.chdir(tmp_path)
    Path("model.py").write_bytes(SAVED)
    py_compile.compile("model.py", doraise=True)
    with own_imports():
        assert FileSource("model.py").module(on_meta=False).WIDTH == 1
    assert list(Path().glob("__pycache__/model.*"))
    return "model.py"


def test_a_text_runs_in_place_of_the_file(saved):
    before = {path: path.read_bytes() for path in Path().rglob("*.py*") if path.is_file()}
    with own_imports():
        module = FileSource(saved, UNSAVED).module(on_meta=False)
        assert module.WIDTH == 2
        assert module.__file__ == str(Path(saved).absolute())
        assert FileSource(saved).module(on_meta=False).WIDTH == 1
    assert {path: path.read_bytes() for path in Path().rglob("*.py*") if path.is_file()} == before


def test_targets_of_a_text(saved):
    text = "# ä\nfrom torch import nn\nmodel = nn.Sequential(nn.Conv2d(3, 3, 1))\n"
    with own_imports():
        (target,) = load_targets(saved, text.encode())
        model = target.build()[0]
        (span,) = target.origin(model).modules["0"]
    assert (span.path, span.line, span.column) == ("model.py", 3, 23)


def test_what_a_text_imports_from_its_package(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path, text in {
        "unsaved_package/__init__.py": "",
        "unsaved_package/part.py": "WIDTH = 3\n",
        "unsaved_package/net.py": "",
    }.items():
        Path(path).parent.mkdir(exist_ok=True)
        Path(path).write_text(text)
    with own_imports():
        source = FileSource("unsaved_package/net.py", b"from .part import WIDTH\nfrom unsaved_package.part import WIDTH as SAME\n")
        module = source.module(on_meta=False)
        assert (module.WIDTH, module.SAME, module.__name__) == (3, 3, "unsaved_package.net")
    assert "unsaved_package" not in sys.modules


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
def test_source_code_is_looked_up_in_the_text(saved, encoding):
    text = f"# coding: {encoding.removesuffix('-sig')}\r\ndef f():\r\n    return 'ä'\r\n"
    shown = ["def f():\n", "    return 'ä'\n"]
    with own_imports(), lines_shown_as(Path(saved), text.encode(encoding)):
        function = FileSource(saved, text.encode(encoding)).module(on_meta=False).f
        assert inspect.getsourcelines(function) == (shown, 2)
        assert linecache.getline("model.py", 3) == shown[1]
    assert linecache.getline("model.py", 1) == SAVED.decode()
    assert linecache.getline(str(Path("model.py").absolute()), 1) == SAVED.decode()


def test_what_was_looked_up_before_is_there_again(saved):
    linecache.cache["model.py"] = (1, None, ["kept\n"], "model.py")
    with lines_shown_as(Path(saved), UNSAVED):
        assert linecache.getline("model.py", 1) == UNSAVED.decode()
    assert linecache.cache.pop("model.py") == (1, None, ["kept\n"], "model.py")


def test_a_text_whose_encoding_is_unclear_shows_no_lines(saved):
    with lines_shown_as(Path(saved), b"# \xf6 coding: latin-1\n"):
        assert linecache.getline("model.py", 1) == ""
