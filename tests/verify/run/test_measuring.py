from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest
import torch

from rfcheck.verify.data.images import Images
from rfcheck.verify.data.prepared import prepare
from rfcheck.verify.data.sources import load_dataset
from rfcheck.verify.progress import Silent
from rfcheck.verify.recipe import Recipe, Training
from rfcheck.verify.records import LayerSaturation, Measurement, Variant
from rfcheck.verify.run.folder import RunFolder
from rfcheck.verify.run.measurement_file import write_measurement
from rfcheck.verify.run.measuring import Bench, chance, measure
from rfcheck.verify.run.planning import PlannedModel

from .networks import tiny


@pytest.fixture
def bench(tmp_path):
    recipe = Recipe("model.py", (3, 16, 16), training=Training(epochs=1))
    data = prepare(load_dataset("digits"), recipe.input_size)
    return Bench(recipe, data, torch.device("cpu"), RunFolder(tmp_path), False, Silent())


def planned(build) -> PlannedModel:
    return PlannedModel(Variant("original", "", (), None, (), 1, 1), build)


def known(bench, **changes) -> Measurement:
    measured = Measurement("original", 0, (), {"train": (), "eval": ()}, (), np.ones(len(bench.data.test), bool), 0.5)
    return replace(measured, **changes)


def fail():
    raise AssertionError("the model was built")


def test_chance_is_the_share_of_the_most_frequent_class(bench):
    labels = torch.tensor([0, 2, 2, 1, 2])
    data = replace(bench.data, test=Images(torch.zeros(5, 3, 2, 2, dtype=torch.uint8), labels))
    assert chance(data) == 3 / 5


def test_what_is_measured_is_not_measured_again(bench):
    folder = bench.folder.model("original", 0)
    folder.mkdir(parents=True)
    write_measurement(folder / "measurement.npz", known(bench))
    assert measure(planned(fail), 0, bench).seconds_per_image == 0.5


@pytest.mark.parametrize(
    "change",
    [
        {"variant": "truncate"},
        {"seed": 1},
        {"correct": np.array([True])},
        {"saturation": {"train": (LayerSaturation("x", 8, 9, 3, 0.4, 1.0, 2.0),), "eval": ()}},
    ],
    ids=str,
)
def test_what_another_model_or_other_images_gave_is_measured_anew(change, bench):
    folder = bench.folder.model("original", 0)
    folder.mkdir(parents=True)
    write_measurement(folder / "measurement.npz", known(bench, **change))
    with pytest.raises(AssertionError, match="the model was built"):
        measure(planned(fail), 0, bench)


def test_nothing_but_results_is_left(bench):
    measured = measure(planned(tiny), 0, bench)
    assert len(measured.correct) == len(bench.data.test)
    assert [epoch.number for epoch in measured.epochs] == [1]
    names = {path.name for path in bench.folder.model("original", 0).iterdir()}
    assert "features" not in names
    assert {"checkpoint.pt", "measurement.npz", "metrics.jsonl"} <= names


def test_a_further_process_trains_and_then_waits_for_the_first(bench, monkeypatch):
    monkeypatch.setenv("RANK", "1")
    folder = bench.folder.model("original", 0)
    built: list[bool] = []

    def build():
        built.append(True)
        return tiny()

    def first_process():
        folder.mkdir(parents=True, exist_ok=True)
        write_measurement(folder / "measurement.npz", known(bench))

    timer = threading.Timer(1.5, first_process)
    timer.start()
    measured = measure(planned(build), 0, bench)
    timer.join()
    assert built
    assert measured.seconds_per_image == 0.5
