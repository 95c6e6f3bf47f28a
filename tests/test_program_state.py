from __future__ import annotations

import gc
import json
import logging
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from rfcheck.process_state import ProcessState
from rfcheck.program_state import program_parts

LOGGER = logging.getLogger("of_a_library")


def umask() -> int:
    bits = os.umask(0o077)
    os.umask(bits)
    return bits


CHANGES = {
    "umask": (lambda: os.umask(umask() ^ 0o070), umask),
    "level of a logger": (lambda: LOGGER.setLevel(1), lambda: LOGGER.level),
    "logger": (lambda: setattr(LOGGER, "disabled", True), lambda: LOGGER.disabled),
    "handlers of a logger": (lambda: LOGGER.addHandler(logging.NullHandler()), lambda: list(LOGGER.handlers)),
    "class of loggers": (lambda: logging.setLoggerClass(type("Own", (logging.Logger,), {})), logging.getLoggerClass),
    "rare signal": (lambda: signal.signal(signal.SIGTSTP, signal.SIG_IGN), lambda: signal.getsignal(signal.SIGTSTP)),
    "limit": (
        lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (200, resource.getrlimit(resource.RLIMIT_NOFILE)[1])),
        lambda: resource.getrlimit(resource.RLIMIT_NOFILE),
    ),
    "processors": (lambda: os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}), lambda: os.sched_getaffinity(0)),
    "time-out": (lambda: socket.setdefaulttimeout(1234), socket.getdefaulttimeout),
    "stack": (lambda: threading.stack_size(1 << 20), threading.stack_size),
    "collector": (lambda: gc.set_threshold(123), gc.get_threshold),
    "breakpoints": (lambda: setattr(sys, "breakpointhook", print), lambda: sys.breakpointhook),
    "digits": (lambda: sys.set_int_max_str_digits(10_000), sys.get_int_max_str_digits),
    "numpy's printing": (lambda: np.set_printoptions(precision=2), lambda: np.get_printoptions()["precision"]),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_changed_is_given_back(name):
    change, read = CHANGES[name]
    state, before = ProcessState(program_parts()), read()
    try:
        change()
        assert name == "processors" or read() != before  # there may be one only
    finally:
        state.give_back()
    assert read() == before


def test_the_time_zone(monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    state = ProcessState(program_parts())
    try:
        os.environ["TZ"] = "XYZ-5"
        time.tzset()
        assert time.tzname[0] == "XYZ"
    finally:
        state.give_back()
    assert time.tzname[0] == "UTC"


FIRST = """
import os
os.umask(0o777)
keep, relu = nn.Conv2d.forward, nn.functional.relu
nn.Conv2d = nn.ConvTranspose2d
nn.functional.relu = lambda x, inplace=False: x
torch.Tensor.flatten = lambda self, *_: self
torch.Tensor.newly_made = lambda self: self
nn.ReLU.forward = lambda self, x: x
vars(nn).pop("MaxPool2d", None)
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
    def forward(self, x):
        return self.conv(x).newly_made().flatten(1)
"""
SECOND = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.relu, self.pool = nn.Conv2d(3, 4, 3), nn.ReLU(), nn.MaxPool2d(2)
    def forward(self, x):
        assert not hasattr(x, "newly_made")
        return nn.functional.relu(self.pool(self.relu(self.conv(x)))).flatten(1)
"""


@pytest.mark.parametrize("order", [("first.py", "second.py"), ("second.py", "first.py")])
def test_what_a_target_replaces_is_its_own_affair(run, model_file, tmp_path, order):
    """The first target has a transposed convolution from 8 px to 10 and nothing else; the second one from 8 px to 6, then 3."""
    model_file(FIRST, "first.py")
    model_file(SECOND, "second.py")
    code, _, err = run(*order, "--resolution", "8", "--no-cache", "--exit-zero", "--output", "json=r.json")
    assert (code, err) == (0, "")
    results = {one["path"]: one["layers"] for one in json.loads((tmp_path / "r.json").read_text())["results"]}
    assert [(layer["name"], layer["out_size"]) for layer in results["first.py"]] == [("conv", [10, 10])]
    assert [(layer["name"], layer["out_size"]) for layer in results["second.py"]] == [("conv", [6, 6]), ("pool", [3, 3])]
    assert (tmp_path / "r.json").stat().st_mode & 0o600 == 0o600


def test_the_first_target_of_a_process_leaves_nothing_either(tmp_path):
    """Where torch is imported by the first target only, its switches and classes are still held before."""
    head = "import torch\nfrom torch import nn\n"
    (tmp_path / "first.py").write_text(f"{head}torch.set_default_dtype(torch.float64)\n{FIRST}")
    (tmp_path / "second.py").write_text(f"{head}assert torch.get_default_dtype() == torch.float32\n{SECOND}")
    command = [sys.executable, "-m", "rfcheck", "first.py", "second.py", "--resolution", "8", "--no-cache", "--exit-zero"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
