from __future__ import annotations

import importlib.metadata

import pytest
import torch

from rfcheck.processors import usable_processors
from rfcheck.verify.run.environment import environment, limited_threads


def test_versions_are_those_installed():
    found = environment()
    assert found["torch"] == torch.__version__
    assert found["scikit-learn"] == importlib.metadata.version("scikit-learn")
    assert found["threads"] == str(torch.get_num_threads())
    assert {"rfcheck", "python", "system", "device"} <= set(found)


def _threads(expected: int) -> None:
    from threadpoolctl import threadpool_info

    assert torch.get_num_threads() == expected
    assert {pool["num_threads"] for pool in threadpool_info()} == {expected}


@pytest.mark.parametrize("asked", ["2", "3"])
def test_threads_are_limited_as_asked_and_given_back(monkeypatch, asked):
    monkeypatch.setenv("OMP_NUM_THREADS", asked)
    before = torch.get_num_threads()
    with limited_threads():
        _threads(int(asked))
    assert torch.get_num_threads() == before


def test_without_being_asked_processes_share_the_processors(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "many")
    with limited_threads(processes=usable_processors()):
        _threads(1)
