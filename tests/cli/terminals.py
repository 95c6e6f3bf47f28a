"""A shell on a terminal, with somebody who types."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from pathlib import Path

MARK = "@+@"
"""Stands before what a shell makes of a line; it is typed in two pieces, so that it is seen only when the shell prints it."""

ANSWERED = "answered"
"""File beside the command that gets a line whenever the command has answered a shell."""

_SETTLED = 0.2
"""Seconds after which a shell has put an answer into its line."""

_STARTS = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
    "fish": ["fish", "--no-config", "-i"],
}
_ON_TERMINAL = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""
"""Makes the terminal that of a session of its own, and becomes the shell."""

_BEGINS = {
    "bash": "PS1='ready> '; bind 'set bell-style none'; bind 'set completion-query-items 0'; eval \"$(rfcheck completions bash)\"\n",
    "zsh": "PS1='ready> '; autoload -U compinit; compinit -D -u; eval \"$(rfcheck completions zsh)\"\n",
    "fish": "set -g fish_autosuggestion_enabled 0; function fish_prompt; echo 'ready> '; end; rfcheck completions fish | source\n",
}


class Terminal:
    """A shell that has run rfcheck's script for it.

    Args:
        shell: "bash", "zsh" or "fish".
        folder: where it starts.
        path: folders of programs, in front of the usual ones.
    """

    def __init__(self, shell: str, folder: Path, path: Path) -> None:
        home = folder / ".home"
        home.mkdir(exist_ok=True)
        environment = {
            "PATH": f"{path}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(home),
            "TERM": "xterm",
            "LC_ALL": "C.UTF-8",
            "COLUMNS": "200",
        }
        self._log = path / ANSWERED
        self._fd, inner = pty.openpty()
        self._shell = subprocess.Popen(
            [sys.executable, "-c", _ON_TERMINAL, *_STARTS[shell]],
            cwd=folder,
            env=environment,
            stdin=inner,
            stdout=inner,
            stderr=inner,
        )
        os.close(inner)
        self._seen = ""
        self._wait_for(r"[$#%>] ")
        self._send(_BEGINS[shell] + f"printf '{MARK[:1]}%sset\\n' {MARK[1:]}\n")
        self._wait_for(re.escape(f"{MARK}set"))

    def line(self, typed: str) -> list[str]:
        """The words that the shell understands once a line was typed: a tab completes, and the command is not run."""
        begun, tab, rest = typed.partition("\t")
        answers = self._answers()
        self._send(begun + tab)
        until = time.monotonic() + 20
        while tab and self._answers() == answers:  # what is typed before the answer would replace it
            assert time.monotonic() < until, f"no answer to {begun!r}"
            time.sleep(0.02)
        time.sleep(_SETTLED)
        self._seen = ""
        self._send(f"{rest}\x01printf '{MARK[:1]}%s|%s|%s|%s|%s|%s\\n' {MARK[1:]} \n")
        return self._wait_for(rf"{re.escape(MARK)}\|([^\r\n]*)\|[\r\n]")[1].rstrip("|").split("|")

    def close(self) -> None:
        """End the shell."""
        self._shell.kill()
        self._shell.wait()
        os.close(self._fd)

    def _answers(self) -> int:
        return len(self._log.read_text().splitlines()) if self._log.exists() else 0

    def _send(self, text: str) -> None:
        os.write(self._fd, text.encode())

    def _wait_for(self, pattern: str, seconds: float = 20) -> re.Match[str]:
        until = time.monotonic() + seconds
        while (found := re.search(pattern, self._seen)) is None:
            if not select.select([self._fd], [], [], max(0.0, until - time.monotonic()))[0]:
                raise AssertionError(f"no {pattern!r} within {seconds} s in {self._seen!r}")
            self._seen += os.read(self._fd, 65536).decode("utf-8", "replace")
        return found
