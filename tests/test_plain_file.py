from __future__ import annotations

import os
import socket

import pytest

from rfcheck.plain_file import read_plain, require_plain


def test_a_file_is_read_whole(tmp_path):
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    assert read_plain(tmp_path / "file") == read_plain(tmp_path / "link") == b"content"
    assert read_plain(tmp_path / "file", 7) == b"content"
    require_plain(tmp_path / "link")


def test_what_has_no_end_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link to a pipe").symlink_to(tmp_path / "pipe")
    (tmp_path / "zero").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(os.path.relpath(tmp_path / "socket"))
        said = {
            "pipe": "is a pipe, not a file",
            "link to a pipe": "is a pipe, not a file",
            "zero": "is a device, not a file",
            "socket": "is a socket, not a file",
            ".": "Is a directory",
            "gone": "No such file or directory",
        }
        for name, message in said.items():
            for refuse in (read_plain, require_plain):
                with pytest.raises(OSError) as caught:  # noqa: PT011 - the sentence is compared below
                    refuse(tmp_path / name)
                assert caught.value.strerror == message


def test_a_file_that_is_too_large(tmp_path):
    (tmp_path / "large").write_bytes(b"x" * (2**20 + 1))
    with pytest.raises(OSError, match="is larger than 1 MiB"):
        read_plain(tmp_path / "large", 2**20)


def test_a_link_may_be_refused(tmp_path):
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    assert read_plain(tmp_path / "file", follow=False) == b"content"
    with pytest.raises(OSError, match="is a link"):
        read_plain(tmp_path / "link", follow=False)
