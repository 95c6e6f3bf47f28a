from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from rfcheck.errors import VerifyError
from rfcheck.verify.writing import cannot_be_written, is_full, layer_file_name, remedy_of, remove_leftovers, write_file


class KilledError(Exception):
    """The process ends."""


def killed(*_, **__):
    raise KilledError


def files_in(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


def test_a_file_is_written_with_its_folder(tmp_path):
    path = tmp_path / "models" / "original" / "report.json"
    write_file(path, b"one")
    write_file(path, b"two")
    assert path.read_bytes() == b"two"
    assert [one.name for one in path.parent.iterdir()] == ["report.json"]


def test_what_keeps_a_file_from_being_written_is_said(tmp_path):
    (tmp_path / "file").write_text("in the way")
    path = tmp_path / "file" / "report.json"
    with pytest.raises(VerifyError) as caught:
        write_file(path, b"")
    reason = f"{path}: cannot be written: File exists"
    assert str(caught.value) == f"{reason}; see to it that the folder can be written, then resume the run"
    with pytest.raises(VerifyError) as caught:
        write_file(path, b"", "name another folder")
    assert str(caught.value) == f"{reason}; name another folder"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_without_room_the_remedy_is_to_make_some(tmp_path, number):
    error = OSError(number, os.strerror(number))
    assert is_full(error)
    assert remedy_of(error) == "make room, then resume the run"
    assert cannot_be_written(tmp_path, error) == f"{tmp_path}: cannot be written: {os.strerror(number)}"


def test_other_errors_ask_for_no_room():
    assert not is_full(PermissionError(errno.EACCES, "Permission denied"))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full")
def test_a_full_disk_is_full():
    with pytest.raises(OSError, match="No space left") as caught, Path("/dev/full").open("wb", buffering=0) as file:
        file.write(b"one")
    assert is_full(caught.value)


def test_layers_with_like_names_have_files_of_their_own():
    names = {layer_file_name(layer).lower() for layer in ("conv", "Conv", "a/b", "a:b", "a-b", "a.b" * 100, "a.b" * 101, "α")}
    assert len(names) == 8
    assert all(name.isascii() and len(name) < 100 and "/" not in name and ":" not in name for name in names)


def test_only_what_was_being_written_is_removed(tmp_path, monkeypatch):
    model = tmp_path / "models" / "original"
    for name in ("checkpoint.pt", "probes/conv.json"):
        write_file(model / name, b"whole")
    monkeypatch.setattr(Path, "replace", killed)
    monkeypatch.setattr(Path, "unlink", killed)
    for name in ("run.toml", "models/original/checkpoint.pt", "models/original/probes/conv.json"):
        with pytest.raises(KilledError):
            write_file(tmp_path / name, b"half")
    monkeypatch.undo()
    assert len(files_in(tmp_path)) == 5
    remove_leftovers(tmp_path)
    assert files_in(tmp_path) == {model / "checkpoint.pt", model / "probes" / "conv.json"}
    assert all(path.read_bytes() == b"whole" for path in files_in(tmp_path))
