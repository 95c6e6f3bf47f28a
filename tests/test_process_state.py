from __future__ import annotations

import builtins
import locale
import logging
import os
import random
import signal
import sys
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest

from rfcheck.process_state import ProcessState, process_kept, process_state_kept

CHANGES = {
    "folder": (lambda path: os.chdir(path), os.getcwd),
    "arguments": (lambda _: sys.argv.append("--more"), lambda: list(sys.argv)),
    "list of arguments": (lambda _: setattr(sys, "argv", []), lambda: id(sys.argv)),
    "output": (lambda _: setattr(sys, "stdout", sys.stderr), lambda: id(sys.stdout)),
    "import path": (lambda path: sys.path.insert(0, str(path)), lambda: list(sys.path)),
    "recursion": (lambda _: sys.setrecursionlimit(sys.getrecursionlimit() + 1), sys.getrecursionlimit),
    "new variable": (lambda _: os.environ.update(RFCHECK_NEW="1"), lambda: dict(os.environ)),
    "variable": (lambda _: os.environ.update(PATH="/"), lambda: os.environ["PATH"]),
    "lost variable": (lambda _: os.environ.pop("PATH"), lambda: os.environ.get("PATH")),
    "print": (lambda _: setattr(builtins, "print", repr), lambda: builtins.print),
    "new builtin": (lambda _: setattr(builtins, "profile", repr), lambda: hasattr(builtins, "profile")),
    "filters": (lambda _: warnings.simplefilter("ignore"), lambda: list(warnings.filters)),
    "list of filters": (lambda _: setattr(warnings, "filters", []), lambda: id(warnings.filters)),
    "showwarning": (lambda _: setattr(warnings, "showwarning", print), lambda: warnings.showwarning),
    "signal": (lambda _: signal.signal(signal.SIGTERM, signal.SIG_IGN), lambda: signal.getsignal(signal.SIGTERM)),
    "locale": (lambda _: locale.setlocale(locale.LC_ALL, "C.UTF-8"), lambda: locale.setlocale(locale.LC_ALL)),
    "level": (lambda _: logging.root.setLevel(1), lambda: logging.root.level),
    "handlers": (lambda _: logging.root.addHandler(logging.NullHandler()), lambda: list(logging.root.handlers)),
    "logging": (lambda _: logging.disable(50), lambda: logging.root.manager.disable),
    "excepthook": (lambda _: setattr(sys, "excepthook", print), lambda: sys.excepthook),
    "hook of threads": (lambda _: setattr(threading, "excepthook", print), lambda: threading.excepthook),
    "random": (lambda _: random.seed(0), random.getstate),
    "numpy": (lambda _: np.random.seed(0), lambda: np.random.get_state()[1].tolist()),
    "numpy's errors": (lambda _: np.seterr(all="raise"), lambda: dict(np.geterr())),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_changed_is_given_back(name, tmp_path):
    change, read = CHANGES[name]
    state, before = ProcessState(), read()
    try:
        change(tmp_path)
        assert name == "locale" or read() != before  # the locale may have been that one
    finally:
        state.give_back()
    assert read() == before


def test_numpys_generator_may_be_another():
    before = np.random.get_state()
    try:
        np.random.set_bit_generator(np.random.PCG64(5))
        state, drawn = ProcessState(), np.random.standard_normal(3).tolist()
        state.give_back()
        assert np.random.standard_normal(3).tolist() == drawn
    finally:
        np.random.set_bit_generator(np.random.MT19937())
        np.random.set_state(before)


def test_giving_back_again_changes_nothing():
    state = ProcessState()
    state.give_back()
    before = list(sys.path), dict(os.environ), list(warnings.filters)
    state.give_back()
    assert (list(sys.path), dict(os.environ), list(warnings.filters)) == before


def test_an_alarm_ends_with_the_work_and_one_that_was_running_goes_on():
    tests_own = signal.getitimer(signal.ITIMER_REAL)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0)
        process_kept(lambda: signal.setitimer(signal.ITIMER_REAL, 1000))
        assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
        signal.setitimer(signal.ITIMER_REAL, 1000)
        process_kept(lambda: None)
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 0
    finally:
        signal.setitimer(signal.ITIMER_REAL, *tests_own)


def test_a_folder_that_is_gone(tmp_path, monkeypatch):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")

    def work():
        os.chdir(tmp_path)
        (tmp_path / "gone").rmdir()
        return 3

    assert process_kept(work) == 3
    assert Path.cwd() == tmp_path


def test_a_thread_has_no_signals():
    found = []
    thread = threading.Thread(target=lambda: found.append(process_kept(lambda: 3)))
    thread.start()
    thread.join()
    assert found == [3]


def test_a_block_gives_the_process_back(tmp_path):
    before = Path.cwd()
    with process_state_kept():
        os.chdir(tmp_path)
    assert Path.cwd() == before
