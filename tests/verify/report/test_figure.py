"""The figure's data, and that nothing in it covers anything else."""

from __future__ import annotations

import math
from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pytest
from torch import nn

from rfcheck import Settings
from rfcheck.api import analyze_named
from rfcheck.report.figure_style import GREEN
from rfcheck.verify.conclusions import Run
from rfcheck.verify.report.figure import run_figure
from tests.verify.report.drawn import curves, require_room, texts, upright
from tests.verify.report.hand_made import FIRST, SMALL
from tests.verify.report.runs import HEALTHY, LONG, RESNET, VGG, analysis_of, broken, run_of


def with_plateau(run: Run, name: str | None) -> Run:
    return replace(run, judgement=replace(run.judgement, plateau=name))


def bands(panel) -> list[list[tuple[float, float]]]:
    """Corners of the bands between two curves: first the saturation's, then the probes'."""
    return [[tuple(corner) for corner in collection.get_paths()[0].vertices] for collection in panel.collections]


def test_probes_and_saturation_in_percent():
    lines = curves(run_figure(RESNET).axes[0])
    measured = RESNET.judgement.layers
    places = list(range(1, 22))
    assert lines["probe"] == (places, pytest.approx([100 * one.accuracy.value for one in measured]))
    assert lines["saturation"] == (places, pytest.approx([100 * one.saturation for one in measured]))
    assert lines["model"][1] == [84.0, 84.0]


def test_the_interval_of_the_probes():
    saturation, probes = bands(run_figure(VGG).axes[0])
    for place, measured in enumerate(VGG.judgement.layers, 1):
        assert (place, pytest.approx(100 * measured.accuracy.low)) in probes
        assert (place, pytest.approx(100 * measured.accuracy.high)) in probes
        over_seeds = [
            next(s.saturation for s in one.saturation["train"] if s.layer == measured.layer.name)
            for one in VGG.measurements
            if one.variant == "original"
        ]
        assert (place, pytest.approx(100 * min(over_seeds))) in saturation
        assert (place, pytest.approx(100 * max(over_seeds))) in saturation


def test_open_circles_for_skipped_layers():
    lines = curves(run_figure(RESNET).axes[0])
    names = [measured.layer.name for measured in RESNET.judgement.layers]
    assert [names[int(place) - 1] for place in lines["skipped"][0]] == ["layer4.0.conv1", "layer4.1.conv1"]
    assert list(lines["skipped"][1]) == [75.0, 75.0]
    assert "skipped" not in curves(run_figure(VGG).axes[0])


def test_the_border_layer_is_a_black_bar_in_all_panels():
    figure = run_figure(with_plateau(RESNET, "layer2.1.conv1"))
    assert [upright(panel) for panel in figure.axes] == [{12: "black", 9: GREEN}] * 2
    assert texts(figure.axes[0]) == ["$b_{min}$ layer3.0.conv2", "plateau from layer2.1.conv1"]


def test_one_bar_where_the_prediction_is_exact():
    figure = run_figure(VGG)
    assert [upright(panel) for panel in figure.axes] == [{8: "black"}] * 2
    assert texts(figure.axes[0]) == ["$b_{min}$ and plateau: features.17"]


def test_names_of_bars_stand_on_the_side_that_has_room():
    assert [label.get_ha() for label in run_figure(VGG).axes[0].texts] == ["left"]
    assert [label.get_ha() for label in run_figure(LONG).axes[0].texts] == ["right"]


def test_no_bar_without_a_border_and_a_plateau():
    figure = run_figure(HEALTHY)
    assert [upright(panel) for panel in figure.axes] == [{}, {}]
    assert texts(figure.axes[0]) == []


def test_a_border_layer_that_is_not_measured_has_no_bar():
    original = VGG.judgement.variants[0]
    gone = replace(original, variant=replace(original.variant, border="elsewhere"))
    run = replace(VGG, judgement=replace(VGG.judgement, variants=(gone,), plateau=None))
    assert upright(run_figure(run).axes[0]) == {}


def test_the_tail_is_shaded():
    for panel in run_figure(RESNET).axes:
        spans = [(patch.get_x(), patch.get_x() + patch.get_width()) for patch in panel.patches]
        assert spans == [(11.5, 12.5), (13.5, 20.5)]


def test_receptive_fields_up_to_the_head():
    panel = run_figure(VGG).axes[1]
    r_max, r_min, image, *_ = [line for line in panel.get_lines() if len(set(line.get_xdata())) > 1]
    features = [measured.layer for measured in VGG.judgement.layers if measured.layer.role != "head"]
    assert list(r_max.get_ydata()) == [layer.r_in_max[0] for layer in features]
    assert list(r_min.get_ydata()) == [layer.r_in_min[0] for layer in features]
    assert list(image.get_ydata()) == [32, 32]
    assert panel.get_yscale() == "log"
    assert panel.get_xlim()[1] > 16


def test_a_model_that_is_all_head_has_no_panel_of_receptive_fields():
    measured = replace(SMALL.judgement.layers[0], layer=replace(FIRST, role="head"))
    run = replace(SMALL, judgement=replace(SMALL.judgement, layers=(measured,), plateau=None))
    assert len(run_figure(run).axes) == 1


def test_numbers_that_are_not_known_are_gaps():
    lines = curves(run_figure(broken(VGG)).axes[0])
    assert [math.isnan(value) for value in lines["probe"][1]] == [True] + [False] * 15
    assert [math.isnan(value) for value in lines["saturation"][1]] == [True] + [False] * 15


def test_the_title_says_the_status():
    assert run_figure(replace(HEALTHY, name="a$b$_c")).get_suptitle() == "a$b$_c at 32x32 px: inconclusive"


def legend(run: Run) -> list[str]:
    return [text.get_text() for text in run_figure(run).legends[0].get_texts()]


def test_the_legend_names_what_is_there():
    fields = ["$r_{in,max}$", "$r_{in,min}$, which decides", "image extent $I$"]
    assert legend(HEALTHY) == ["probe, 95% interval", "saturation", "accuracy of the model", *fields]
    assert legend(RESNET)[3:] == ["skipped layer", "predicted tail", *fields]
    assert legend(VGG)[1] == "saturation, range over seeds"


def test_the_curves_differ_without_colour():
    lines = {line.get_label(): line for line in run_figure(VGG).axes[0].get_lines()}
    assert len({(lines[name].get_linestyle(), lines[name].get_marker()) for name in ("probe", "saturation", "model")}) == 3


CASES = {
    "vgg16": lambda: VGG,
    "vgg16, plateau beside the border": lambda: with_plateau(broken(VGG), "features.14"),
    "vgg16, plateau at the end": lambda: with_plateau(VGG, "classifier.6"),
    "resnet18": lambda: with_plateau(RESNET, "conv1"),
    "8 layers": lambda: HEALTHY,
    "156 layers": lambda: with_plateau(LONG, "layer3.0.conv1"),
    "small": lambda: SMALL,
    "two extents": lambda: run_of(
        analyze_named(nn.Sequential(*(nn.Conv2d(3, 3, 3, stride=(1, 2)) for _ in range(5))), (3, 64, 200), Settings(), "m"), "m"
    ),
    "long names": lambda: run_of(analysis_of("efficientnet_b0", 32), "efficientnet_b0"),
}


@pytest.mark.parametrize("case", CASES)
def test_no_text_covers_another_or_leaves_the_figure(case):
    require_room(run_figure(CASES[case]()))


def test_plotting_elsewhere_is_left_alone():
    before = dict(mpl.rcParams)
    run_figure(HEALTHY)
    assert dict(mpl.rcParams) == before
    assert np.geterr()["invalid"] == "warn"
