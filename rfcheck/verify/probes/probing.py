"""Logistic-regression probes on the outputs of layers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from rfcheck.verify.probes.features import Collected
from rfcheck.verify.probes.kept import KeptProbes, fingerprint
from rfcheck.verify.probes.selection import select_and_fit
from rfcheck.verify.probes.standardising import standard
from rfcheck.verify.progress import SILENT, Progress
from rfcheck.verify.records import Probe


def train_probes(
    train: Collected,
    test: Collected,
    layers: Sequence[str],
    classes: int,
    *,
    folder: Path,
    device: torch.device,
    progress: Progress = SILENT,
) -> tuple[Probe, ...]:
    """Train a probe on every layer's features, and test it.

    Features are standardised on the training images. The strength of the regularisation is chosen on a held-out fifth of these,
    then the probe is fitted to all of them. Where a layer put out NaN or infinity for a training image, no probe can be trained:
    its strength and training accuracy are nan and it labels no test image right. A test image for which a layer did counts as
    labelled wrong. `Collected.not_finite` names these layers.

    Args:
        train: features of the training images, as the model sees them in evaluation mode.
        test: features of the test images.
        layers: names; the order of the result.
        classes: number.
        folder: keeps each probe when it is trained; probes that are there, of the same model and images, are not trained again.
        device: to compute on.
        progress: is told of every layer.

    Raises:
        VerifyError: if there are too few images, or a probe cannot be written; probes that are trained stay in the folder.

    Source: Richter 2022, sections 4.3, 6.2.5 and 8.3.3; he trained without standardising, with SAGA for 100 epochs.
    """
    progress.stage("probes", len(layers))
    kept = KeptProbes(folder, fingerprint(train, test))
    probes = []
    for layer in layers:
        probe = kept.load(layer, train.features(layer).values.shape[1], len(test.labels))
        if probe is None:
            probe = _train(train, test, layer, classes, device)
            kept.save(probe)
        probes.append(probe)
        progress.step(f"{layer} {probe.test_accuracy:.1%}")
    return tuple(probes)


def _train(train: Collected, test: Collected, layer: str, classes: int, device: torch.device) -> Probe:
    """The probe of one layer."""
    features, others = train.features(layer), test.features(layer)
    count = features.values.shape[1]
    if features.not_finite.any():
        return Probe(layer, count, math.nan, math.nan, np.zeros(len(test.labels), dtype=bool))
    measured = standard(features.values[None], features)
    design = measured.design(features.values[None], features, device, train.memory // 2)
    l2, fitted = select_and_fit(design, train.labels, classes)
    right = correct(fitted.logits, train.labels)[0]
    logits = measured.design(others.values[None], others, device, test.memory // 2).logits(fitted.weights)
    found = correct(logits, test.labels)[0] & ~others.not_finite
    return Probe(layer, count, float(l2[0]), float(right.double().mean()), found.numpy())


def correct(logits: Tensor, labels: Tensor) -> Tensor:
    """Whether labels (N,) are the ones with the largest logits (P, N, K); bool (P, N), on the CPU."""
    return logits.argmax(dim=2).cpu() == labels
