from __future__ import annotations

from dataclasses import replace

import numpy as np

from rfcheck.verify.report.raw_measurements import measurement_to_dict
from tests.verify.report.hand_made import SMALL
from tests.verify.report.runs import VGG


def test_accuracies_are_shares_of_the_test_images():
    measurement = VGG.measurements[6]
    written = measurement_to_dict(measurement)
    assert written["test_accuracy"] == np.count_nonzero(measurement.correct) / measurement.correct.size
    assert [p["test_accuracy"] for p in written["probes"]] == [np.count_nonzero(p.correct) / 1000 for p in measurement.probes]


def test_saturation_of_both_modes():
    written = measurement_to_dict(VGG.measurements[2])["saturation"]
    assert [one["saturation"] for one in written["train"]] == [one.saturation for one in VGG.measurements[2].saturation["train"]]
    assert [one["saturation"] for one in written["eval"]] == [one.saturation for one in VGG.measurements[2].saturation["eval"]]
    assert written["train"] != written["eval"]


def test_a_mode_that_was_not_observed():
    alone = replace(SMALL.measurements[0], saturation={})
    assert measurement_to_dict(alone)["saturation"] == {"train": [], "eval": []}


def test_losses_that_are_not_finite():
    (epoch,) = SMALL.measurements[0].epochs
    written = measurement_to_dict(replace(SMALL.measurements[0], epochs=(replace(epoch, train_loss=float("inf")),)))["epochs"]
    assert [(one["train_loss"], one["validation_loss"]) for one in written] == [(None, None)]
