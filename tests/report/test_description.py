from __future__ import annotations

from dataclasses import replace

from torch import nn

from rfcheck import analyze
from rfcheck.report.description import describe
from rfcheck.report.snapshot import snapshot_of
from tests.report.runs import NET
from tests.strange import strange

LINES = [
    "6 judged layers, 3 unproductive, 3 of them in the tail; 2.20 k parameters, 135 kFLOPs, 7.27 kB activations",
    "no unproductive layer from 19 px on; the last map sees up to 23 px",
]


def test_layers_cost_and_resolutions():
    assert describe(NET.snapshot) == LINES


def test_how_it_was_traced_is_said_where_it_is_not_the_usual_way():
    fake, real = (describe(replace(NET.snapshot, traced_with=how)) for how in ("fake", "real"))
    assert fake == [*LINES, "traced with FakeTensors, as the forward does not run on meta tensors"]
    assert real == [*LINES, "traced with a real forward pass on zeros, as the forward does not run on meta tensors"]


def test_every_assumption_has_its_line():
    class Strange(nn.Module):
        def forward(self, x):
            return strange(strange(x))

    lines = describe(snapshot_of(analyze(Strange(), 8)))
    assert lines == [
        "0 judged layers, 0 unproductive, 0 of them in the tail; 0 parameters, 0 FLOPs, 1.54 kB activations",
        "assumed: strange: rfcheck_strange::strange: unknown operator, taken as pointwise",
        "assumed: strange:2: rfcheck_strange::strange: unknown operator, taken as pointwise",
    ]
