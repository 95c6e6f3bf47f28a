"""The probes of a model's judged layers over all seeds, ready to be compared."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rfcheck.analysis.layers import Layer
from rfcheck.verify.conclusions import Gain
from rfcheck.verify.records import Interval, Measurement, Probe
from rfcheck.verify.verdict.resampling import Resampled, best_gain, resample


@dataclass(frozen=True, eq=False)
class Probed:
    """Probes of judged layers.

    Attributes:
        names: of the layers that have a usable probe in every seed, in execution order.
        shares: for each of them, then for those of the head, and each test image, the share of the seeds whose probe is right;
            float (L, N).
        head: names of the layers of the head with such a probe, which are not judged: they only show what reaches them.
    """

    names: tuple[str, ...]
    shares: np.ndarray
    head: tuple[str, ...] = ()

    @cached_property
    def resampled(self) -> Resampled:
        """The accuracies with how they vary; drawn once, so that all comparisons see the same images."""
        return resample(self.shares)

    def accuracy(self, name: str) -> float:
        """Of a layer's probes, mean over the seeds."""
        return float(self.shares[self._row(name)].mean())

    def known(self, names: Iterable[str]) -> tuple[str, ...]:
        """Those of the names that have a probe, in execution order."""
        wanted = set(names)
        return tuple(name for name in self.names if name in wanted)

    def after(self, name: str) -> tuple[str, ...]:
        """The layers behind one, in execution order."""
        return self.names[self.names.index(name) + 1 :]

    def best(self, names: Sequence[str]) -> str:
        """The layer with the best probe among some, at least one."""
        return max(names, key=self.accuracy)

    def gain(self, reference: str, others: Sequence[str]) -> Gain | None:
        """By how much the best probe among others exceeds that of a layer; None without others."""
        if not others:
            return None
        rows = {self._row(name): name for name in others}
        best, interval = best_gain(self.resampled, self._row(reference), list(rows))
        return Gain(reference, rows[best], interval)

    def gain_over(self, references: Sequence[str], name: str) -> Gain | None:
        """By how much the probe of a layer exceeds the best among others; None without others."""
        lead = self.gain(name, references)
        if lead is None:
            return None
        reverse = lead.difference
        return Gain(lead.best, name, Interval(-reverse.value, -reverse.high, -reverse.low))

    def _row(self, name: str) -> int:
        return (*self.names, *self.head).index(name)


def probed(layers: Sequence[Layer], measurements: Sequence[Measurement]) -> Probed:
    """The probes of the judged layers of one model, and of its head.

    Args:
        layers: that are measured, in execution order.
        measurements: of this model, one per seed, on the same test images.
    """
    by_seed = [{probe.layer: probe for probe in one.probes if is_usable(probe)} for one in measurements]
    usable = [layer for layer in layers if all(layer.name in probes for probes in by_seed)]
    names = tuple(layer.name for layer in usable if layer.judged)
    head = tuple(layer.name for layer in usable if layer.role == "head" and not layer.judged)
    rows = [np.mean([probes[name].correct for probes in by_seed], axis=0) for name in (*names, *head)]
    images = len(measurements[0].correct)
    return Probed(names, np.array(rows, dtype=float).reshape(len(rows), images), head)


def is_usable(probe: Probe) -> bool:
    """Whether a probe was fitted on finite numbers."""
    return probe.correct.size > 0 and not math.isnan(probe.train_accuracy)
