"""The JSON report of a verification, version 1: structures of its own, so that internals may change without breaking readers.

Receptive fields are lists with one number per image axis; "inf" stands for unbounded, null for unknown. Shares (accuracy,
saturation) are between 0 and 1; a number that could not be measured is null.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import rfcheck
from rfcheck.report.json_v1 import extents_to_list, finding_to_dict
from rfcheck.verify.plain import interval_to_dict, known
from rfcheck.verify.recipe import CROP_PADDING, DELTA
from rfcheck.verify.report.raw_measurements import measurement_to_dict

if TYPE_CHECKING:
    from rfcheck.analysis.layers import Layer
    from rfcheck.verify.conclusions import Gain, Judgement, MeasuredLayer, Run, TailPattern, VariantResult, Verdict
    from rfcheck.verify.recipe import Recipe, Training
    from rfcheck.verify.records import Heatmap, Variant

VERSION = 1


def document(run: Run) -> dict[str, Any]:
    """Everything that is known of a verification, as plain data; `rfcheck.report.json_v1.dump` makes text of it.

    The schema is in ``rfcheck/schemas/verify-v1.schema.json``.

    Args:
        run: what was measured and concluded.
    """
    judgement = run.judgement
    return {
        "version": VERSION,
        "rfcheck": rfcheck.__version__,
        "model": run.name,
        "status": judgement.status,
        "summary": judgement.summary,
        "caveats": list(judgement.caveats),
        "recipe": _recipe(run.recipe),
        "data": {
            "classes": list(run.classes),
            "images": {"train": run.sizes.train, "validation": run.sizes.validation, "test": run.sizes.test},
            "fingerprint": run.fingerprint,
        },
        "environment": dict(run.environment),
        **_conclusions(judgement),
        "measurements": [measurement_to_dict(measurement) for measurement in run.measurements],
        "heatmaps": [_heatmap(heatmap) for heatmap in run.heatmaps],
    }


def _recipe(recipe: Recipe) -> dict[str, Any]:
    channels, *size = recipe.input_size
    return {
        "target": recipe.target,
        "input": {"channels": channels, "size": size},
        "data": recipe.data,
        "canvas": recipe.canvas,
        "training": _training(recipe.training),
        "seeds": recipe.seeds,
        "fixes": list(recipe.fixes),
        "delta": DELTA,
        "probe_size": recipe.probe_size,
        "probe_memory": recipe.probe_memory,
        "heatmaps": list(recipe.heatmaps),
    }


def _training(training: Training) -> dict[str, Any]:
    return {
        "epochs": training.epochs,
        "batch_size": training.batch_size,
        "optimizer": training.optimizer,
        "learning_rate": training.learning_rate,
        "momentum": training.momentum,
        "weight_decay": training.weight_decay,
        "decay_every": training.decay_every,
        "decay_factor": training.decay_factor,
        "augment": training.augment,
        "crop_padding": CROP_PADDING,
        "precision": training.precision,
    }


def _conclusions(judgement: Judgement) -> dict[str, Any]:
    return {
        "layers": [_measured(measured) for measured in judgement.layers],
        "plateau": judgement.plateau,
        "before_border": _gain(judgement.before_border),
        "after_border": _gain(judgement.after_border),
        "tail_pattern": _tail_pattern(judgement.tail_pattern),
        "mean_saturation": known(judgement.mean_saturation),
        "width_factor": known(judgement.width_factor),
        "verdicts": [_verdict(verdict) for verdict in judgement.verdicts],
        "findings": [finding_to_dict(finding) for finding in judgement.findings],
        "variants": [_result(result) for result in judgement.variants],
    }


def _measured(measured: MeasuredLayer) -> dict[str, Any]:
    return {
        **_layer(measured.layer),
        "accuracy": interval_to_dict(measured.accuracy),
        "train_accuracy": known(measured.train_accuracy),
        "saturation": known(measured.saturation),
        "eval_saturation": known(measured.eval_saturation),
        "skipped": measured.skipped,
    }


def _layer(layer: Layer) -> dict[str, Any]:
    return {
        "name": layer.name,
        "kind": layer.kind,
        "role": layer.role,
        "out_channels": layer.out_channels,
        "out_size": list(layer.out_size),
        "r_min": extents_to_list(layer.r_min),
        "r_max": extents_to_list(layer.r_max),
        "r_in_min": extents_to_list(layer.r_in_min),
        "r_in_max": extents_to_list(layer.r_in_max),
        "flops": layer.flops,
        "params": layer.params,
        "judged": layer.judged,
        "productive": layer.productive,
        "in_tail": layer.in_tail,
    }


def _gain(gain: Gain | None) -> dict[str, Any] | None:
    if gain is None:
        return None
    return {"reference": gain.reference, "best": gain.best, "difference": interval_to_dict(gain.difference)}


def _tail_pattern(pattern: TailPattern | None) -> dict[str, Any] | None:
    return None if pattern is None else {"layers": list(pattern.layers), "mean": known(pattern.mean), "rest": known(pattern.rest)}


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "finding": finding_to_dict(verdict.finding),
        "status": verdict.status,
        "evidence": verdict.evidence,
        "measured": verdict.measured,
    }


def _result(result: VariantResult) -> dict[str, Any]:
    return {
        **_variant(result.variant),
        "accuracies": [known(accuracy) for accuracy in result.accuracies],
        "accuracy": interval_to_dict(result.mean),
        "difference": interval_to_dict(result.difference),
        "p_value": known(result.p_value),
        "seconds_per_image": known(result.seconds_per_image),
        "change": result.change,
    }


def _variant(variant: Variant) -> dict[str, Any]:
    return {
        "name": variant.name,
        "description": variant.description,
        "border_min": variant.border,
        "tail": [layer.name for layer in variant.layers if layer.in_tail],
        "layers": [layer.name for layer in variant.layers],
        "unmeasured": list(variant.unmeasured),
        "findings": [finding_to_dict(finding) for finding in variant.findings],
        "flops": variant.flops,
        "params": variant.params,
    }


def _heatmap(heatmap: Heatmap) -> dict[str, Any]:
    return {"layer": heatmap.layer, "relative": [[known(value) for value in row] for row in heatmap.relative]}
