"""``rfcheck --watch`` in a process of its own, with somebody who edits files."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO

LISTENING = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from rfcheck.cli import main; main()"
"""The command, where Ctrl-C counts: a shell that starts jobs in the background lets them ignore the signal."""


class WatchSession:
    """A running ``rfcheck --watch``.

    Args:
        folder: where it runs.
        words: the command line without --watch.
        environment: variables beside the usual ones.
    """

    def __init__(self, folder: Path, *words: str, environment: Mapping[str, str] | None = None) -> None:
        variables = {"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONDONTWRITEBYTECODE": "", "COLUMNS": "80", **(environment or {})}
        self.process = subprocess.Popen(
            [sys.executable, "-c", LISTENING, *words, "--watch"],
            cwd=folder,
            env={**os.environ, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._texts = {"out": "", "err": ""}
        self._read = {"out": 0, "err": 0}
        self._news = threading.Condition()
        streams = {"out": self.process.stdout, "err": self.process.stderr}
        self._readers = [threading.Thread(target=self._follow, args=pair) for pair in streams.items()]
        for reader in self._readers:
            reader.start()

    def _follow(self, name: str, stream: IO[str]) -> None:
        with stream:
            for line in stream:
                with self._news:
                    self._texts[name] += line
                    self._news.notify_all()

    def next_report(self, seconds: float = 60) -> tuple[str, str]:
        """Standard output and standard error since the last report, up to where it waits again; times and counts are left out."""
        until = time.monotonic() + seconds
        with self._news:
            while True:
                waits = re.search(r"\] watching [^\n]*\n", self._texts["err"][self._read["err"] :])
                if waits is not None:
                    break
                if not self._news.wait(max(0.0, until - time.monotonic())):
                    raise AssertionError(f"no report within {seconds} s: {self._texts}")
        time.sleep(0.05)  # standard output was written before, but is read by a thread of its own
        with self._news:
            end = self._read["err"] + waits.end()
            out, err = self._texts["out"][self._read["out"] :], self._texts["err"][self._read["err"] : end]
            self._read = {"out": len(self._texts["out"]), "err": end}
        return out, re.sub(r"^\[\d\d:\d\d:\d\d\] (watching )?(\d+ files?, )?", r"\1", err, flags=re.MULTILINE)

    def interrupt(self) -> tuple[int, str, float]:
        """Press Ctrl-C; returns the exit code, what was written to standard error since, and the seconds until then."""
        started = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        with self._news:
            while "interrupted" not in self._texts["err"] and self._news.wait(20):
                pass
        seconds = time.monotonic() - started
        self.process.wait(20)
        return self.process.returncode, self._texts["err"][self._read["err"] :], seconds

    def end(self) -> tuple[int, str, str]:
        """Wait until it ends by itself; returns the exit code and all that was written."""
        self.process.wait(60)
        for reader in self._readers:
            reader.join()
        return self.process.returncode, self._texts["out"], self._texts["err"]

    def close(self) -> None:
        """End it, whatever it does."""
        self.process.kill()
        self.process.wait()
        for reader in self._readers:
            reader.join()
