"""Train in processes that are killed, again and again, until one finishes; prints what it ended with, and how often it was killed."""

from __future__ import annotations

import gc
import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

from tests.verify.training.small import numbers, short


def attempt(folder: Path, prepare: Callable[[], object], wait: float | None) -> bool:
    """Whether a process finished the training; it is killed after so many seconds, or kills itself."""
    child = os.fork()
    if child == 0:
        prepare()
        result = short(folder)
        (folder / "numbers.json").write_text(json.dumps(numbers(result)))
        os._exit(0)
    if wait is not None:
        time.sleep(wait)
        os.kill(child, signal.SIGKILL)
    return os.waitpid(child, 0)[1] == 0


def kill_at_file_event(number: int, folder: Path) -> Callable[[], None]:
    """Kills the process when it is about to open or rename a file of the folder for the n-th time."""

    def prepare() -> None:
        left = number

        def hook(event: str, arguments: tuple) -> None:
            nonlocal left
            if event in ("open", "os.rename", "os.remove") and str(arguments[0]).startswith(str(folder)):
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hook)

    return prepare


def killed_at_random(folder: Path, whole: float) -> tuple[int, list[Path]]:
    """Kill at twenty moments, going on after each; twice as often as it takes to finish are enough for some to come late."""
    moments, killed, ends = random.Random(0), 0, []
    while killed < 20:
        ends.append(folder / f"interrupted {len(ends)}")
        while not attempt(ends[-1], lambda: None, moments.uniform(0, whole)):
            killed += 1
    return killed, ends


def killed_at_file_events(folder: Path) -> tuple[int, list[Path]]:
    """Kill at every moment at which a file is opened, renamed or removed, and go on."""
    ends = []
    while True:
        end = folder / f"interrupted {len(ends)}"
        if attempt(end, kill_at_file_event(len(ends) + 1, end), None):
            return len(ends), ends
        assert attempt(end, lambda: None, None)
        ends.append(end)


def main() -> None:
    folder, how = Path(sys.argv[1]), sys.argv[2]
    torch.set_num_threads(1)
    short(folder / "first")  # imports on first use, once instead of in every process
    gc.freeze()  # what is imported need not be looked through in every process
    start = time.perf_counter()
    assert attempt(folder / "whole", lambda: None, None)
    whole = time.perf_counter() - start
    killed, ends = killed_at_file_events(folder) if how == "files" else killed_at_random(folder, whole)
    expected = (folder / "whole" / "numbers.json").read_text()
    for end in ends:
        assert (end / "numbers.json").read_text() == expected
        lines = [json.loads(line)["epoch"] for line in (end / "metrics.jsonl").read_text().splitlines()]
        assert lines == [1, 2, 3], lines
        left = sorted(path.name for path in end.iterdir())
        assert left == ["checkpoint.pt", "metrics.jsonl", "numbers.json"], left
    print(json.dumps({"killed": killed, "finished": len(ends)}))


if __name__ == "__main__":
    main()
