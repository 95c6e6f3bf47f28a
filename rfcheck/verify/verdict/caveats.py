"""What a reader needs to know to judge the numbers."""

from __future__ import annotations

from collections.abc import Sequence

from rfcheck.report.result import plural
from rfcheck.verify.recipe import Training
from rfcheck.verify.records import Measurement, Variant
from rfcheck.verify.verdict.sentences import listed

FEW_EPOCHS = 20
"""Below, short trainings are named as a caveat."""

FEW_IMAGES = 1000
"""Test images below which differences of a point are hard to see."""


def caveats(
    variants: Sequence[Variant], measurements: Sequence[Measurement], training: Training, without_probe: Sequence[str]
) -> tuple[str, ...]:
    """Sentences on what limits the conclusions.

    Args:
        variants: the original first.
        measurements: of every variant and seed.
        training: how the models were trained.
        without_probe: judged layers of the original that have no usable probe.
    """
    original = [one for one in measurements if one.variant == variants[0].name]
    absent = [variant.name for variant in variants if all(one.variant != variant.name for one in measurements)]
    return tuple(
        sentence
        for sentence in (
            _epochs(training.epochs, has_variants=len(variants) > 1),
            _seeds(len(original)),
            _images(len(original[0].correct)),
            _layers("not measured, as outputs come from no module or cannot be told apart by image", variants[0].unmeasured),
            _layers("without a usable probe, as outputs were not finite or not recorded", without_probe),
            f"not measured, so not compared: {listed(absent)}" if absent else "",
        )
        if sentence
    )


def _epochs(epochs: int, *, has_variants: bool) -> str:
    if epochs >= FEW_EPOCHS:
        return ""
    if not has_variants:
        longer = "the last layers learn slowly, so a longer training may show gains that are not seen here"
        return f"{plural(epochs, 'epoch')} of training: {longer}"
    return (
        f"{plural(epochs, 'epoch')} of training: short trainings rank deep and wide networks too low (Lundberg 2020, "
        "tables 3, 6 and 9: the order of networks after 100 epochs correlates by 0.2 to 1.0 with that after 20 and "
        "by -0.43 to 0.0 with that after 10)"
    )


def _seeds(seeds: int) -> str:
    if seeds > 1:
        return ""
    return "one seed: intervals speak of these trained models on other images, not of another training; --seeds 3 would"


def _images(images: int) -> str:
    return f"{plural(images, 'test image')}: a difference of one point is hard to see" if images < FEW_IMAGES else ""


def _layers(which: str, names: Sequence[str]) -> str:
    return f"{plural(len(names), 'layer')} {which}: {listed(names)}" if names else ""
