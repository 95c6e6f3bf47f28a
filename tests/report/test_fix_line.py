from __future__ import annotations

from dataclasses import replace

import pytest

from rfcheck.fixes.fix import Fix, Plan, Prediction
from rfcheck.fixes.outcome import Outcome
from rfcheck.fixes.snippet import NOTHING
from rfcheck.report.fix_line import best_option, effect

BEFORE = Outcome(8, 9, 11, 37_000_000, 11_200_000, 500, (99, 99), ((9, 9), (99, 99)))


def fix(name: str, *, safe: bool = False, **changes: object) -> Fix:
    return Fix(name, safe, "", NOTHING, Prediction(BEFORE, replace(BEFORE, **changes)), Plan(), (32, 32))


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (
            {"tail_layers": 1, "unproductive_layers": 2, "flops": 24_200_000, "params": 1_860_000},
            "tail 8 -> 1, unproductive 9 -> 2, FLOPs 37.0 M -> 24.2 M, parameters 11.2 M -> 1.86 M",
        ),
        ({"flops": 24_200_000}, "FLOPs 37.0 M -> 24.2 M"),
        ({"tail_layers": 0, "flops": 37_000_001}, "tail 8 -> 0"),
        ({"activation_bytes": 1, "r_max": (1, 1), "productive_layers": 3}, "no change in layers and cost"),
        ({}, "no change in layers and cost"),
    ],
)
def test_what_changes(changes, text):
    assert effect(BEFORE, replace(BEFORE, **changes)) == text


FIXES = [
    fix("crop-kernels", safe=True, flops=20_000_000),
    fix("truncate", tail_layers=1, flops=24_000_000),
    fix("truncate-before", tail_layers=0, flops=23_000_000),
    fix("move-downsampling", tail_layers=0, flops=900_000_000),
    fix("move-downsampling-2", tail_layers=0, flops=800_000_000),
]


@pytest.mark.parametrize(
    ("names", "line"),
    [
        (["truncate", "remove-stem"], "truncate: tail 8 -> 1, FLOPs 37.0 M -> 24.0 M"),
        (["move-downsampling"], "move-downsampling-2: tail 8 -> 0, FLOPs 37.0 M -> 800 M"),
        (["crop-kernels"], "crop-kernels: FLOPs 37.0 M -> 20.0 M, outputs stay the same"),
        (["remove-stem", "pool-head"], None),
        ([], None),
    ],
)
def test_the_best_option_of_those_a_rule_names(names, line):
    assert best_option(FIXES, names) == line


def test_no_option_where_nothing_helps():
    assert best_option([fix("truncate")], ["truncate"]) is None
