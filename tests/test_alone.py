"""Work on models: one thread at a time, and the process stays as it was."""

from __future__ import annotations

import gc
import os
import threading
from pathlib import Path

import pytest
from torch import nn

from rfcheck.alone import alone


def test_another_thread_waits():
    order: list[str] = []
    entered = threading.Event()

    def other() -> None:
        entered.set()
        alone(nn.Identity(), lambda: order.append("other"))

    thread = threading.Thread(target=other)

    def work() -> None:
        thread.start()
        entered.wait()
        order.append("first")

    alone(nn.Identity(), work)
    thread.join()
    assert order == ["first", "other"]


def test_the_same_thread_may_work_within_its_work():
    assert alone(nn.Identity(), lambda: alone(nn.Identity(), lambda: 3)) == 3


def test_the_process_stays_as_it_was_and_the_collector_pauses(tmp_path):
    def work() -> bool:
        os.chdir(tmp_path)
        return gc.isenabled()

    here, enabled = Path.cwd(), gc.isenabled()
    assert alone(nn.Identity(), work) is False
    assert (Path.cwd(), gc.isenabled()) == (here, enabled)
    with pytest.raises(ZeroDivisionError):
        alone(nn.Identity(), lambda: 1 // 0)
    assert gc.isenabled() is enabled
