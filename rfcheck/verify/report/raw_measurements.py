"""The measurements themselves as the JSON report holds them: every variant, seed, epoch and layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rfcheck.verify.plain import known

if TYPE_CHECKING:
    from rfcheck.verify.records import Epoch, LayerSaturation, Measurement, Probe


def measurement_to_dict(measurement: Measurement) -> dict[str, Any]:
    """One model, trained once."""
    return {
        "variant": measurement.variant,
        "seed": measurement.seed,
        "test_accuracy": _share_right(measurement.correct),
        "seconds_per_image": known(measurement.seconds_per_image),
        "epochs": [_epoch(epoch) for epoch in measurement.epochs],
        "saturation": {
            "train": [_saturation(one) for one in measurement.saturation.get("train", ())],
            "eval": [_saturation(one) for one in measurement.saturation.get("eval", ())],
        },
        "probes": [_probe(probe) for probe in measurement.probes],
    }


def _epoch(epoch: Epoch) -> dict[str, Any]:
    return {
        "number": epoch.number,
        "train_loss": known(epoch.train_loss),
        "train_accuracy": known(epoch.train_accuracy),
        "validation_loss": known(epoch.validation_loss),
        "validation_accuracy": known(epoch.validation_accuracy),
        "learning_rate": known(epoch.learning_rate),
        "saturation": known(epoch.saturation),
        "seconds": known(epoch.seconds),
    }


def _saturation(one: LayerSaturation) -> dict[str, Any]:
    return {
        "layer": one.layer,
        "features": one.features,
        "samples": one.samples,
        "dimension": one.dimension,
        "saturation": known(one.saturation),
        "trace": known(one.trace),
        "effective_rank": known(one.effective_rank),
        "not_finite": one.not_finite,
    }


def _probe(probe: Probe) -> dict[str, Any]:
    return {
        "layer": probe.layer,
        "features": probe.features,
        "l2": known(probe.l2),
        "train_accuracy": known(probe.train_accuracy),
        "test_accuracy": _share_right(probe.correct),
    }


def _share_right(correct: Any) -> float | None:
    """Share of the images that are labelled right; None where no image was."""
    return known(correct.mean()) if len(correct) else None
