"""What was measured of each layer, over all seeds."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

import numpy as np

from rfcheck.analysis.layers import Layer
from rfcheck.verify.conclusions import MeasuredLayer
from rfcheck.verify.records import Interval, Measurement, Mode
from rfcheck.verify.verdict.intervals import clopper_pearson
from rfcheck.verify.verdict.probed import is_usable

_UNKNOWN = Interval(math.nan, math.nan, math.nan)


def measured_layers(
    layers: Sequence[Layer], measurements: Sequence[Measurement], skipped: Collection[str]
) -> tuple[MeasuredLayer, ...]:
    """The layers of a model with their means over the seeds.

    Args:
        layers: that are measured, in execution order.
        measurements: of this model, one per seed.
        skipped: names of the layers that features pass by.

    Returns:
        One entry a layer; nan where a seed has no usable value.
    """
    train, evaluated = (_saturation(measurements, mode) for mode in ("train", "eval"))
    return tuple(
        MeasuredLayer(
            layer,
            *_accuracies(layer.name, measurements),
            train.get(layer.name, math.nan),
            evaluated.get(layer.name, math.nan),
            layer.name in skipped,
        )
        for layer in layers
    )


def _accuracies(layer: str, measurements: Sequence[Measurement]) -> tuple[Interval, float]:
    probes = [probe for one in measurements for probe in one.probes if probe.layer == layer and is_usable(probe)]
    if len(probes) < len(measurements):
        return _UNKNOWN, math.nan
    test = float(np.mean([probe.test_accuracy for probe in probes]))
    return clopper_pearson(test, len(probes[0].correct)), float(np.mean([probe.train_accuracy for probe in probes]))


def _saturation(measurements: Sequence[Measurement], mode: Mode) -> dict[str, float]:
    by_seed = [{one.layer: one.saturation for one in measurement.saturation.get(mode, ())} for measurement in measurements]
    names = set.intersection(*(set(values) for values in by_seed))
    return {name: float(np.mean([values[name] for values in by_seed])) for name in names}
