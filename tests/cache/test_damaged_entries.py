"""Entries that are no longer, or never were, what a store wrote."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from rfcheck.cache import store
from rfcheck.cache.signing import signature, signing_key
from rfcheck.cache.store import FOLDER, Store
from tests.cache.projects import NAME, OTHER, keep, names_in
from tests.cache.results import SMALL


def test_an_entry_that_ends_too_early(project):
    entry = keep(project)
    content = entry.read_bytes()
    for end in range(len(content)):
        entry.write_bytes(content[:end])
        assert Store(project).find(NAME) is None, end
    entry.write_bytes(content)
    assert Store(project).find(NAME) is not None


def test_an_entry_with_a_wrong_bit(project):
    entry = keep(project)
    content = entry.read_bytes()
    for i in range(len(content)):
        entry.write_bytes(content[:i] + bytes([content[i] ^ (1 << i % 8)]) + content[i + 1 :])
        assert Store(project).find(NAME) is None, i


def signed(content: bytes) -> bytes:
    """Content with the signature that it should have."""
    return signature(content, signing_key()) + b"\n" + content


def entry(**changed: object) -> bytes:
    """An entry without results, except for what is changed."""
    return signed(json.dumps({"fingerprint": NAME, "files": {}, "folders": {}, "listed": {}, "results": [], **changed}).encode())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"\n\n",
        b"\xff\xfe\x00\n\x00",
        b"not json\nat all",
        json.dumps({"fingerprint": NAME, "files": {}, "folders": {}, "listed": {}, "results": []}).encode(),
        entry().replace(b"\n", b"\n\n"),
        signed(b""),
        signed(b"\xff"),
        signed(b"[" * 100_000),
        signed(b"[]"),
        signed(b"3"),
        signed(b"null"),
        signed(b"{}"),
        entry(fingerprint=OTHER),
        entry(files=[]),
        entry(files=None),
        entry(folders=3),
        entry(listed=3),
        entry(listed={"/": None}),
        entry(files={"\x00": None}),
        entry(files={"/dev/zero": "x", "/dev/stdin": "x"}),
        entry(results=None),
        entry(results=3),
        entry(results={"a": 1}),
        entry(results=[3]),
        entry(results=[{}]),
        entry(results=[[[]]]),
    ],
)  # fmt: skip
def test_entries_that_hold_something_else(project, content):
    keep(project).write_bytes(content)
    assert Store(project).find(NAME) is None
    keep(project)
    assert Store(project).find(NAME).results == (SMALL,)


def test_an_entry_without_results_is_one(project):
    keep(project).write_bytes(entry())
    assert Store(project).find(NAME).results == ()


def test_an_entry_under_another_name(project):
    keep(project).rename(project / FOLDER / OTHER)
    assert Store(project).find(OTHER) is None


def test_a_folder_in_the_place_of_an_entry(project):
    keep(project).unlink()
    (project / FOLDER / NAME / "inside").mkdir(parents=True)
    assert Store(project).find(NAME) is None
    keep(project)
    assert Store(project).find(NAME) is None
    assert names_in(project / FOLDER) == {NAME, ".gitignore", "CACHEDIR.TAG"}


def pipe(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize("place", [pipe, lambda path: path.symlink_to("/dev/zero"), lambda path: path.mkdir()])
@pytest.mark.parametrize("name", [NAME, "CACHEDIR.TAG"])
def test_what_is_no_file_is_never_read(project, place, name):
    keep(project).unlink()
    (project / FOLDER / name).unlink(missing_ok=True)
    place(project / FOLDER / name)
    assert Store(project).find(NAME) is None


def test_an_entry_that_is_too_large(project, monkeypatch):
    keep(project)
    monkeypatch.setattr("rfcheck.plain_file.read_plain.__defaults__", (100,))
    assert Store(project).find(NAME) is None


def test_an_entry_that_somebody_else_wrote(project, monkeypatch, tmp_path_factory):
    keep(project)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("another user")))
    assert Store(project).find(NAME) is None
    keep(project)
    assert Store(project).find(NAME).results == (SMALL,)


def test_without_a_key_nothing_is_kept(project, monkeypatch):
    keep(project)
    monkeypatch.setattr(store, "signing_key", lambda: None)
    assert Store(project).find(NAME) is None
    keep(project, name=OTHER)
    assert names_in(project / FOLDER) == {NAME, ".gitignore", "CACHEDIR.TAG"}
