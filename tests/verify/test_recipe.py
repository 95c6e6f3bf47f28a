"""Presets against the tables of hyperparameters in Richter 2022."""

from __future__ import annotations

import dataclasses

import pytest

from rfcheck.verify.recipe import PRESETS, Recipe, Training

ADAM = {"optimizer": "adam", "learning_rate": 1e-4, "decay_every": None}
SGD = {"optimizer": "sgd", "learning_rate": 0.1, "momentum": 0.9, "decay_factor": 0.1, "weight_decay": 0.0}

TABLES = {
    "table-6": {"epochs": 90, "batch_size": 64, "decay_every": 30, **SGD},
    "table-7": {"epochs": 30, "batch_size": 128, **ADAM},
    "table-8": {"epochs": 30, "batch_size": 64, **ADAM},
    "table-9": {"epochs": 60, "batch_size": 64, "decay_every": 20, **SGD},
    "table-11": {"epochs": 60, "batch_size": 64, "decay_every": 20, **SGD},
    "table-12": {"epochs": 60, "batch_size": 128, **ADAM},
}


@pytest.mark.parametrize("name", TABLES)
def test_a_preset_trains_as_its_table_says(name):
    preset = dataclasses.asdict(PRESETS[name])
    assert {key: preset[key] for key in TABLES[name]} == TABLES[name]


def test_the_defaults_are_those_of_table_12():
    assert PRESETS["thesis"] == PRESETS["table-12"] == Training() == Recipe("model.py", (3, 32, 32)).training


def test_the_quick_preset_is_shorter_than_every_other():
    quick = PRESETS["quick"]
    assert all(quick.epochs < preset.epochs for name, preset in PRESETS.items() if name != "quick")
