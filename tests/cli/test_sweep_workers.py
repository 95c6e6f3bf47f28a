"""Worker processes: when they pay, that they change nothing, and how they end."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time

import pytest

from rfcheck.cli import sweep_workers
from rfcheck.cli.analysing import BuiltTarget
from rfcheck.cli.sweep_workers import START_SECONDS, sweep_target, workers_that_pay
from rfcheck.config import Settings
from rfcheck.sweeping import SweepPoint
from rfcheck.target.load import load_targets
from tests.conftest import EXAMPLES

RESOLUTIONS = (16, 32, 48, 64)


def sweep_example(jobs: int | None, name: str = "vgg16.py") -> tuple[SweepPoint, ...]:
    (target,) = load_targets(str(EXAMPLES / name))
    settings = Settings(projection="exact")
    return sweep_target(BuiltTarget(target, settings), target.label, RESOLUTIONS, settings, jobs)


@pytest.mark.parametrize(
    ("seconds", "analyses", "cores", "workers"),
    [
        (0.01, 1000, 2, 1),
        (0.01, 1000, 16, 3),
        (0.001, 1000, 16, 1),
        (1.0, 11, 2, 1),
        (1.0, 12, 2, 2),
        (1.0, 12, 1, 1),
        (1.0, 12, 16, 4),
        (10.0, 100, 16, 16),
        (100.0, 2, 16, 2),
        (100.0, 1, 16, 1),
        (1.0, 0, 16, 1),
    ],
)
def test_when_workers_pay(seconds, analyses, cores, workers):
    assert START_SECONDS == 3.0
    assert workers_that_pay(seconds, analyses, cores) == workers


def test_a_short_sweep_starts_no_worker(monkeypatch):
    def refuse(*_args, **_kwargs):
        raise AssertionError("a worker was started")

    monkeypatch.setattr(sweep_workers, "ProcessPoolExecutor", refuse)
    points = sweep_example(None)
    assert [point.resolution for point in points] == list(RESOLUTIONS)
    assert sweep_example(1) == points
    with pytest.raises(AssertionError, match="a worker was started"):
        sweep_example(2)


def test_workers_find_the_same(monkeypatch):
    """In the order of the resolutions, failures included."""
    alone = sweep_example(1)
    assert [point.failure is None for point in alone] == [False, True, True, True]
    monkeypatch.setattr(sweep_workers, "workers_that_pay", lambda *_: 2)
    assert sweep_example(None) == alone
    assert multiprocessing.active_children() == []


def test_settings_reach_the_workers():
    assert sweep_example(2, "resnet18_cifar.py") == sweep_example(1, "resnet18_cifar.py")


ONLY_IN_WORKERS = """
import multiprocessing, os
class Net(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Conv2d(3, 3, 3))
    def forward(self, x):
        if multiprocessing.parent_process() is not None:
            {action}
        return super().forward(x)
"""


def test_a_worker_that_dies(run, model_file, tmp_path):
    path = model_file(ONLY_IN_WORKERS.format(action="os._exit(1)"))
    assert run("sweep", path, "--resolutions", "8,16", "--jobs", "2", "-o", "out.txt") == (
        2,
        "",
        "error: model.py:Net: a worker process died, perhaps for want of memory; --jobs 1 analyses without workers\n",
    )
    assert not (tmp_path / "out.txt").exists()


def test_what_workers_print_stays_with_them(model_file, tmp_path):
    path = model_file("print('loading')\n" + ONLY_IN_WORKERS.format(action="print('working')"))
    command = [sys.executable, "-m", "rfcheck", "sweep", path, "--resolutions", "8,16", "--jobs", "2"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(EXAMPLES.parent), *sys.path])}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert done.stderr == "loading\n"
    assert done.stdout.startswith("model.py:Net at 2 resolutions from 8 to 16 px, 3 channels, 1 judged layer\n")


SLOW = """
import time, multiprocessing, pathlib
from torch import nn
class Net(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Conv2d(3, 3, 3))
    def forward(self, x):
        pathlib.Path(f"worker{multiprocessing.current_process().pid}").touch()
        while x.shape[-1] > 8:
            time.sleep(0.1)
        pathlib.Path("done").touch()
        return super().forward(x)
"""


@pytest.mark.parametrize(
    "resolutions", [pytest.param("16:64:8", id="all working"), pytest.param("8,16", id="one idle", marks=pytest.mark.slow)]
)
def test_interruption(tmp_path, resolutions):
    """Ctrl-C, which a terminal sends to the workers too, ends all of them without a word of theirs."""
    (tmp_path / "slow.py").write_text(SLOW)
    listening = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from rfcheck.cli import main; main()"
    command = [sys.executable, "-c", listening, "sweep", "slow.py", "--resolutions", resolutions, "--jobs", "2", "-o", "out.txt"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        while len(list(tmp_path.glob("worker*"))) < 2 and process.poll() is None:
            time.sleep(0.05)
        if resolutions == "8,16":  # until one of them has nothing left to do
            while not (tmp_path / "done").exists() and process.poll() is None:
                time.sleep(0.05)
        workers = [int(path.name.removeprefix("worker")) for path in tmp_path.glob("worker*")]
        for worker in workers:
            os.kill(worker, signal.SIGINT)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate()
    assert len(workers) == 2
    assert process.returncode == 130
    assert out.strip() == "interrupted"
    assert not (tmp_path / "out.txt").exists()
    for worker in workers:
        with pytest.raises(ProcessLookupError):
            os.kill(worker, 0)
