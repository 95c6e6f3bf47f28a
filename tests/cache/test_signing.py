from __future__ import annotations

import hashlib
import hmac
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rfcheck.cache.signing import is_signed, signature, signing_key


@pytest.fixture
def state(tmp_path, monkeypatch):
    """Where the user's state is; nothing is there yet."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state"


def test_the_key_is_made_once_for_the_user_alone(state):
    key = signing_key()
    file = state / "rfcheck" / "cache-key"
    assert key == signing_key() == file.read_bytes()
    assert len(key) == 32
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in file.parent.iterdir()] == ["cache-key"]


def test_processes_that_make_it_at_once_have_one(state):
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: signing_key(), range(32)))) == 1


def test_without_the_variable_it_is_below_the_home(state, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    for value in ("", "relative"):
        monkeypatch.setenv("XDG_STATE_HOME", value)
        assert signing_key() == (tmp_path / ".local" / "state" / "rfcheck" / "cache-key").read_bytes()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda file: file.chmod(0o644),
        lambda file: file.write_bytes(b"short"),
        lambda file: file.write_bytes(b""),
        lambda file: (file.unlink(), file.mkdir()),
        lambda file: (file.unlink(), os.mkfifo(file)),
        lambda file: (file.rename(f"{file}2"), file.symlink_to(f"{file}2")),
        lambda file: (file.unlink(), file.symlink_to("/dev/zero")),
    ],
)
def test_what_is_no_secret_is_no_key(state, spoil):
    signing_key()
    spoil(state / "rfcheck" / "cache-key")
    assert signing_key() is None


def test_no_place_for_a_key(state, monkeypatch):
    state.write_text("a file")
    assert signing_key() is None
    monkeypatch.setenv("XDG_STATE_HOME", "")
    monkeypatch.setattr(Path, "home", lambda: (_ for _ in ()).throw(RuntimeError("no home")))
    assert signing_key() is None


def test_a_signature_is_that_of_a_content_and_a_key():
    key = bytes(range(32))
    expected = hmac.new(key, b"content", hashlib.sha256).hexdigest().encode()
    assert signature(b"content", key) == expected
    assert is_signed(b"content", expected, key)
    assert not is_signed(b"contents", expected, key)
    assert not is_signed(b"content", expected, bytes(32))
    assert not is_signed(b"content", b"", key)
