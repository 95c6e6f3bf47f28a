from __future__ import annotations

import subprocess
import sys

import pytest

START = "import atexit, sys, threading, multiprocessing, time\nfrom rfcheck.cli.leaving import leave\n"
THREAD = "threading.Thread(target=threading.Event().wait).start()\n"
WORKS = "def work():\n    while True: time.sleep(1)\n"


def left(code: str, tmp_path) -> subprocess.CompletedProcess[str]:
    file = tmp_path / "command.py"
    file.write_text(START + WORKS + "if __name__ == '__main__':\n" + "".join(f"    {line}\n" for line in code.splitlines()))
    return subprocess.run([sys.executable, str(file)], capture_output=True, text=True)


@pytest.mark.parametrize(
    "started",
    [
        "",
        THREAD,
        "threading.Timer(3600, print).start()",
        "from concurrent.futures import ThreadPoolExecutor\nThreadPoolExecutor(1).submit(work)",
        "multiprocessing.get_context('fork').Process(target=work).start()",
        "multiprocessing.get_context('spawn').Process(target=work, daemon=True).start()",
    ],
)
def test_the_command_ends_with_its_code(tmp_path, started):
    done = left(f"{started}\natexit.register(print, 'end')\nprint('report')\nleave(1)", tmp_path)
    assert (done.returncode, done.stdout) == (1, "report\nend\n")


def test_what_is_registered_for_the_end_may_take_for_ever(tmp_path):
    patience = "from rfcheck.cli import leaving\nleaving._PATIENCE = 0.0"
    done = left(f"{patience}\n{THREAD}atexit.register(work)\nprint('report')\nleave(3)", tmp_path)
    assert (done.returncode, done.stdout) == (3, "report\n")
