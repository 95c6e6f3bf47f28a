from __future__ import annotations

import io
import math

import pytest
from rich.console import Console
from torch import nn

from rfcheck import SweepPoint, sweep
from rfcheck.report.sweep_table import failure_reasons, heading, percent, print_sweep, range_sentence
from rfcheck.sweeping import ModelSweep

CHAIN = nn.Sequential(*(nn.Conv2d(3, 3, 3, padding=1) for _ in range(7)))


def swept(*points: SweepPoint, target: str = "m.py:Net") -> ModelSweep:
    return ModelSweep(target, "m.py", 1, 3, points)


def printed(sweep_of_model: ModelSweep, width: int = 80, **how) -> str:
    stream = io.StringIO()
    print_sweep(sweep_of_model, Console(file=stream, width=width, highlight=False, **how))
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines())


TABLE = """\
m.py:Net at 4 resolutions from 1 to 16 px, 3 channels, 7 judged layers

    px  productive  tail  b_min         live taps   FLOPs  activations
──────────────────────────────────────────────────────────────────────
     1    1/7  14%     6  1                   11%     567         84 B
     8    4/7  57%     3  4                  100%  36.3 k      5.38 kB
*   13    7/7 100%     0  -                  100%  95.8 k      14.2 kB
    16    7/7 100%     0  -                  100%   145 k      21.5 kB

* in the feasible range: no layer is unproductive from 13 px on, and the last
map sees up to 15 px."""


def test_a_whole_table():
    assert printed(swept(*sweep(CHAIN, [1, 8, 13, 16]))) == TABLE


WITH_FAILURES = """\
m.py:Net at 3 resolutions from 2 to 12 px, 3 channels, 1 judged layer

    px  productive  tail  b_min         live taps   FLOPs  activations
──────────────────────────────────────────────────────────────────────
     2                    failed (1)
     4                    failed (1)
    12    1/1 100%     0  -                  100%  2.70 k      1.20 kB

None of these is in the feasible range: no layer is unproductive from 1 px on,
and the last map sees up to 10 px.
(1) at 2, 4 px, first: the forward pass fails at input 3x2x2 in layer 0
(Conv2d), which received a tensor of shape 1x3x2x2: RuntimeError: it is too
small; the smallest resolution that works is 10"""


def test_failures_are_rows_with_reasons_below():
    def reason(size: int) -> str:
        where = f"the forward pass fails at input 3x{size}x{size} in layer 0 (Conv2d), which received a tensor of shape 1x3x{size}x{size}"
        return f"{where}: RuntimeError: it is too small; the smallest resolution that works is 10"

    fine = SweepPoint(12, None, 1, 1, 0, 0, None, None, 2700, 1200, 1.0, (1, 1), (10, 10), False)
    assert printed(swept(SweepPoint(2, reason(2)), SweepPoint(4, reason(4)), fine)) == WITH_FAILURES


def test_reasons_that_differ_in_more_than_sizes_stay_apart():
    points = [
        SweepPoint(2, "layer features.2: 1x2"),
        SweepPoint(3, "layer features.12: 1x2"),
        SweepPoint(4, "layer features.2: 3x4"),
    ]
    assert failure_reasons(points) == [([2, 4], "layer features.2: 1x2"), ([3], "layer features.12: 1x2")]


@pytest.mark.parametrize("width", [60, 80, 200])
def test_text_stays_within_the_terminal_and_numbers_are_whole(width):
    point = SweepPoint(512, None, 155, 100, 0, 55, "a_module.with.a.very.long.name.block.3.0.convolution", 100, 10**12, 10**9, 0.5)
    text = printed(swept(point, SweepPoint(32, "a long reason " * 30), target="a/long/path/to/" * 5 + "m.py:Net(width=3)"), width)
    rule = next(line for line in text.splitlines() if set(line) == {"\u2500"})
    assert max(len(line) for line in text.splitlines() if "path" not in line and (width >= 80 or len(line) != len(rule))) <= width
    assert "a_module" in text
    assert {"512", "100/155", "65%", "55", "50%", "1.00", "32"} <= set(text.split())


def test_colour_for_a_terminal_only():
    one = swept(*sweep(CHAIN, [13]))
    assert "\x1b[32m" in printed(one, force_terminal=True, color_system="standard")
    assert "\x1b[" not in printed(one)


@pytest.mark.parametrize(
    ("points", "text"),
    [
        ((SweepPoint(32, judged=2),), "m.py:Net at 32 px, 3 channels, 2 judged layers"),
        ((SweepPoint(8, judged=1), SweepPoint(9, judged=2)), "m.py:Net at 2 resolutions from 8 to 9 px, 3 channels"),
    ],
)
def test_headings(points, text):
    assert heading(swept(*points)) == text


@pytest.mark.parametrize(("share", "text"), [(0.0, "0%"), (0.375, "38%"), (0.996, "99%"), (1.0, "100%")])
def test_percent(share, text):
    assert percent(share) == text


def at(resolution: int, in_range: bool | None, low: tuple[float, ...] | None, high: tuple[float, ...] | None) -> SweepPoint:
    return SweepPoint(resolution, judged=1, lowest=low, highest=high, in_range=in_range)


@pytest.mark.parametrize(
    ("points", "text"),
    [
        (
            [at(30, True, (20, 20), (50, 50)), SweepPoint(1, failure="no")],
            "* in the feasible range: no layer is unproductive from 20 px on, and the last map sees up to 50 px.",
        ),
        (
            [at(30, True, (20, 20), (50, 50)), at(60, False, (20, 20), (55, 55))],
            "* in the feasible range: no layer is unproductive from 20 px on, and the last map sees up to 50-55 px, depending on the "
            "resolution.",
        ),
        (
            [at(30, True, (20, 10), (math.inf, math.inf))],
            "* in the feasible range: no layer is unproductive from 20x10 px on, and the last map sees up to inf px.",
        ),
        (
            [at(60, False, (20, 20), (50, 50))],
            "None of these is in the feasible range: no layer is unproductive from 20 px on, and the last map sees up to 50 px.",
        ),
        (
            [at(30, None, None, (50, 50))],
            "? It is not known which of these are feasible: no layer is unproductive from ? px on, and the last map sees up to 50 px.",
        ),
    ],
)
def test_the_sentence_on_the_range(points, text):
    assert range_sentence(points) == text


def test_unknown_and_missing_values():
    unknown = SweepPoint(8, None, 1, 0, 1, 0, None, None, 0, 10, None, None, (3, 3), None)
    row = printed(swept(unknown)).splitlines()[4]
    assert row.split() == ["?", "8", "?", "0", "-", "-", "0", "10", "B"]
