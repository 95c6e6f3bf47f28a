from __future__ import annotations

import json

from torch import nn

import rfcheck
from rfcheck import analyze
from rfcheck.fixes.recommending import recommend
from rfcheck.report.fixes_json import applied_to_dict, fixes_to_dict, run_to_dict
from rfcheck.report.json_v1 import dump


class Net(nn.Sequential):
    """Two convolutions, the second of which reads one pixel more than there is, and a linear layer."""

    def __init__(self) -> None:
        super().__init__(nn.Conv2d(3, 2, 3, padding=1), nn.Conv2d(2, 2, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 2))


BEFORE = {
    "tail_layers": 1,
    "unproductive_layers": 1,
    "productive_layers": 1,
    "flops": 4 * 27 * 2 + 4 * 2 * 2 + 2 * 2,
    "params": 27 * 2 + 2 + 4 + 2 + 4 + 2,
    "activation_bytes": 4 * (4 * 2 + 4 * 2 + 2 + 2),
    "r_max": [3, 3],
    "resolution_range": {"lowest": [3, 3], "highest": [3, 3]},
}
AFTER = {
    **BEFORE,
    "tail_layers": 0,
    "unproductive_layers": 0,
    "flops": 4 * 27 * 2 + 2 * 2,
    "params": 27 * 2 + 2 + 4 + 2,
    "activation_bytes": 4 * (4 * 2 + 2 + 2),
    "resolution_range": {"lowest": [1, 1], "highest": [3, 3]},
}
PIXELS = (3, 2, 2)


def test_a_whole_model():
    analysis = analyze(Net(), PIXELS)
    recommended = {"efficiency": recommend(analysis.fixes, "efficiency"), "accuracy": recommend(analysis.fixes, "accuracy")}
    found = fixes_to_dict(analysis, "net.py:Net", recommended)
    assert list(found) == ["target", "model", "input", "fixes", "skipped", "recommended"]
    assert (found["target"], found["model"], found["input"]) == ("net.py:Net", "Net", {"channels": 3, "size": [2, 2]})
    truncate = next(fix for fix in found["fixes"] if fix["name"] == "truncate-before")
    assert truncate["predicted"] == {"before": BEFORE, "after": AFTER}
    assert (truncate["safe"], list(truncate)) == (False, ["name", "safe", "description", "code", "predicted"])
    assert truncate["code"] == analysis.proposals.named("truncate-before").code
    assert [fix["safe"] for fix in found["fixes"]] == [fix["name"] == "crop-kernels" for fix in found["fixes"]]
    assert found["skipped"] == [{"name": s.name, "reason": s.reason} for s in analysis.proposals.skipped]
    assert found["recommended"] == {
        "efficiency": {"fix": "truncate-before", "reason": "least FLOPs with no tail"},
        "accuracy": {"fix": None, "reason": "no fix makes more layers productive"},
    }


def test_a_run_is_json_and_has_a_version():
    analysis = analyze(nn.Sequential(nn.Conv2d(3, 2, 3), nn.AdaptiveAvgPool2d(2)), 8)
    report = json.loads(dump(run_to_dict([fixes_to_dict(analysis, "a", {}), fixes_to_dict(analysis, "b", {})])))
    assert (report["version"], report["rfcheck"]) == (1, rfcheck.__version__)
    assert [model["target"] for model in report["models"]] == ["a", "b"]
    assert report["models"][0]["recommended"] == {}


def test_fixes_that_were_carried_out():
    fix = analyze(Net(), PIXELS).proposals.named("truncate-before")
    assert applied_to_dict("net.py:Net", "model = None\n", fix.predicted.before, fix.predicted.after) == {
        "version": 1,
        "rfcheck": rfcheck.__version__,
        "target": "net.py:Net",
        "code": "model = None\n",
        "predicted": {"before": BEFORE, "after": AFTER},
    }
