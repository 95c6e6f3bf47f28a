"""Whole commands in processes that are interrupted, and taken up again until one finishes; prints how often they were."""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from os import kill  # the one that rfcheck replaces while the code of a model runs ends no process
from pathlib import Path
from typing import Any

import accelerate  # noqa: F401 - here, so that it need not be imported in every process
import matplotlib.figure  # noqa: F401
import sklearn.datasets  # noqa: F401
import torch

from rfcheck.cli import main as rfcheck

from .networks import PLANTED

BEGIN = [
    "verify",
    "model.py:planted(8,2)",
    "--resolution",
    "32",
    "--epochs",
    "2",
    "--heatmap",
    "3.0",
    "--probe-memory",
    "300K",
    "--probe-size",
    "2",
    "--run-dir",
]
FINISHED = (0, 1, 4)


def attempt(folder: Path, prepare: Callable[[], object] = lambda: None, moment: tuple[float, signal.Signals] | None = None) -> int:
    """Exit code of a command that begins or resumes the run of a folder; a signal comes after so many seconds.

    Args:
        folder: of the run.
        prepare: called in the process.
        moment: seconds and signal.
    """
    arguments = ["verify", "--resume", str(folder)] if (folder / "run.toml").exists() else [*BEGIN, str(folder)]
    child = os.fork()
    if child == 0:
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        prepare()
        try:
            rfcheck(arguments)
        except SystemExit as left:
            os._exit(int(left.code or 0))
    if moment is not None:
        time.sleep(moment[0])
        os.kill(child, moment[1])
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def kill_at(name: str) -> None:
    """Kill this process when a file with such a name is about to be put into its place, or opened to be written."""

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        is_renamed = event == "os.rename" and name in str(arguments[1])
        is_written = event == "open" and name in str(arguments[0]) and bool(arguments[2] & (os.O_WRONLY | os.O_RDWR))
        if is_renamed or is_written:
            kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def at_files(folder: Path, names: list[str]) -> tuple[int, list[Path]]:
    """Kill one run before each of some files is written, which come in this order, and let it end."""
    end = folder / "interrupted"
    for name in names:
        assert attempt(end, partial(kill_at, name)) == -signal.SIGKILL, name
    assert attempt(end) in FINISHED
    return len(names), [end]


def at_random(folder: Path, how: signal.Signals, whole: float) -> tuple[int, list[Path]]:
    """Interrupt at ten moments, going on after each, and begin another run when one is finished."""
    moments, interrupted, ends = random.Random(how), 0, [folder / "interrupted 0"]
    while interrupted < 10:
        if attempt(ends[-1], moment=(moments.uniform(0, whole), how)) in FINISHED:
            ends.append(folder / f"interrupted {len(ends)}")
        else:
            interrupted += 1
    assert attempt(ends[-1]) in FINISHED
    return interrupted, ends


def timeless(value: Any) -> Any:
    """A report without the times in it."""
    if isinstance(value, dict):
        return {name: timeless(part) for name, part in value.items() if not name.startswith("seconds")}
    return [timeless(part) for part in value] if isinstance(value, list) else value


def kept(folder: Path) -> tuple[Any, list[str]]:
    """The report of a run, and the names of its files."""
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return timeless(report), sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def main() -> None:
    folder, how = Path(sys.argv[1]), sys.argv[2]
    os.chdir(folder)
    torch.set_num_threads(1)
    Path("model.py").write_text("from torch import nn\n" + PLANTED, encoding="utf-8")
    signal.signal(signal.SIGINT, signal.default_int_handler)
    start = time.perf_counter()
    assert attempt(folder / "whole") in FINISHED
    whole = time.perf_counter() - start
    if how == "files":
        interrupted, ends = at_files(folder, sys.argv[3:])
    else:
        interrupted, ends = at_random(folder, signal.Signals[how], whole)
    expected = kept(folder / "whole")
    for end in ends:
        assert kept(end) == expected, end
    print(json.dumps({"interrupted": interrupted, "finished": len(ends)}))


if __name__ == "__main__":
    main()
