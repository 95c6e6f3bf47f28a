from __future__ import annotations

import os
import pty
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from rfcheck.cli.analysing import print_error
from rfcheck.cli.progress import progress
from rfcheck.cli.requests import Request
from rfcheck.config import Settings

SHOW, HIDE = "\x1b[?25h", "\x1b[?25l"


def request(target: str, name: str | None = None) -> Request:
    return Request(target, name, 32, Settings(), "warning", None, Path(), None, True)


REQUESTS = [request("nets/small.py:build(sizes=[1, 2])"), request("other.py", "the [bold]name[/b] :smile:")]


@contextmanager
def terminal() -> Iterator[Callable[[], str]]:
    """Standard error as a terminal; gives what was shown there since it was last asked."""
    outside, inside = pty.openpty()
    os.set_blocking(outside, False)
    environment = {"TERM": "xterm", "COLUMNS": "100"}
    with pytest.MonkeyPatch.context() as patch, os.fdopen(inside, "w", encoding="utf-8") as stream:
        for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
            patch.delenv(name, raising=False)
        for name, value in environment.items():
            patch.setenv(name, value)
        patch.setattr(sys, "stderr", stream)

        def shown() -> str:
            stream.flush()
            content = b""
            with suppress(BlockingIOError):
                while True:
                    content += os.read(outside, 1 << 16)
            return content.decode("utf-8", "replace")

        yield shown
    os.close(outside)


def without_codes(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text)


def last_frame(text: str) -> str:
    """What is seen once everything was drawn over."""
    lines = [""]
    for part in re.findall(r"\x1b\[[0-9;?]*[a-zA-Z]|\r|\n|[^\x1b\r\n]+", text):
        if part == "\n":
            lines.append("")
        elif part == "\x1b[2K":
            lines[-1] = ""
        elif part == "\x1b[1A" and len(lines) > 1:
            lines.pop()
        elif part[0] not in "\x1b\r":
            lines[-1] += part
    return "\n".join(lines).strip()


def test_the_bar_says_what_is_being_analysed():
    with terminal() as shown:
        with progress(2) as step:
            for one, done in zip(REQUESTS, ("0/2", "1/2"), strict=True):
                assert step(one) is one
                frame = ""
                until = time.monotonic() + 5
                while not (done in frame and (one.name or one.target) in frame) and time.monotonic() < until:
                    frame += without_codes(shown())
                assert done in frame
                assert (one.name or one.target) in frame
        assert "2/2" not in without_codes(shown())


def test_nothing_of_it_stays():
    with terminal() as shown:
        with progress(2) as step:
            for one in REQUESTS:
                step(one)
                print_error("something is wrong", KeyError(), verbose=False)
        text = shown()
    assert text.rindex(SHOW) > text.rindex(HIDE)
    assert last_frame(text) == "error: something is wrong\nerror: something is wrong"


def test_the_cursor_comes_back_after_an_interruption():
    with terminal() as shown:
        with suppress(KeyboardInterrupt), progress(2) as step:
            step(REQUESTS[0])
            raise KeyboardInterrupt
        text = shown()
    assert text.rindex(SHOW) > text.rindex(HIDE)
    assert last_frame(text) == ""


@pytest.mark.parametrize("total", [0, 1])
def test_no_bar_for_one(total):
    with terminal() as shown:
        with progress(total) as step:
            assert step(REQUESTS[0]) is REQUESTS[0]
        assert shown() == ""


def test_no_bar_without_a_terminal(capsys):
    with progress(9) as step:
        assert step(REQUESTS[0]) is REQUESTS[0]
    assert capsys.readouterr() == ("", "")
