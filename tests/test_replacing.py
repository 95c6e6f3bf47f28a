from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from rfcheck.replacing import replace_file, rewrite_file


@pytest.fixture(autouse=True)
def _usual_permissions():
    before = os.umask(0o027)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_file_is_like_other_new_files(tmp_path):
    replace_file(tmp_path / "new.txt", b"new")
    (tmp_path / "other.txt").touch()
    assert (tmp_path / "new.txt").read_bytes() == b"new"
    assert mode(tmp_path / "new.txt") == mode(tmp_path / "other.txt") == 0o640


@pytest.mark.parametrize("permissions", [0o600, 0o644, 0o755])
def test_permissions_stay(tmp_path, permissions):
    path = tmp_path / "old.py"
    path.write_bytes(b"old")
    path.chmod(permissions)
    replace_file(path, b"new")
    assert (path.read_bytes(), mode(path)) == (b"new", permissions)


@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, failure):
    def fail(*_args):
        assert list(tmp_path.glob("half.*"))
        raise failure

    path = tmp_path / "old.py"
    path.write_bytes(b"old")
    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(type(failure)):
        replace_file(path, b"new", "half.")
    assert (path.read_bytes(), list(tmp_path.iterdir())) == (b"old", [path])


@pytest.mark.parametrize("durable", [False, True])
def test_a_durable_file_is_on_the_disk_before_it_is_put_in_place(tmp_path, monkeypatch, durable):
    path, events = tmp_path / "a.txt", []
    sync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: (sync(handle), events.append((os.fstat(handle).st_size, path.exists()))))
    replace_file(path, b"whole", durable=durable)
    assert path.read_bytes() == b"whole"
    assert events == ([(5, False)] if durable else [])


def test_links_of_both_kinds_stay_links(tmp_path):
    (tmp_path / "file.txt").write_text("old and longer")
    (tmp_path / "file.txt").chmod(0o640)
    (tmp_path / "soft.txt").symlink_to("file.txt")
    rewrite_file(tmp_path / "soft.txt", b"soft")
    assert (tmp_path / "soft.txt").is_symlink()
    assert (tmp_path / "file.txt").read_bytes() == b"soft"
    os.link(tmp_path / "file.txt", tmp_path / "hard.txt")
    for data in (b"hard, and longer than before", b"short"):
        rewrite_file(tmp_path / "soft.txt", data)
        assert (tmp_path / "hard.txt").read_bytes() == (tmp_path / "file.txt").read_bytes() == data
    assert mode(tmp_path / "hard.txt") == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file.txt", "hard.txt", "soft.txt"]


def test_a_link_to_nothing_gets_a_file_where_it_leads(tmp_path):
    (tmp_path / "soft.txt").symlink_to("file.txt")
    rewrite_file(tmp_path / "soft.txt", b"new")
    assert (tmp_path / "soft.txt").is_symlink()
    assert (tmp_path / "file.txt").read_bytes() == b"new"


def test_a_link_to_itself(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(OSError, match="symbolic links"):
        rewrite_file(tmp_path / "loop", b"new")
