from __future__ import annotations

import os

import pytest

from rfcheck.cli.file_candidates import paths
from tests.cli.completing import values


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    for name in (
        "net.py",
        "notes.txt",
        "my net.py",
        ".hidden.py",
        "models/a.py",
        "models/deep/b.py",
        ".git/x.py",
        "__pycache__/n.py",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("begun", "found"),
    [
        ("", ["models/", "my net.py", "net.py", "notes.txt"]),
        ("n", ["net.py", "notes.txt"]),
        ("my n", ["my net.py"]),
        (".", [".git/", ".hidden.py"]),
        ("./n", ["./net.py", "./notes.txt"]),
        ("models", ["models/"]),
        ("models/", ["models/a.py", "models/deep/"]),
        ("models/deep/", ["models/deep/b.py"]),
        ("models/../ne", ["models/../net.py"]),
        ("x", []),
        ("gone/x", []),
        ("net.py/", []),
        ("\0", []),
    ],
)
def test_what_begins_like_a_path(begun, found):
    assert paths(begun, lambda _: True) == found


def test_wanted_files_and_all_folders():
    assert paths("", lambda name: name.endswith(".txt")) == ["models/", "notes.txt"]
    assert paths("models/", lambda _: False) == ["models/deep/"]


def test_a_home_folder_and_variables_are_written_out(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PLACE", str(tmp_path / "models"))
    assert paths("~/ne", lambda _: True) == [f"{tmp_path}/net.py"]
    assert paths("$PLACE/", lambda _: True) == [f"{tmp_path}/models/a.py", f"{tmp_path}/models/deep/"]
    assert paths("~nobody-has-this-name/", lambda _: True) == []


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs permissions that hold")
def test_a_folder_that_cannot_be_read_holds_nothing(tmp_path):
    (tmp_path / "models").chmod(0)
    assert paths("models/", lambda _: True) == []
    (tmp_path / "models").chmod(0o700)


def test_names_that_no_line_can_hold_are_left_out(tmp_path):
    (tmp_path / "new\nline.py").touch()
    (tmp_path / "tab\tname.py").touch()
    (tmp_path / "größe.py").touch()
    (tmp_path / "loop").symlink_to("loop")
    assert paths("", lambda name: name.endswith(".py")) == ["größe.py", "models/", "my net.py", "net.py"]


@pytest.mark.parametrize("option", ["--output-file", "-o", "--plot", "--baseline", "--write-baseline"])
def test_options_that_take_a_file_offer_all_files(option):
    assert values("model.py", option, "no") == ["notes.txt"]


def test_options_that_take_a_folder_offer_folders():
    assert values("model.py", "--rules", "") == ["models/"]
    assert values("rule", "--rules", "m") == ["models/"]
