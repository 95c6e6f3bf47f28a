from __future__ import annotations

import importlib.metadata

import pytest
import torch

from rfcheck.processors import usable_processors
from rfcheck.verify.run.environment import change_sentence, continued, environment, limited_threads


def test_versions_are_those_installed():
    found = environment()
    assert found["torch"] == torch.__version__
    assert found["scikit-learn"] == importlib.metadata.version("scikit-learn")
    assert int(found["threads"]) >= 1
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
    monkeypatch.setenv("LOCAL_WORLD_SIZE", str(usable_processors()))
    with limited_threads():
        _threads(1)


def test_no_more_threads_than_torch_wants(monkeypatch):
    """Torch leaves the second thread of a core alone, and whoever limits it by other means has a reason."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr("rfcheck.verify.run.environment.usable_processors", lambda: 64)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        assert environment()["threads"] == "3"
        with limited_threads():
            _threads(3)
    finally:
        torch.set_num_threads(before)


def test_the_recorded_threads_are_those_that_are_used(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert environment()["threads"] == "3"


def test_a_run_of_two_processes_that_goes_on_with_one_is_told(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    first = environment()
    monkeypatch.delenv("WORLD_SIZE")
    told = "went on in another environment (processes: 2, then 1), which may have changed the numbers"
    assert change_sentence(continued(first, environment())) == told


def test_an_environment_that_changes_is_told():
    first = {"torch": "2.14.0", "threads": "2", "device": "cpu"}
    assert continued(first, first) == first
    assert change_sentence(first) == ""
    second = continued(first, {**first, "torch": "2.15.0"})
    assert second == {"torch": "2.14.0, then 2.15.0", "threads": "2", "device": "cpu"}
    assert continued(second, {**first, "torch": "2.15.0"}) == second
    third = continued(second, {**first, "threads": "1", "timm": "1.0"})
    assert third == {"torch": "2.14.0, then 2.15.0, then 2.14.0", "threads": "2, then 1", "device": "cpu", "timm": "1.0"}
    told = "torch: 2.14.0, then 2.15.0, then 2.14.0; threads: 2, then 1"
    assert change_sentence(third) == f"went on in another environment ({told}), which may have changed the numbers"
