from __future__ import annotations

import math

import pytest
from matplotlib.figure import Figure

from rfcheck.report.receptive_field_panel import axes_alike, draw_receptive_fields, receptive_field_legend, runs
from tests.report.layer_cases import layer, square


def panel_of(layers, input_size, axes=(0, 1)):
    panel = Figure().subplots()
    draw_receptive_fields(panel, layers, axes, input_size)
    return panel


def curves(panel) -> list[list[float]]:
    """r_in_max and r_in_min as drawn."""
    return [list(line.get_ydata()) for line in panel.get_lines()[:2]]


def test_both_receptive_fields_on_a_logarithmic_scale():
    panel = panel_of([layer("a", (3, 3)), layer("b", (3, 3), (5, 5)), layer("c", (5, 5), (9, 9))], (8, 8))
    assert curves(panel) == [[3, 5, 9], [3, 3, 5]]
    assert panel.get_yscale() == "log"
    assert [list(line.get_xdata()) for line in panel.get_lines()[:2]] == [[1, 2, 3]] * 2
    low, high = panel.get_ylim()
    assert low < 3 < 9 < high
    assert panel.get_ylabel() == "receptive field\nof the input (px)"


def test_a_line_at_the_image():
    panel = panel_of(square(3, 5), (100, 100))
    (image,) = panel.get_lines()[2:]
    assert list(image.get_ydata()) == [100, 100]
    assert [text.get_text() for text in panel.texts] == ["$I$ = 100"]
    assert panel.get_ylim()[1] > 100


@pytest.mark.parametrize(
    ("size", "texts"),
    [
        ((32, 320), ["$I$ = 32\nheight", "$I$ = 320\nwidth"]),
        ((33, 32), ["$I$ = 32/33\nwidth/height"]),
    ],
)
def test_a_line_per_axis(size, texts):
    panel = panel_of(square(3, 5), size)
    assert sorted(line.get_ydata()[0] for line in panel.get_lines()[2:]) == sorted(size)
    assert [text.get_text() for text in panel.texts] == texts


@pytest.mark.parametrize(
    ("axes", "input_size", "label"),
    [
        ((0,), (8, 9), "receptive field\nof the input, height (px)"),
        ((1, 2), (8, 9, 9), "receptive field\nof the input, height and width (px)"),
        ((0,), (8,), "receptive field\nof the input (px)"),
        ((3,), (8, 8, 8, 8), "receptive field\nof the input, axis 3 (px)"),
    ],
)
def test_axes_are_named(axes, input_size, label):
    layers = [layer("a", (3,) * len(input_size))]
    assert panel_of(layers, input_size, axes).get_ylabel() == label


def test_unbounded_receptive_fields_are_at_the_top_edge():
    layers = [layer("a", (3, 3)), layer("b", (3, 3), (math.inf, math.inf)), layer("c", (math.inf, math.inf))]
    panel = panel_of(layers, (8, 8))
    top = panel.get_ylim()[1]
    assert curves(panel) == [[3, top, top], [3, 3, top]]
    marks = [(line.get_xdata()[0], line.get_ydata()[0]) for line in panel.get_lines() if line.get_marker() == "^"]
    assert marks == [(2, top), (3, top), (3, top)]
    assert top >= 2 * 8


def test_unknown_receptive_fields_are_a_gap():
    panel = panel_of([*square(3, 5), layer("u", None), layer("v", None), *square(9)], (8, 8))
    for values in curves(panel):
        assert [math.isnan(value) for value in values] == [False, False, True, True, False]
    (gap,) = [patch for patch in panel.patches if patch.get_hatch()]
    assert (gap.get_x(), gap.get_x() + gap.get_width()) == (2.5, 4.5)


def test_the_legend_says_only_what_is_there():
    def labels(layers):
        return [handle.get_label() for handle in receptive_field_legend(layers)]

    plain = ["$r_{in,max}$", "$r_{in,min}$, which decides", "image extent $I$"]
    assert labels(square(3)) == plain
    assert labels([layer("a", (3, 3), (math.inf, 3))]) == [*plain, "unbounded: at the top edge"]
    assert labels([layer("a", None), layer("b", (math.inf, 1))]) == [*plain, "unbounded: at the top edge", "unknown: a gap"]


def test_axes_that_are_alike():
    assert axes_alike(square(3, 5), 2) == [(0, 1)]
    assert axes_alike([layer("a", (3, 3)), layer("b", (3, 3), (3, 5))], 2) == [(0,), (1,)]
    assert axes_alike([layer("a", (3, 5, 3))], 3) == [(0, 2), (1,)]
    assert axes_alike([layer("a", None)], 2) == [(0, 1)]
    assert axes_alike([], 3) == [(0, 1, 2)]


def test_runs_of_layers():
    layers = [layer(str(n), (3, 3), tail=n in (0, 3, 4)) for n in range(6)]
    assert runs(layers, lambda one: one.in_tail) == [(1, 1), (4, 5)]
    assert runs([], lambda one: one.in_tail) == []
