from __future__ import annotations

import threading
import time

import pytest

from rfcheck.verify.run.processes import processes, processes_here, rank, wait_for


@pytest.fixture(autouse=True)
def _alone(monkeypatch):
    for name in ("RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)


def test_a_process_alone_is_the_first_of_one():
    assert (rank(), processes(), processes_here()) == (0, 1, 1)


def test_numbers_are_those_of_the_launcher(monkeypatch):
    monkeypatch.setenv("RANK", "3")
    monkeypatch.setenv("WORLD_SIZE", "8")
    assert (rank(), processes(), processes_here()) == (3, 8, 8)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")
    assert processes_here() == 4


def test_waiting_ends_when_something_can_be_read(tmp_path):
    """Also where a broken file lies there before."""
    file = tmp_path / "measurement.txt"
    file.write_text("broken", encoding="utf-8")
    writer = threading.Timer(0.3, lambda: file.write_text("7", encoding="utf-8"))
    begun = time.monotonic()
    writer.start()

    def read():
        text = file.read_text(encoding="utf-8")
        return int(text) if text.isdecimal() else None

    assert wait_for(read) == 7
    assert time.monotonic() - begun >= 0.3
