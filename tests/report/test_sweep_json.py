from __future__ import annotations

import json
import math

import pytest

import rfcheck
from rfcheck import SweepPoint
from rfcheck.report.json_v1 import dump
from rfcheck.report.result import Failure
from rfcheck.report.sweep_json import VERSION, sweeps_to_dict
from rfcheck.sweeping import ModelSweep

POINT = SweepPoint(32, None, 5, 3, 1, 2, "conv4", 4, 1000, 4000, 0.5, (40, 30), (math.inf, 64), False)


def test_the_whole_structure():
    nothing = dict.fromkeys((
        "in_range", "judged", "productive", "unknown", "productive_share", "tail", "border_min", "border_position", "live_taps", "flops",
        "activation_bytes",
    ))  # fmt: skip
    assert sweeps_to_dict([ModelSweep("m.py:Net", "m.py", 7, 1, (SweepPoint(8, "too small"), POINT))], [Failure("x", "y")]) == {
        "version": VERSION,
        "rfcheck": rfcheck.__version__,
        "sweeps": [
            {
                "target": "m.py:Net",
                "path": "m.py",
                "line": 7,
                "channels": 1,
                "points": [
                    {"resolution": 8, "failure": "too small", **nothing, "resolution_range": {"lowest": None, "highest": None}},
                    {
                        "resolution": 32, "failure": None, "in_range": False, "judged": 5, "productive": 3, "unknown": 1,
                        "productive_share": 0.75, "tail": 2, "border_min": "conv4", "border_position": 4, "live_taps": 0.5, "flops": 1000,
                        "activation_bytes": 4000, "resolution_range": {"lowest": [40, 30], "highest": ["inf", 64]},
                    },
                ],
            }
        ],
        "failures": [{"target": "x", "message": "y"}],
    }  # fmt: skip


def test_text_is_strict_json():
    text = dump(sweeps_to_dict([ModelSweep("m", None, None, 3, (POINT,))], []))
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
