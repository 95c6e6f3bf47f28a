from __future__ import annotations

import json
from dataclasses import replace

import rfcheck
from rfcheck.report.json_v1 import dump
from rfcheck.verify.report.document import VERSION, document
from tests.verify.report.hand_made import SMALL
from tests.verify.report.runs import RESNET, VGG

FINDING = {
    "code": "RF101", "name": "unproductive-tail", "severity": "warning", "message": "one layer", "layer": "b",
    "location": {"path": "m.py", "line": 3, "column": 5, "end_line": 3, "end_column": 9},
    "made_by": [{"path": "m.py", "line": 7, "column": None, "end_line": None, "end_column": None}], "fixes": ["truncate"],
}  # fmt: skip
LAYER = {
    "name": "a", "kind": "conv", "role": "features", "out_channels": 4, "out_size": [8, 8], "r_min": [3, 3], "r_max": ["inf", "inf"],
    "r_in_min": [1, 1], "r_in_max": None, "flops": 9216, "params": 144, "judged": True, "productive": True, "in_tail": False,
    "accuracy": {"value": 0.75, "low": 0.19, "high": 0.99}, "train_accuracy": 0.75, "saturation": 0.5, "eval_saturation": 0.25,
    "skipped": False,
}  # fmt: skip
RECIPE = {
    "target": "m.py:Net", "input": {"channels": 3, "size": [8, 8]}, "data": "digits", "canvas": 16,
    "training": {
        "epochs": 1, "batch_size": 128, "optimizer": "adam", "learning_rate": 1e-4, "momentum": 0.9, "weight_decay": 0.0,
        "decay_every": None, "decay_factor": 0.1, "augment": True, "crop_padding": 4, "precision": "no",
    },
    "seeds": 1, "fixes": ["truncate"], "delta": 0.99, "probe_size": 4, "probe_memory": 2147483648, "heatmaps": ["b"],
}  # fmt: skip
MEASUREMENT = {
    "variant": "original", "seed": 0, "test_accuracy": 0.75, "seconds_per_image": 0.002,
    "epochs": [{
        "number": 1, "train_loss": 0.7, "train_accuracy": 0.5, "validation_loss": None, "validation_accuracy": 0.25,
        "learning_rate": 1e-4, "saturation": None, "seconds": 1.5,
    }],
    "saturation": {
        "train": [{
            "layer": "a", "features": 4, "samples": 640, "dimension": 2, "saturation": 0.5, "trace": 1.25, "effective_rank": 1.75,
            "not_finite": 3,
        }],
        "eval": [],
    },
    "probes": [
        {"layer": "a", "features": 64, "l2": 0.01, "train_accuracy": 0.75, "test_accuracy": 0.75},
        {"layer": "b", "features": 64, "l2": 0.1, "train_accuracy": None, "test_accuracy": None},
    ],
}  # fmt: skip


def test_the_whole_structure():
    unknown = {"value": None, "low": None, "high": None}
    assert json.loads(dump(document(SMALL))) == {
        "version": VERSION,
        "rfcheck": rfcheck.__version__,
        "model": "Net",
        "status": "refuted",
        "summary": "The tail helps.",
        "caveats": ["One seed."],
        "recipe": RECIPE,
        "data": {"classes": ["cat", "dog"], "images": {"train": 20, "validation": 4, "test": 4}, "fingerprint": "0f" * 32},
        "environment": {"torch": "2.15.0"},
        "layers": [
            LAYER,
            {
                **LAYER,
                "name": "b",
                "r_min": [11, 11],
                "r_in_min": [9, 9],
                "productive": False,
                "in_tail": True,
                "accuracy": unknown,
                "train_accuracy": None,
                "saturation": None,
                "eval_saturation": 0.5,
                "skipped": True,
            },
        ],
        "plateau": "b",
        "before_border": {"reference": "a", "best": "b", "difference": {"value": 0.1, "low": 0.05, "high": 0.2}},
        "after_border": None,
        "tail_pattern": {"layers": ["b"], "mean": 0.1, "rest": 0.5},
        "mean_saturation": 0.5,
        "width_factor": 2.0,
        "verdicts": [{"finding": FINDING, "status": "refuted", "evidence": "The tail gains 10 points.", "measured": True}],
        "findings": [
            {
                "code": "RF702",
                "name": "saturation-out-of-range",
                "severity": "info",
                "message": "the mean saturation is 0.50",
                "layer": None,
                "location": None,
                "made_by": [],
                "fixes": [],
            }
        ],
        "variants": [
            {
                "name": "original",
                "description": "",
                "border_min": "b",
                "tail": ["b"],
                "layers": ["a", "b"],
                "unmeasured": ["c"],
                "findings": [FINDING],
                "flops": 18432,
                "params": 288,
                "accuracies": [0.75],
                "accuracy": {"value": 0.75, "low": 0.19, "high": 0.99},
                "difference": None,
                "p_value": None,
                "seconds_per_image": 0.002,
                "change": None,
            },
            {
                "name": "truncate",
                "description": "cut behind b",
                "border_min": None,
                "tail": [],
                "layers": ["a"],
                "unmeasured": [],
                "findings": [],
                "flops": 9216,
                "params": 144,
                "accuracies": [0.5],
                "accuracy": {"value": 0.5, "low": -0.1, "high": 1.1},
                "difference": {"value": -0.25, "low": -0.5, "high": -0.01},
                "p_value": 0.04,
                "seconds_per_image": 0.001,
                "change": "worse",
            },
        ],
        "measurements": [MEASUREMENT],
        "heatmaps": [{"layer": "b", "relative": [[0.5, None], [1.0, 1.25]]}],
    }


def test_every_seed_and_epoch_of_every_variant():
    measurements = document(VGG)["measurements"]
    assert [(m["variant"], m["seed"]) for m in measurements] == [
        (variant, seed) for variant in ("original", "truncate", "truncate-before", "remove-stem") for seed in range(5)
    ]
    assert [epoch["number"] for epoch in measurements[7]["epochs"]] == [1, 2]
    probes = measurements[3]["probes"]
    assert [probe["test_accuracy"] for probe in probes] == [probe.test_accuracy for probe in VGG.measurements[3].probes]


def test_layers_are_those_of_the_original():
    layers = document(RESNET)["layers"]
    assert [layer["name"] for layer in layers] == [measured.layer.name for measured in RESNET.judgement.layers]
    assert [layer["name"] for layer in layers if layer["skipped"]] == ["layer4.0.conv1", "layer4.1.conv1"]


def test_a_run_without_conclusions():
    judgement = replace(
        SMALL.judgement, plateau=None, before_border=None, tail_pattern=None, mean_saturation=float("nan"), width_factor=None
    )
    written = document(replace(SMALL, judgement=judgement))
    fields = ("plateau", "before_border", "after_border", "tail_pattern", "mean_saturation", "width_factor")
    assert [written[field] for field in fields] == [None] * 6
