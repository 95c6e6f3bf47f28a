from __future__ import annotations

from dataclasses import replace

from rfcheck.verify.recipe import Training
from rfcheck.verify.verdict.caveats import caveats
from tests.verify.verdict.curves import measurement, variant

ORIGINAL, CUT = variant(2), variant(1, name="truncate")


def test_nothing_to_say_of_a_long_training_on_much_data():
    measured = [measurement([0.5, 0.5], seed=seed) for seed in (0, 1)]
    assert caveats([ORIGINAL], measured, Training(epochs=20), ()) == ()


def test_a_short_training_without_anything_to_compare():
    assert caveats([ORIGINAL], [measurement([0.5, 0.5], seed=seed) for seed in (0, 1)], Training(epochs=12), ()) == (
        "12 epochs of training: the last layers learn slowly, so a longer training may show gains that are not seen here",
    )


def test_everything_that_may_be_said():
    lacking = replace(ORIGINAL, unmeasured=("stem/conv2d", "head/linear"))
    assert caveats([lacking, CUT], [measurement([0.5, 0.5], images=360)], Training(epochs=12), ("1",)) == (
        "12 epochs of training: short trainings rank deep and wide networks too low (Lundberg 2020, tables 3, 6 and 9: the order of "
        "networks after 100 epochs correlates by 0.2 to 1.0 with that after 20 and by -0.43 to 0.0 with that after 10)",
        "one seed: intervals speak of these trained models on other images, not of another training; --seeds 3 would",
        "360 test images: a difference of one point is hard to see",
        "2 layers not measured, as outputs come from no module or cannot be told apart by image: stem/conv2d, head/linear",
        "1 layer without a usable probe, as outputs were not finite or not recorded: 1",
        "not measured, so not compared: truncate",
    )
