"""The figure's data, its files, and that nothing in it covers anything else."""

from __future__ import annotations

import math
import subprocess
import sys
from itertools import combinations

import matplotlib as mpl
import pytest
import torch
from matplotlib.figure import Figure
from torch import nn
from torchvision import models

from rfcheck import SweepPoint, sweep
from rfcheck.report.sweep_plot import GREEN, sweep_figure, sweep_picture
from rfcheck.sweeping import ModelSweep


def chain(length: int = 7) -> nn.Module:
    return nn.Sequential(*(nn.Conv2d(3, 3, 3, padding=1) for _ in range(length)))


def swept(*points: SweepPoint) -> ModelSweep:
    return ModelSweep("m.py:Net", "m.py", 1, 3, points)


CHAIN = sweep(chain(), [1, 8, 13, 16])
FAILED = SweepPoint(4, failure="too small")


def lines(figure: Figure, panel: int) -> dict[str, tuple[list[float], list[float]]]:
    return {line.get_label(): (list(line.get_xdata()), list(line.get_ydata())) for line in figure.axes[panel].get_lines()}


def texts(figure: Figure, panel: int) -> list[str]:
    return [text.get_text() for text in figure.axes[panel].texts]


def shaded(figure: Figure, panel: int) -> list[tuple[float, float]]:
    boxes = [patch.get_extents().transformed(figure.axes[panel].transData.inverted()) for patch in figure.axes[panel].patches]
    return [(pytest.approx(box.x0), pytest.approx(box.x1)) for box in boxes]


def test_shares_in_percent():
    shares = lines(sweep_figure(swept(*CHAIN)), 0)
    assert shares["productive layers"] == ([1, 8, 13, 16], pytest.approx([100 / 7, 400 / 7, 100, 100]))
    assert shares["live taps"] == ([1, 8, 13, 16], pytest.approx([100 / 9, 100, 100, 100]))


def test_flops_on_a_logarithmic_scale():
    figure = sweep_figure(swept(*CHAIN))
    assert figure.axes[1].get_yscale() == "log"
    ((resolutions, flops),) = lines(figure, 1).values()
    assert (resolutions, flops) == ([1, 8, 13, 16], [567 * size**2 for size in resolutions])


def test_the_border_layer_by_its_place():
    figure = sweep_figure(swept(*CHAIN))
    ((_, places),) = lines(figure, 2).values()
    assert places[:2] == [2, 5]  # "1" and "4", counted from 1
    assert places[2] == places[3] > 5
    panel = figure.axes[2]
    named = {label.get_text(): tick for label, tick in zip(panel.get_yticklabels(), panel.get_yticks(), strict=True)}
    assert named == {"1": 2, "4": 5, "no tail": places[2]}


def test_many_border_layers_are_numbered():
    points = [SweepPoint(size, None, 60, size, 0, 60 - size, f"block.{size}", size + 1, 10, 10, 1.0) for size in range(1, 40)]
    panel = sweep_figure(swept(*points)).axes[2]
    labels = [label.get_text() for label in panel.get_yticklabels()]
    assert 3 <= len(labels) <= 7
    assert labels == [f"layer {tick:g}" for tick in panel.get_yticks()]


def test_long_names_are_shortened():
    name = "features.stages.3.blocks.17.depthwise.conv"
    panel = sweep_figure(swept(SweepPoint(8, None, 9, 3, 0, 6, name, 4, 10, 10, 1.0))).axes[2]
    (label,) = [label.get_text() for label in panel.get_yticklabels()]
    assert len(label) <= 26
    start, end = label.split("…")
    assert name.startswith(start)
    assert name.endswith(end)


def test_the_feasible_range_is_shaded_and_named_everywhere():
    figure = sweep_figure(swept(*CHAIN))
    for panel in range(3):
        assert shaded(figure, panel) == [(13, 15)]
        assert texts(figure, panel) == ["feasible: 13–15 px"]


@pytest.mark.parametrize(
    ("resolutions", "text", "shown"),
    [
        ([2, 4, 8], "feasible: 13–15 px →", 0),
        ([64, 100, 128], "← feasible: 13–15 px", 0),
        ([8, 14, 20], "feasible: 13–15 px", 1),
        ([8, 20], "feasible: 13–15 px", 1),
    ],
)
def test_where_the_feasible_range_lies(resolutions, text, shown):
    figure = sweep_figure(swept(*sweep(chain(), resolutions)))
    assert texts(figure, 0) == [text]
    assert len(figure.axes[0].patches) == shown


@pytest.mark.parametrize(
    ("points", "text"),
    [
        (
            [SweepPoint(8, None, 1, 0, 0, 1, "0", 1, 9, 9, 1.0, (50, 50), (20, 20), False)],
            "no resolution here is in the feasible range",
        ),
        ([SweepPoint(8, None, 1, 0, 1, 0, None, None, 9, 9, 1.0, None, (20, 20), None)], "feasible range unknown"),
        ([FAILED], "no resolution here is in the feasible range"),
        ([SweepPoint(30, None, 1, 1, 0, 0, None, None, 9, 9, 1.0, (20, 20), (math.inf, math.inf), True)], "feasible: from 20 px"),
    ],
)
def test_ranges_that_are_open_empty_or_unknown(points, text):
    assert texts(sweep_figure(swept(*points)), 2) == [text]


def test_failures_are_crosses_and_gaps():
    figure = sweep_figure(swept(CHAIN[0], FAILED, CHAIN[1]))
    for panel in range(3):
        drawn = lines(figure, panel)
        assert drawn.pop("forward pass fails")[0] == [4]
        assert drawn
        for _, values in drawn.values():
            assert [math.isnan(value) for value in values] == [False, True, False]
    assert "forward pass fails" in [text.get_text() for text in figure.axes[0].get_legend().get_texts()]


def test_points_are_drawn_in_order():
    assert lines(sweep_figure(swept(*CHAIN[::-1])), 0) == lines(sweep_figure(swept(*CHAIN)), 0)


@pytest.mark.parametrize(
    ("resolutions", "scale", "ticks"),
    [
        (range(32, 513, 32), "linear", [64, 128, 192, 256, 320, 384, 448, 512]),
        ([32, 64, 128, 256, 512, 1024], "log", [32, 64, 128, 256, 512, 1024]),
        ([32, 64, 96, 128, 160, 224], "linear", [32, 64, 96, 128, 160, 224]),
        ([224], "linear", [224]),
    ],
)
def test_the_horizontal_axis(resolutions, scale, ticks):
    points = [SweepPoint(size, None, 1, 1, 0, 0, None, None, 9, 9, 1.0) for size in resolutions]
    panel = sweep_figure(swept(*points)).axes[2]
    low, high = panel.get_xlim()
    assert panel.get_xscale() == scale
    assert [tick for tick in panel.get_xticks() if low <= tick <= high] == ticks
    assert low < min(resolutions) <= max(resolutions) < high


def meta(build) -> nn.Module:
    with torch.device("meta"):
        return build()


CASES = {
    "resnet18": lambda: sweep(meta(models.resnet18), "32:512:32"),
    "efficientnet": lambda: sweep(meta(models.efficientnet_b0), "32:512:32"),
    "one point": lambda: sweep(chain(), [8]),
    "two points": lambda: sweep(chain(), [8, 9]),
    "200 points": lambda: sweep(chain(30), range(1, 201)),
    "powers of two": lambda: sweep(chain(), [2**n for n in range(12)]),
    "failures": lambda: sweep(meta(models.alexnet), "8:320:24"),
    "only failures": lambda: (FAILED, SweepPoint(8, failure="no")),
    "nothing judged": lambda: sweep(nn.ReLU(), [8, 16]),
    "no range": lambda: [SweepPoint(n, None, 1, 0, 0, 1, "0", 1, 9, 9, 1.0, (50, 50), (20, 20), False) for n in (8, 16)],
}


@pytest.mark.parametrize("case", CASES)
def test_no_text_covers_another_or_leaves_the_figure(case):
    figure = sweep_figure(swept(*CASES[case]()))
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    shown = [figure._suptitle, figure.axes[0].get_legend(), figure.axes[2].xaxis.label]
    for panel in figure.axes:
        low, high = panel.get_ylim()
        ticks = [label for label in panel.get_yticklabels() if label.get_text() and low <= label.get_position()[1] <= high]
        shown += [*panel.texts, panel.yaxis.label, *ticks]
    low, high = figure.axes[2].get_xlim()
    shown += [label for label in figure.axes[2].get_xticklabels() if low <= label.get_position()[0] <= high]
    boxes = [(item, item.get_window_extent(renderer)) for item in shown]
    for (one, box), (other, beside) in combinations(boxes, 2):
        assert not box.overlaps(beside), (one, other)
    for item, box in boxes:
        assert figure.bbox.padded(1).contains(*box.min), item
        assert figure.bbox.padded(1).contains(*box.max), item


@pytest.mark.parametrize(("ending", "start"), [("png", b"\x89PNG\r\n\x1a\n"), ("svg", b"<?xml"), ("pdf", b"%PDF-")])
def test_files(ending, start):
    assert sweep_picture(swept(*CHAIN), ending).startswith(start)


def test_plotting_elsewhere_is_left_alone():
    before = dict(mpl.rcParams)
    sweep_picture(swept(*CHAIN), "svg")
    assert dict(mpl.rcParams) == before
    code = "import rfcheck.report.sweep_plot, sys; print('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_the_range_has_its_own_colour():
    figure = sweep_figure(swept(*CHAIN))
    colours = [line.get_color() for panel in figure.axes for line in panel.get_lines()]
    assert GREEN not in colours
    assert figure.axes[0].texts[0].get_color() == GREEN
