from __future__ import annotations

import os
from pathlib import Path

import pytest

from rfcheck.configuration.file import find_config, overruled, shown_value
from rfcheck.errors import SettingsError


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """Write files below an empty current folder."""
    monkeypatch.chdir(tmp_path)

    def write(**files):
        for name, text in files.items():
            path = tmp_path / name.replace("__", "/").replace("_toml", ".toml")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return tmp_path

    return write


def test_the_nearest_file_with_settings(tree):
    root = tree(
        pyproject_toml="[tool.rfcheck]\nchannels = 1\n", a__pyproject_toml="[tool.ruff]\n", a__b__rfcheck_toml="channels = 2\n"
    )
    (root / "a" / "b" / "c").mkdir()
    for start in ("a/b/c", "a/b", "a/b/model.py", "a/b/none/yet"):
        found = find_config(root / start)
        assert (found.path, found.label, found.values, found.table) == (
            root / "a/b/rfcheck.toml",
            "rfcheck.toml",
            {"channels": 2},
            (),
        )
    found = find_config(root / "a")
    assert (found.path, found.folder, found.label) == (root / "pyproject.toml", root, "pyproject.toml [tool.rfcheck]")
    assert (found.values, found.table) == ({"channels": 1}, ("tool", "rfcheck"))


def test_a_relative_start(tree, monkeypatch):
    root = tree(a__rfcheck_toml="")
    monkeypatch.chdir(root / "a")
    assert find_config(Path()).path == root / "a" / "rfcheck.toml"
    assert find_config(Path("../a/x.py")).path == root / "a" / "rfcheck.toml"


def test_rfcheck_toml_comes_first_in_a_folder(tree):
    root = tree(pyproject_toml="[tool.rfcheck]\nchannels = 1\n", rfcheck_toml="")
    found = find_config(root)
    assert (found.path.name, found.values) == ("rfcheck.toml", {})
    assert overruled(found) == root / "pyproject.toml"


@pytest.mark.parametrize("text", [None, "[tool.ruff]\n", "rfcheck ="])
def test_nothing_is_overruled(tree, text):
    assert overruled(find_config(tree(rfcheck_toml="", **({} if text is None else {"pyproject_toml": text})))) is None


def test_a_pyproject_does_not_overrule_itself(tree):
    assert overruled(find_config(tree(pyproject_toml="[tool.rfcheck]\n"))) is None


def test_none_up_to_the_root(tree):
    root = tree(a__pyproject_toml='[project]\ndependencies = ["rfcheck"]\n[tool.other]\nrfcheck = 1\n')
    (root / "a" / "rfcheck.toml").mkdir()
    assert find_config(root / "a") is None


def test_a_broken_file_that_does_not_mention_rfcheck_is_passed_by(tree):
    root = tree(rfcheck_toml="channels = 1\n", a__pyproject_toml="[tool.ruff\n")
    assert find_config(root / "a").path == root / "rfcheck.toml"


def test_byte_order_mark_and_windows_lines(tree):
    assert find_config(tree(rfcheck_toml=b"\xef\xbb\xbfchannels = 1\r\n")).values == {"channels": 1}


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"rfcheck_toml": "channels = 1\nselect = [\n"}, "rfcheck.toml:2: not valid TOML: invalid value"),
        ({"rfcheck_toml": "channels 1\n"}, "rfcheck.toml:1: not valid TOML: expected '=' after a key in a key/value pair"),
        (
            {"pyproject_toml": "\n[tool.rfcheck\n"},
            "pyproject.toml:2: not valid TOML: expected ']' at the end of a table declaration",
        ),
        ({"rfcheck_toml": b"a = 1\nb = '\xff'\n"}, "rfcheck.toml:2: not valid TOML: the file is not UTF-8 text"),
        ({"rfcheck_toml": "a = " + "[" * 9999}, "rfcheck.toml: not valid TOML: values are nested too deeply"),
        ({"pyproject_toml": "\n[tool]\nrfcheck = true\n"}, "pyproject.toml:3: tool.rfcheck must be a table, got true"),
        ({"pyproject_toml": "tool = 'rfcheck'\n"}, "pyproject.toml:1: tool must be a table, got 'rfcheck'"),
        ({"pyproject_toml": "[[tool.rfcheck]]\n"}, "pyproject.toml:1: tool.rfcheck must be a table, got [{}]"),
    ],
)
def test_what_is_wrong_is_said(tree, files, message):
    with pytest.raises(SettingsError) as caught:
        find_config(tree(**files))
    assert str(caught.value) == message


def test_a_file_above_the_current_folder_is_named_in_full(tree, monkeypatch):
    root = tree(rfcheck_toml="channels 1\n", a__x_toml="")
    monkeypatch.chdir(root / "a")
    with pytest.raises(SettingsError) as caught:
        find_config(root / "a")
    assert str(caught.value).startswith(f"{root / 'rfcheck.toml'}:1: not valid TOML: ")


def test_a_pipe_is_no_file(tree):
    root = tree()
    os.mkfifo(root / "rfcheck.toml")
    with pytest.raises(SettingsError) as caught:
        find_config(root)
    assert str(caught.value) == "rfcheck.toml: cannot be read: is a pipe, not a file"


def test_a_file_that_cannot_be_read(tree):
    root = tree()
    (root / "rfcheck.toml").symlink_to("rfcheck.toml")
    with pytest.raises(SettingsError) as caught:
        find_config(root)
    assert str(caught.value) == "rfcheck.toml: cannot be read: Too many levels of symbolic links"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        ("three", "'three'"),
        ({}, "an empty table"),
        ([], "an empty list"),
        ({"a": 1, "b": {}}, "a table with 'a', 'b'"),
        ([1, "a"], "[1, 'a']"),
        ("x" * 99, "'" + "x" * 55 + " ..."),
    ],
)
def test_values_as_messages_show_them(value, text):
    assert shown_value(value) == text


def test_dates_as_messages_show_them():
    from rfcheck.configuration.toml_text import parse_toml

    assert shown_value(parse_toml("a = 2024-01-02")["a"]) == "2024-01-02"
