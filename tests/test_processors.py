from __future__ import annotations

import os

import pytest

from rfcheck import processors
from rfcheck.processors import usable_processors


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs processes that can be bound to processors")
def test_no_more_than_the_process_is_bound_to(monkeypatch, tmp_path):
    monkeypatch.setattr(processors, "QUOTA", tmp_path / "none")
    before = os.sched_getaffinity(0)
    assert usable_processors() == len(before)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert usable_processors() == 1
    finally:
        os.sched_setaffinity(0, before)


@pytest.mark.parametrize(
    ("quota", "expected"),
    [
        ("max 100000", 8),
        ("200000 100000", 2),
        ("150000 100000", 2),
        ("50000 100000", 1),
        ("0 100000", 1),
        ("6400000 100000", 8),
        ("garbage", 8),
        ("1 0", 8),
    ],
)
def test_no_more_than_the_container_grants(monkeypatch, tmp_path, quota, expected):
    monkeypatch.setattr(processors, "QUOTA", tmp_path / "cpu.max")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    (tmp_path / "cpu.max").write_text(f"{quota}\n")
    assert usable_processors() == expected
