"""How changed models do next to the original."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from rfcheck.verify.conclusions import Change, VariantResult
from rfcheck.verify.records import Interval, Measurement, Variant
from rfcheck.verify.verdict.intervals import clopper_pearson, mcnemar, students
from rfcheck.verify.verdict.resampling import difference


def of_variant(measurements: Sequence[Measurement], name: str) -> tuple[Measurement, ...]:
    """The measurements of one variant, by seed."""
    return tuple(sorted((one for one in measurements if one.variant == name), key=lambda one: one.seed))


def variant_results(variants: Sequence[Variant], measurements: Sequence[Measurement]) -> tuple[VariantResult, ...]:
    """The accuracies of all variants that were measured, and how they differ from those of the first.

    Args:
        variants: the original first.
        measurements: of every variant and seed; a variant without any is left out.
    """
    original = of_variant(measurements, variants[0].name)
    results: list[VariantResult] = []
    for variant in variants:
        measured = of_variant(measurements, variant.name)
        if measured:
            results.append(_result(variant, measured, None if variant is variants[0] else original))
    return tuple(results)


def _result(variant: Variant, measured: Sequence[Measurement], original: Sequence[Measurement] | None) -> VariantResult:
    accuracies = tuple(one.test_accuracy for one in measured)
    pairs = _pairs(measured, original or ())
    change = accuracy_change(pairs)
    return VariantResult(
        variant=variant,
        accuracies=accuracies,
        mean=_mean(accuracies, len(measured[0].correct)),
        difference=change,
        p_value=mcnemar(pairs[0][0].correct, pairs[0][1].correct) if pairs else None,
        seconds_per_image=median(one.seconds_per_image for one in measured),
        change=None if change is None else _in_words(change),
    )


def _pairs(measured: Sequence[Measurement], original: Sequence[Measurement]) -> list[tuple[Measurement, Measurement]]:
    by_seed = {one.seed: one for one in original}
    return [(one, by_seed[one.seed]) for one in measured if one.seed in by_seed]


def _mean(accuracies: Sequence[float], images: int) -> Interval:
    if len(accuracies) == 1:
        return clopper_pearson(accuracies[0], images)
    interval = students(accuracies, 1 / images)
    return Interval(interval.value, max(interval.low, 0.0), min(interval.high, 1.0))


def accuracy_change(pairs: Sequence[tuple[Measurement, Measurement]]) -> Interval | None:
    """The difference of two models' accuracies on the test images.

    Over at least two seeds Student's interval of the differences by seed, which speaks of further trainings; with one
    seed a paired bootstrap, which speaks of these two trained models on further images. None without a pair.

    Args:
        pairs: per seed, the measurement of the changed model and that of the original.
    """
    if not pairs:
        return None
    if len(pairs) == 1:
        ((changed, original),) = pairs
        return difference(changed.correct, original.correct)
    values = [changed.test_accuracy - original.test_accuracy for changed, original in pairs]
    return students(values, 1 / len(pairs[0][0].correct))


def _in_words(change: Interval) -> Change:
    if change.low > 0:
        return "better"
    return "worse" if change.high < 0 else "no difference shown"
