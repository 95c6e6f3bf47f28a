"""Processes that are killed, interrupted or run side by side while they keep results."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rfcheck.cache.store import FOLDER, Store
from tests.cache.projects import NAME, keep, names_in
from tests.cache.results import RESULT, SMALL


def in_a_process(project: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Run code in the project with what it needs to keep results, in a process of its own."""
    begin = (
        "import os, resource, signal, sys\nfrom pathlib import Path\nimport rfcheck.cache.store as store\n"
        "from rfcheck.cache.store import Store\nfrom tests.cache.results import RESULT, SMALL\n"
        "def dying(content):\n    def opens(handle, mode):\n        os.write(handle, content)\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n    return opens\n"
        "def keep(name='0123abcd' * 8, results=(SMALL,)):\n    Store(Path.cwd()).keep(name, results, [Path('model.py').absolute()], [])\n"
    )
    root = str(Path(__file__).parent.parent.parent)
    environment = {**os.environ, "PYTHONPATH": root}
    return subprocess.run(
        [sys.executable, "-c", begin + code], cwd=project, env=environment, capture_output=True, text=True, check=False
    )


def test_a_full_disk(project):
    done = in_a_process(
        project, "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\nkeep(results=(RESULT, RESULT))\nprint('goes on')"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "goes on\n", "")
    assert names_in(project / FOLDER) == {".gitignore", "CACHEDIR.TAG"}
    assert Store(project).find(NAME) is None


@pytest.mark.parametrize(
    "dies",
    [
        "os.fdopen = dying(b'')",
        "Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)",
        "os.fdopen = dying(b'{\"half')",
    ],
)
def test_a_process_that_is_killed_while_it_writes(project, dies):
    keep(project, (RESULT,))
    done = in_a_process(project, f"{dies}\nkeep()")
    assert done.returncode == -signal.SIGKILL
    assert Store(project).find(NAME).results == (RESULT,)
    (leftover,) = names_in(project / FOLDER) - {NAME, ".gitignore", "CACHEDIR.TAG"}
    keep(project)
    assert Store(project).find(NAME).results == (SMALL,)
    assert leftover in names_in(project / FOLDER)
    an_hour_ago = time.time() - 3601
    os.utime(project / FOLDER / leftover, (an_hour_ago, an_hour_ago))
    keep(project)
    assert names_in(project / FOLDER) == {NAME, ".gitignore", "CACHEDIR.TAG"}


def test_an_interrupted_process_leaves_nothing(project):
    done = in_a_process(project, "def stop(*_): raise KeyboardInterrupt\nPath.replace = stop\nkeep()")
    assert done.returncode != 0
    assert done.stderr.endswith("KeyboardInterrupt\n")
    assert names_in(project / FOLDER) == set()


def test_processes_that_are_killed_at_any_moment(project):
    (project / FOLDER).mkdir()
    for delay in (0.0, 0.001, 0.003, 0.01, 0.03):
        code = f"import threading\nthreading.Timer({delay}, lambda: os.kill(os.getpid(), signal.SIGKILL)).start()\nwhile True:\n    keep()"
        assert in_a_process(project, code).returncode == -signal.SIGKILL
        found = Store(project).find(NAME)
        assert found is None or found.results == (SMALL,)
    keep(project)
    assert Store(project).find(NAME).results == (SMALL,)


def test_processes_side_by_side(project):
    code = (
        "name = str(os.getpid()).zfill(64)\nfor i in range(60):\n    keep()\n    keep(name, (SMALL, RESULT))\n"
        "    found, mine = Store(Path.cwd()).find('0123abcd' * 8), Store(Path.cwd()).find(name)\n"
        "    assert found is not None and found.results == (SMALL,), i\n"
        "    assert mine is not None and mine.results == (SMALL, RESULT), i\n"
    )
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda _: in_a_process(project, code), range(8)))
    assert [(one.returncode, one.stderr) for one in done] == [(0, "")] * 8
    names = names_in(project / FOLDER)
    assert len(names) == 3 + 8
    assert all(re.fullmatch(r"[0-9a-f]+|\.gitignore|CACHEDIR\.TAG", name) for name in names)
