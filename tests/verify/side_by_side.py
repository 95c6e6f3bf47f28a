"""Processes that share one piece of work, as torchrun starts them, without the process that watches over them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run_side_by_side(count: int, *words: str) -> None:
    """Start Python as often as told, and wait until every process has ended well.

    Args:
        count: of processes.
        words: of Python's command line; "{rank}" in them is the number of the process.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    many = str(count)
    shared = {**os.environ, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "OMP_NUM_THREADS": "1"}
    processes = []
    for rank in map(str, range(count)):
        own = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": many, "LOCAL_WORLD_SIZE": many}
        command = [sys.executable, *(word.format(rank=rank) for word in words)]
        processes.append(subprocess.Popen(command, cwd=ROOT, env={**shared, **own}, stderr=subprocess.PIPE, text=True))
    errors = [process.communicate(timeout=600)[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * count, errors
