"""Results as data, made without analysing anything."""

from __future__ import annotations

import math
from dataclasses import replace

from rfcheck.analysis.cost import Cost
from rfcheck.analysis.layers import Layer
from rfcheck.linting.finding import Finding
from rfcheck.report.result import Result
from rfcheck.report.snapshot import Snapshot
from rfcheck.span import Span

LAYER = Layer(
    name="features.0",
    kind="conv",
    role="features",
    module_type="Conv2d",
    kernel=(3, 5),
    stride=(1, 2),
    dilation=(1, 1),
    padding=(1, 2),
    groups=1,
    in_channels=3,
    out_channels=8,
    in_size=(32, 48),
    out_size=(32, 24),
    jump=(1, 0.5),
    r_min=(3, 5),
    r_max=(math.inf, math.inf),
    r_in_min=(1, 1),
    r_in_max=None,
    live_taps=0.75,
    flops=10**15,
    params=23,
    judged=True,
    productive=None,
    in_tail=False,
    source=("sürc/модель.py", 12),
)
FINDING = Finding(
    "RF101", "unproductive-tail", "warning", "3 layers – “zu viele”\n\x00\ud800", "features.0", ("truncate",),
    (Span("sürc/модель.py", 12, 9, 14, 2), Span("train.py", 7)),
)  # fmt: skip
SNAPSHOT = Snapshot(
    model="Nét",
    channels=3,
    input_size=(32, 48),
    traced_with="meta",
    assumptions=("one: x",),
    border_min="features.0",
    border_max=None,
    tail=("features.0",),
    resolution_range=(None, (math.inf, 64)),
    cost=Cost(1, 2, 3),
    tail_cost=Cost(0, 0, 0),
    flops_by_operator={"aten::convolution": 7, "aten::mm": 1},
    layers=(LAYER, replace(LAYER, name="pool", kernel=None, stride=None, r_min=None, source=None)),
    best_fixes={"RF101": "truncate: −43 %"},
)
RESULT = Result("sürc/модель.py:Nét", "sürc/модель.py", 3, SNAPSHOT, (FINDING, replace(FINDING, layer=None, chain=())))
"""Everything that a result can hold: axes that differ, unbounded and unknown extents, characters of all kinds."""

SMALL = replace(RESULT, snapshot=replace(SNAPSHOT, layers=()), findings=())
