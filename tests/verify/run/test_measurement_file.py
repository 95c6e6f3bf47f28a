from __future__ import annotations

import math
import os
from dataclasses import replace

import numpy as np
import pytest

from rfcheck.errors import VerifyError
from rfcheck.verify.records import Epoch, LayerSaturation, Measurement, Probe
from rfcheck.verify.run.measurement_file import read_measurement, write_measurement

CORRECT = np.array([True, False, True, True, False])
MEASURED = Measurement(
    variant="truncate",
    seed=3,
    epochs=(Epoch(1, 2.3, 0.1, 2.2, 0.125, 1e-4, None, 0.5), Epoch(2, 1 / 3, 0.9, 0.25, 0.95, 1e-5, 0.31, 0.25)),
    saturation={
        "train": (LayerSaturation("conv", 8, 1000, 3, 0.375, 12.5, 2.25),),
        "eval": (LayerSaturation("conv", 8, 10, 0, math.nan, 0.0, 0.0, 10),),
    },
    probes=(Probe("conv", 128, 1e-3, 0.75, ~CORRECT), Probe("fc", 10, 0.0, 1.0, CORRECT)),
    correct=CORRECT,
    seconds_per_image=1e-4,
)


def same(a: Measurement, b: Measurement) -> None:
    assert (a.variant, a.seed, a.epochs, a.seconds_per_image) == (b.variant, b.seed, b.epochs, b.seconds_per_image)
    assert repr(a.saturation) == repr(b.saturation)  # nan equals nothing
    assert [(p.layer, p.features, p.l2, p.train_accuracy) for p in a.probes] == [
        (p.layer, p.features, p.l2, p.train_accuracy) for p in b.probes
    ]
    for one, other in zip([a, *a.probes], [b, *b.probes], strict=True):
        np.testing.assert_array_equal(one.correct, other.correct)
        assert other.correct.dtype == bool


def test_a_measurement_is_read_as_it_was_written(tmp_path):
    path = tmp_path / "measurement.npz"
    write_measurement(path, MEASURED)
    same(MEASURED, read_measurement(path))


def test_what_is_not_there_or_not_whole_is_none(tmp_path):
    path = tmp_path / "measurement.npz"
    assert read_measurement(path) is None
    write_measurement(path, MEASURED)
    whole = path.read_bytes()
    for length in range(0, len(whole), 37):
        path.write_bytes(whole[:length])
        assert read_measurement(path) is None


@pytest.mark.parametrize(
    "change",
    [
        {"epochs": (Epoch(1, "::error::x", 0.1, 2.2, 0.125, 1e-4, None, 0.5),)},
        {"saturation": {"train": (LayerSaturation(["conv"], 8, 1000, 3, 0.375, 12.5, 2.25),), "eval": ()}},
        {"saturation": {"train": ()}},
        {"probes": (Probe("conv", "128", 1e-3, 0.75, ~CORRECT),)},
        {"correct": np.array([0, 1, 2, 0, 1])},
        {"correct": np.array([True])},
        {"variant": 3},
        {"seconds_per_image": None},
    ],
    ids=str,
)
def test_values_that_are_not_of_their_type_are_none(tmp_path, change):
    path = tmp_path / "measurement.npz"
    write_measurement(path, replace(MEASURED, **change))
    assert read_measurement(path) is None


def test_no_more_is_unpacked_than_there_can_be(tmp_path, monkeypatch):
    path = tmp_path / "measurement.npz"
    write_measurement(path, replace(MEASURED, correct=np.zeros(10**6, bool), probes=()))
    assert read_measurement(path) is not None
    assert path.stat().st_size < 10**4
    monkeypatch.setattr("rfcheck.verify.run.measurement_file._LARGEST", 10**5)
    assert read_measurement(path) is None


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "measurement.npz")
    assert read_measurement(tmp_path / "measurement.npz") is None


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    path = tmp_path / "file" / "measurement.npz"
    with pytest.raises(VerifyError) as caught:
        write_measurement(path, MEASURED)
    remedy = "see to it that the folder can be written, then resume the run"
    assert str(caught.value) == f"{path}: cannot be written: File exists; {remedy}"
