"""A small verification in which every number is written down."""

from __future__ import annotations

import math

import numpy as np

from rfcheck.analysis.layers import Layer
from rfcheck.linting.finding import Finding
from rfcheck.span import Span
from rfcheck.verify.conclusions import Gain, Judgement, MeasuredLayer, Run, TailPattern, VariantResult, Verdict
from rfcheck.verify.recipe import Recipe, Training
from rfcheck.verify.records import Epoch, Heatmap, Interval, LayerSaturation, Measurement, Probe, Sizes, Variant


def layer(name: str, r: float, *, in_tail: bool = False, role="features") -> Layer:
    """A convolution whose output sees r pixels on both axes, its input two less; r_max of both is unbounded."""
    return Layer(
        name=name, kind="conv", role=role, module_type="Conv2d", kernel=(3, 3), stride=(1, 1), dilation=(1, 1), padding=(1, 1), groups=1,
        in_channels=4, out_channels=4, in_size=(8, 8), out_size=(8, 8), jump=(1, 1), r_min=(r, r), r_max=(math.inf, math.inf),
        r_in_min=(r - 2, r - 2), r_in_max=None, live_taps=1.0, flops=9216, params=144, judged=True, productive=not in_tail,
        in_tail=in_tail,
    )  # fmt: skip


FIRST, SECOND = layer("a", 3), layer("b", 11, in_tail=True)
TAIL = Finding(
    "RF101", "unproductive-tail", "warning", "one layer", "b", ("truncate",), (Span("m.py", 3, 5, 3, 9), Span("m.py", 7))
)
WHOLE = Finding("RF702", "saturation-out-of-range", "info", "the mean saturation is 0.50", None)
RIGHT = np.array([True, True, False, True])

SMALL = Run(
    name="Net",
    recipe=Recipe("m.py:Net", (3, 8, 8), training=Training(epochs=1), fixes=("truncate",), canvas=16, heatmaps=("b",)),
    classes=("cat", "dog"),
    sizes=Sizes(20, 4, 4),
    fingerprint="0f" * 32,
    environment={"torch": "2.15.0"},
    measurements=(
        Measurement(
            "original",
            0,
            (Epoch(1, 0.7, 0.5, math.nan, 0.25, 1e-4, None, 1.5),),
            {"train": (LayerSaturation("a", 4, 640, 2, 0.5, 1.25, 1.75, 3),), "eval": ()},
            (Probe("a", 64, 0.01, 0.75, RIGHT), Probe("b", 64, 0.1, math.nan, np.array([], dtype=bool))),
            RIGHT,
            0.002,
        ),
    ),
    judgement=Judgement(
        status="refuted",
        summary="The tail helps.",
        layers=(
            MeasuredLayer(FIRST, Interval(0.75, 0.19, 0.99), 0.75, 0.5, 0.25, skipped=False),
            MeasuredLayer(SECOND, Interval(math.nan, math.nan, math.nan), math.nan, math.nan, 0.5, skipped=True),
        ),
        plateau="b",
        before_border=Gain("a", "b", Interval(0.1, 0.05, 0.2)),
        after_border=None,
        tail_pattern=TailPattern(("b",), 0.1, 0.5),
        mean_saturation=0.5,
        width_factor=2.0,
        verdicts=(Verdict(TAIL, "refuted", "The tail gains 10 points."),),
        findings=(WHOLE,),
        variants=(
            VariantResult(
                Variant("original", "", (FIRST, SECOND), "b", (TAIL,), 18432, 288, ("c",)),
                (0.75,),
                Interval(0.75, 0.19, 0.99),
                None,
                None,
                0.002,
                None,
            ),
            VariantResult(
                Variant("truncate", "cut behind b", (FIRST,), None, (), 9216, 144),
                (0.5,),
                Interval(0.5, -0.1, 1.1),
                Interval(-0.25, -0.5, -0.01),
                0.04,
                0.001,
                "worse",
            ),
        ),
        caveats=("One seed.",),
    ),
    heatmaps=(Heatmap("b", ((0.5, math.nan), (1.0, 1.25))),),
)
