from __future__ import annotations

import json

from torch import nn

import rfcheck
from rfcheck import analyze
from rfcheck.report.json_v1 import VERSION, dump, render
from rfcheck.report.view import View
from tests.report.runs import EMPTY, FULL, TAIL
from tests.zoo import torchvision_model


def test_the_whole_structure():
    analysis = analyze(
        nn.Sequential(nn.Conv2d(1, 2, 3, stride=2), nn.Flatten(), nn.Linear(2 * 9, 4)), (1, 8, 8), settings={"ignore": ("RF",)}
    )
    conv = {
        "name": "0", "kind": "conv", "role": "features", "module_type": "Conv2d", "kernel": [3, 3], "stride": [2, 2], "dilation": [1, 1],
        "padding": [0, 0], "groups": 1, "in_channels": 1, "out_channels": 2, "in_size": [8, 8], "out_size": [3, 3], "jump": [2, 2],
        "r_min": [3, 3], "r_max": [3, 3], "r_in_min": [1, 1], "r_in_max": [1, 1], "live_taps": 1.0, "flops": 162, "params": 20,
        "judged": True, "productive": True, "in_tail": False, "source": None,
    }  # fmt: skip
    head = {
        "name": "2", "kind": "linear", "role": "head", "module_type": "Linear", "kernel": None, "stride": None, "dilation": None,
        "padding": None, "groups": None, "in_channels": 18, "out_channels": 4, "in_size": [3, 3], "out_size": [1, 1], "jump": [0, 0],
        "r_min": ["inf", "inf"], "r_max": ["inf", "inf"], "r_in_min": [3, 3], "r_in_max": [3, 3], "live_taps": None, "flops": 72,
        "params": 76, "judged": False, "productive": None, "in_tail": False, "source": None,
    }  # fmt: skip
    assert analysis.to_dict() == {
        "version": VERSION,
        "rfcheck": rfcheck.__version__,
        "model": "Sequential",
        "input": {"channels": 1, "size": [8, 8]},
        "traced_with": "meta",
        "assumptions": [],
        "border_min": None,
        "border_max": None,
        "tail": [],
        "resolution_range": {"lowest": [1, 1], "highest": [3, 3]},
        "cost": {"flops": 234, "params": 96, "activation_bytes": 88},
        "tail_cost": {"flops": 0, "params": 0, "activation_bytes": 0},
        "flops_by_operator": {"aten::convolution": 162, "aten::addmm": 72},
        "findings": [],
        "layers": [conv, head],
    }


def test_text_is_strict_json():
    analysis = analyze(nn.Sequential(nn.Conv2d(3, 3, 3), nn.AdaptiveAvgPool2d(1)), 8)
    assert json.loads(analysis.to_json()) == json.loads(dump(analysis.to_dict()))
    assert "Infinity" not in analysis.to_json()


def test_a_finding_names_its_best_fix():
    found = {finding["code"]: finding for finding in analyze(torchvision_model("resnet18"), 32).to_dict()["findings"]}
    assert found["RF301"]["best_fix"].startswith("crop-kernels: FLOPs 37.5 M -> 30.6 M, parameters 11.7 M -> 4.74 M")
    assert found["RF103"]["best_fix"] is None


SPAN = {"path": "src/a b/ünï.py", "line": 12, "column": 9, "end_line": 14, "end_column": 2}
CALLERS = [
    {"path": "src/a b/ünï.py", "line": 30, "column": 5, "end_line": 30, "end_column": 20},
    {"path": "train.py", "line": 7, "column": None, "end_line": None, "end_column": None},
]
FIXES = ["truncate", "truncate-before", "move-downsampling", "remove-stem"]
BEST = "truncate-before: tail 3 -> 0, unproductive 3 -> 0, FLOPs 135 k -> 58.2 k, parameters 2.20 k -> 990"


def test_a_whole_run():
    report = json.loads(render(FULL, View()))
    first, second = report.pop("results")
    assert report == {
        "version": VERSION,
        "rfcheck": rfcheck.__version__,
        "failures": [{"target": "bad.py:Bad", "message": "bad.py:Bad: building the model fails: 100 %"}],
        "summary": {"error": 0, "warning": 1, "info": 1},
    }
    tail = {
        "code": "RF101",
        "name": "unproductive-tail",
        "severity": "warning",
        "message": TAIL.message,
        "fixes": FIXES,
        "best_fix": BEST,
    }
    whole = {"code": "RF401", "name": "budget", "severity": "info", "message": "100 % of 5 FLOPs: too much,\nby far", "fixes": []}
    stem = {"code": "RF201", "name": "aggressive-stem", "severity": "error", "message": "the stem is too fast", "fixes": []}
    call = {"path": "model.py", "line": 8, "column": 20, "end_line": 8, "end_column": 44}
    by = {"path": "model.py", "line": 8, "reason": "as in the paper"}
    assert first["findings"] == [
        {**tail, "layer": "tail.2", "location": SPAN, "made_by": CALLERS},
        {**whole, "layer": None, "location": None, "made_by": [], "best_fix": None},
    ]
    assert first["suppressed"] == [
        {**stem, "layer": "stem", "location": call, "made_by": [], "best_fix": None, "suppressed_by": by}
    ]
    assert first["known"] == [{**tail, "layer": "tail.3", "location": None, "made_by": []}]
    assert (first["target"], first["path"], first["line"], first["model"]) == ("model.py:Net", "model.py", 5, "Net")
    assert (second["target"], second["path"], second["line"], second["model"]) == ("zoo:clean", None, None, "clean")
    assert [second[key] for key in ("findings", "suppressed", "known")] == [[], [], []]


def test_an_empty_run():
    assert json.loads(render(EMPTY, View())) == {
        "version": VERSION,
        "rfcheck": rfcheck.__version__,
        "results": [],
        "failures": [],
        "summary": {"error": 0, "warning": 0, "info": 0},
    }
