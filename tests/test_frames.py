from __future__ import annotations

import json
import linecache
import os
import subprocess
import sys
import types
from dataclasses import dataclass
from pathlib import Path

import click
import pytest
import torch
from torch import nn

import rfcheck.cli
from rfcheck import frames
from rfcheck.frames import chain_of, class_chain, environment_folders, is_users_file, user_frames
from rfcheck.span import Span
from tests.call_sites import call, definition

HERE = str(Path(__file__).relative_to(Path.cwd()))


@pytest.mark.parametrize(
    ("path", "is_users"),
    [
        (__file__, True),
        ("model.py", True),
        ("/tmp/ipykernel_123/4567.py", True),
        (os.__file__, False),
        (torch.__file__, False),
        (click.__file__, False),
        (rfcheck.cli.__file__, False),
        ("/project/.venv/lib/python3.12/site-packages/package/module.py", False),
        ("/usr/lib/python3/dist-packages/package/module.py", False),
        ("<stdin>", False),
        ("<ipython-input-1-abc>", False),
        ("<frozen importlib._bootstrap>", False),
        ("notes.txt", False),
        ("", False),
    ],
)
def test_whose_file_it_is(path, is_users):
    assert is_users_file(path) is is_users


def test_a_link_to_an_installed_file_is_an_installed_file(tmp_path):
    (tmp_path / "link.py").symlink_to(click.__file__)
    assert not is_users_file(str(tmp_path / "link.py"))


def test_the_environment_holds_torch_before_it_is_imported():
    code = "import sys; from rfcheck.frames import environment_folders as e; print(e()); assert 'torch' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert str(Path(torch.__file__).resolve().parent) + os.sep in eval(done.stdout)


def test_a_stand_in_for_a_package_does_no_harm(monkeypatch):
    before = environment_folders()
    monkeypatch.setitem(sys.modules, "timm", types.ModuleType("timm"))
    environment_folders.cache_clear()
    assert set(environment_folders()) <= set(before)
    environment_folders.cache_clear()


def frames_here():
    """The frames of whoever calls this."""
    return user_frames(sys._getframe(1))


def outer():
    return [inner()]


def inner():
    return [frames_here()]


def test_frames_from_the_innermost_outwards():
    [[found]] = outer()
    assert chain_of(found)[:3] == (call(HERE, "frames_here()", 0), call(HERE, "inner()"), call(HERE, "outer()"))


def test_calls_on_one_line_count_once():
    def once():
        return (lambda: frames_here())() or None

    found = once()
    assert chain_of(found)[:2] == (call(HERE, "frames_here()", 1), call(HERE, "once()"))


def test_frames_end_where_rfcheck_called(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("code.py").write_text("import sys\ndef work(f):\n    return f(sys._getframe())\n", encoding="utf-8")
    sees = {}
    exec(compile(Path("code.py").read_text(), str(tmp_path / "code.py"), "exec"), sees)
    own = {"work": sees["work"], "user_frames": user_frames}
    exec(compile("def call_user():\n    return work(user_frames)", str(Path(frames.__file__)), "exec"), own)
    assert chain_of(own["call_user"]()) == (call("code.py", "f(sys._getframe())"),)


def test_there_may_be_no_frame():
    assert user_frames(None) == ()
    assert chain_of(()) == ()


def test_frames_in_nobodys_file():
    found = {}
    exec(compile("import sys\nchain = user_frames(sys._getframe())", "<stdin>", "exec"), {"user_frames": user_frames}, found)
    assert chain_of(found["chain"])[0].path == HERE


@pytest.mark.parametrize("options", [[], ["-X", "no_debug_ranges"]])
def test_only_the_line_is_known_without_debug_ranges(tmp_path, monkeypatch, options):
    (tmp_path / "code.py").write_text(
        "import sys, json\nfrom rfcheck.frames import *\ndef f():\n    return chain_of(user_frames(sys._getframe()))\n"
        "print(json.dumps(\n    f()))\n",
        encoding="utf-8",
    )
    done = subprocess.run([sys.executable, *options, "code.py"], capture_output=True, text=True, check=True, cwd=tmp_path)
    monkeypatch.chdir(tmp_path)
    expected = [call("code.py", "user_frames(sys._getframe())"), call("code.py", "f()")]
    if options:
        expected = [Span(span.path, span.line) for span in expected]
    assert [Span(*span) for span in json.loads(done.stdout)] == expected


def test_an_edited_file_is_read_again(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for text in ("é", "aé"):
        source = f"import sys\nframes = '{text}', user_frames(sys._getframe())\n"
        Path("code.py").write_text(source, encoding="utf-8")
        found = {"user_frames": user_frames}
        exec(compile(source, str(tmp_path / "code.py"), "exec"), found)
        assert chain_of(found["frames"][1])[0] == call("code.py", "user_frames(sys._getframe())")


def test_the_same_code_in_another_place(tmp_path, monkeypatch):
    source = "import sys\nframes = user_frames(sys._getframe())\n"
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "code.py").write_text(source, encoding="utf-8")
        found = {"user_frames": user_frames}
        exec(compile(source, str(tmp_path / folder / "code.py"), "exec"), found)
        for here, shown in ((tmp_path, f"{folder}/code.py"), (tmp_path / folder, "code.py")):
            monkeypatch.chdir(here)
            assert chain_of(found["frames"])[0].path == shown


class Plain(nn.Module):
    """No method of its own.

    A class Plain has a line of its own; a line in its text,
    class Plain say, is another.
    """


class Decorated(nn.Module):
    @torch.no_grad()
    def forward(self, x):
        return x


@dataclass(eq=False)
class Data(nn.Module):
    width: int = 3


class Borrowing(nn.Module):
    forward = nn.Conv2d.forward


@pytest.mark.parametrize("cls", [Plain, Decorated, Data, Borrowing], ids=lambda cls: cls.__name__)
def test_the_definition_of_a_class(cls):
    assert class_chain(cls) == (definition(HERE, cls.__name__),)


def first_twin():
    class Twin(nn.Module):
        def forward(self, x):
            return x

    return Twin


def second_twin():
    class Twin(nn.Module):
        def forward(self, x):
            return -x

    return Twin


def test_classes_of_one_name():
    for function in (first_twin, second_twin):
        assert class_chain(function()) == (Span(HERE, definition(HERE, function.__name__).line + 1),)


def test_classes_that_no_file_holds():
    found = {"nn": nn, "__name__": "__console__"}
    exec(compile("class Typed(nn.Module):\n    def forward(self, x): return x", "<stdin>", "exec"), found)
    for cls in (found["Typed"], nn.Conv2d, type("Made", (nn.Module,), {})):
        assert class_chain(cls) == ()


def test_a_class_of_a_notebook_cell(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = "class Typed(nn.Module):\n    def forward(self, x): return x"
    found = {"nn": nn, "__name__": "__console__"}
    exec(compile(source, "/tmp/ipykernel_1/2.py", "exec"), found)
    assert class_chain(found["Typed"]) == ()
    monkeypatch.setitem(linecache.cache, "/tmp/ipykernel_1/3.py", (len(source), None, source.splitlines(True), ""))
    exec(compile(source, "/tmp/ipykernel_1/3.py", "exec"), found)
    assert class_chain(found["Typed"]) == (Span("/tmp/ipykernel_1/3.py", 1),)
