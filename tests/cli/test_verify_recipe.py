from __future__ import annotations

import pytest

from rfcheck.cli.verify_recipe import recipe_of
from rfcheck.errors import InputSizeError, SettingsError
from rfcheck.verify.recipe import PRESETS, Recipe, Training

NOTHING = {
    "data": "digits",
    "download": False,
    "canvas": None,
    "preset": "thesis",
    "epochs": None,
    "batch_size": None,
    "optimizer": None,
    "learning_rate": None,
    "momentum": None,
    "weight_decay": None,
    "decay_every": None,
    "decay_factor": None,
    "precision": None,
    "seeds": 1,
    "probe_size": 4,
    "probe_memory": "2G",
    "fixes": None,
    "heatmaps": (),
}


def recipe(size=32, channels=3, **given):
    return recipe_of("model.py", size, channels, NOTHING | given)


def test_without_options_the_recipe_has_its_defaults():
    assert recipe() == Recipe("model.py", (3, 32, 32))


def test_options_win_over_the_preset():
    made = recipe(preset="table-11", epochs=2, momentum=0.0).training
    expected = PRESETS["table-11"]
    assert (made.epochs, made.momentum) == (2, 0.0)
    assert (made.learning_rate, made.decay_every, made.batch_size) == (0.1, expected.decay_every, expected.batch_size)
    assert recipe(preset="quick").training == PRESETS["quick"] != Training()


@pytest.mark.parametrize(
    ("size", "channels", "expected"),
    [(32, 1, (1, 32, 32)), ((32, 48), 3, (3, 32, 48)), ((1, 32, 48), 3, (1, 32, 48))],
)
def test_sizes_become_channels_and_two_axes(size, channels, expected):
    assert recipe(size, channels).input_size == expected


def test_fixes_and_heatmaps_are_each_named_once():
    made = recipe(fixes=" truncate,remove-stem,,truncate ", heatmaps=("conv1", "conv1"))
    assert made.fixes == ("truncate", "remove-stem")
    assert made.heatmaps == ("conv1",)


@pytest.mark.parametrize(("text", "expected"), [("512M", 512 * 2**20), ("1.5G", 3 * 2**29), ("100", 100), ("2 gib", 2**31)])
def test_memory_is_read_with_its_unit(text, expected):
    assert recipe(probe_memory=text).probe_memory == expected


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"epochs": 0}, "--epochs must be at least 1, got 0"),
        ({"batch_size": 1}, "--batch-size must be at least 2, got 1"),
        ({"decay_every": 0}, "--decay-every must be at least 1, got 0"),
        ({"seeds": -1}, "--seeds must be at least 1, got -1"),
        ({"canvas": 0}, "--canvas must be at least 1, got 0"),
        ({"probe_size": 0}, "--probe-size must be at least 1, got 0"),
        ({"probe_memory": "much"}, "--probe-memory must be a number of bytes such as 512M or 4G, got 'much'"),
        ({"learning_rate": 0.0}, "--learning-rate must be above 0, and finite, got 0"),
        ({"learning_rate": float("nan")}, "--learning-rate must be above 0, and finite, got nan"),
        ({"learning_rate": float("inf")}, "--learning-rate must be above 0, and finite, got inf"),
        ({"decay_factor": 1.5}, "--decay-factor must be above 0, and at most 1, got 1.5"),
        ({"momentum": -0.5}, "--momentum must be 0 or above, and at most 1, got -0.5"),
        ({"weight_decay": -1.0}, "--weight-decay must be 0 or above, and finite, got -1"),
        ({"weight_decay": float("inf")}, "--weight-decay must be 0 or above, and finite, got inf"),
    ],
)
def test_what_is_not_possible_is_refused(given, sentence):
    with pytest.raises(SettingsError) as caught:
        recipe(**given)
    assert str(caught.value) == sentence


def test_only_images_with_two_axes_are_trained_on():
    with pytest.raises(InputSizeError) as caught:
        recipe((1, 8, 16, 16))
    expected = "verify trains on images with two axes, got the input size 1x8x16x16; give --resolution 32 or 32x48"
    assert str(caught.value) == expected
