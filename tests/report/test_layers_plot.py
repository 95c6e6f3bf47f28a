"""The figure's data, its files, and that nothing in it covers anything else."""

from __future__ import annotations

import math
import subprocess
import sys
from itertools import combinations

import pytest
import torch
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from torch import nn
from torchvision import models

from rfcheck import analyze
from rfcheck.report.figure_style import ORANGE, RED
from rfcheck.report.layers_plot import layers_figure, layers_picture
from tests.report.layer_cases import layer, square

LINES = ["$r_{in,max}$", "$r_{in,min}$, which decides", "image extent $I$"]


def chain(length: int = 7, **how) -> nn.Module:
    return nn.Sequential(*(nn.Conv2d(3, 3, 3, padding=1, **how) for _ in range(length)))


def plot(model: nn.Module, size) -> Figure:
    return analyze(model, size).plot()


def figure_of(layers, **how) -> Figure:
    defaults = {"name": "net", "input_size": (8, 8), "border_min": None, "border_max": None, "tail_share": 0.0}
    return layers_figure(layers, **{**defaults, **how})


def bars(figure: Figure) -> list[tuple[float, str]]:
    return [(bar.get_height(), to_hex(bar.get_facecolor())) for bar in figure.axes[-1].containers[0]]


def upright(figure: Figure, panel: int) -> list[float]:
    """Where vertical lines stand."""
    return sorted(line.get_xdata()[0] for line in figure.axes[panel].get_lines() if list(line.get_ydata()) == [0, 1])


def shaded(figure: Figure, panel: int) -> list[tuple[float, float]]:
    return [(p.get_x(), p.get_x() + p.get_width()) for p in figure.axes[panel].patches if p.get_alpha() == 0.1]


def beside(figure: Figure, panel: int) -> list[tuple[float, float]]:
    """Where unproductive layers outside the tail are marked."""
    return [(p.get_x(), p.get_x() + p.get_width()) for p in figure.axes[panel].patches if p.get_hatch() == "..."]


def names(figure: Figure) -> list[str]:
    return [label.get_text() for label in figure.axes[-1].get_xticklabels()]


def legend(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_the_values_of_a_resnet():
    """Figure 60 of the thesis: b_min of ResNet-18 at 32 px."""
    with torch.device("meta"):
        analysis = analyze(models.resnet18(), 32)
    figure = analysis.plot()
    judged = [one for one in analysis.layers if one.judged]
    high, low = (list(line.get_ydata()) for line in figure.axes[0].get_lines()[:2])
    assert (low, high) == ([one.r_in_min[0] for one in judged], [one.r_in_max[0] for one in judged])
    assert names(figure) == [one.name for one in judged]
    place = {name: number for number, name in enumerate(names(figure), 1)}
    assert upright(figure, 0) == [place["layer1.1.conv2"], place["layer3.0.conv2"]]
    assert shaded(figure, 0) == shaded(figure, 1) == [(11.5, 12.5), (13.5, 20.5)]
    assert [one.name for one in judged][11:12] + [one.name for one in judged][13:] == [one.name for one in analysis.tail]
    assert [height for height, _ in bars(figure)] == [one.flops for one in judged]
    assert [colour == RED.lower() for _, colour in bars(figure)] == [one.in_tail for one in judged]
    assert beside(figure, 0) == beside(figure, 1) == [(place["layer2.1.conv2"] - 0.5, place["layer2.1.conv2"] + 0.5)]
    share = sum(one.flops for one in analysis.tail) / analysis.flops
    assert [text.get_text() for text in figure.axes[1].texts] == [f"tail: {share:.1%} of all FLOPs"]
    assert [text.get_text() for text in figure.axes[0].texts[-2:]] == ["$b_{min}$ layer3.0.conv2", "$b_{max}$ layer1.1.conv2"]
    assert figure._suptitle.get_text() == "ResNet at 32x32 px"
    assert legend(figure) == [*LINES, "tail", "unproductive, not in the tail"]


def test_what_is_drawn_decides():
    """Unproductive is a layer whose own input sees more than the image along every axis: where r_in,min is above each line at I."""
    with torch.device("meta"):
        analysis = analyze(models.inception_v3(init_weights=False), 96)
    figure = analysis.plot()
    *panels, _ = figure.axes
    assert len(panels) == 2
    above = [[r > 96 for r in panel.get_lines()[1].get_ydata()] for panel in panels]
    marked = [
        any(first < place < last for first, last in (*shaded(figure, 0), *beside(figure, 0)))
        for place in range(1, len(above[0]) + 1)
    ]
    assert marked == [all(sees) for sees in zip(*above, strict=True)]
    assert beside(figure, 0) == beside(figure, 1)
    assert len(beside(figure, 0)) == 6


def test_unproductive_layers_outside_the_tail_are_marked():
    layers = [layer("a", (3, 3)), layer("b", (9, 9), unproductive=True), layer("c", (5, 5)), layer("d", (9, 9), tail=True)]
    figure = figure_of(layers, border_min="d", border_max="b")
    assert (shaded(figure, 0), beside(figure, 0)) == ([(3.5, 4.5)], [(1.5, 2.5)])
    grey, *_, red = colours = [colour for _, colour in bars(figure)]
    assert colours == [grey, ORANGE.lower(), grey, RED.lower()]
    assert red != grey


def test_one_border_where_both_are_the_same_layer():
    figure = plot(chain(), 8)
    assert upright(figure, 0) == [5]
    assert [text.get_text() for text in figure.axes[0].texts[-1:]] == ["$b_{min}$ = $b_{max}$ 4"]


def test_no_tail():
    figure = plot(chain(2), 64)
    assert (upright(figure, 0), shaded(figure, 0)) == ([], [])
    assert [text.get_text() for text in figure.axes[1].texts] == ["no tail"]
    assert legend(figure) == LINES


def test_only_judged_layers_are_shown():
    figure = plot(nn.Sequential(nn.Conv2d(3, 3, 3), nn.MaxPool2d(2), nn.Conv2d(3, 3, 3), nn.Flatten(), nn.Linear(3, 2)), 8)
    assert names(figure) == ["0", "2"]


def test_no_judged_layers():
    figure = plot(nn.ReLU(), 8)
    assert names(figure) == []
    assert figure.axes[-1].get_xlabel() == "no judged layers"


def test_axes_that_differ_have_a_panel_each():
    model = nn.Sequential(*(nn.Conv2d(3, 3, (3, 5), padding=(1, 2)) for _ in range(8)))
    figure = plot(model, (3, 8, 9))
    assert [panel.get_ylabel() for panel in figure.axes] == [
        "receptive field\nof the input, height (px)", "receptive field\nof the input, width (px)", "FLOPs",
    ]  # fmt: skip
    values = [list(panel.get_lines()[1].get_ydata()) for panel in figure.axes[:2]]
    assert values == [[1 + 2 * n for n in range(8)], [1 + 4 * n for n in range(8)]]
    assert upright(figure, 0) == upright(figure, 1) == [5]


@pytest.mark.parametrize(
    ("count", "step", "label"),
    [(20, 1, ""), (67, 1, ""), (68, 2, ", one in 2 named"), (500, 10, ", one in 10 named")],
)
def test_names_are_thinned_where_they_do_not_fit(count, step, label):
    figure = figure_of(square(*range(3, 3 + count)))
    assert names(figure) == [f"layer{n}" for n in range(1, count + 1, step)]
    assert list(figure.axes[-1].get_xticks()) == list(range(1, count + 1, step))
    assert figure.axes[-1].get_xlabel() == f"judged layers in execution order{label}"
    assert figure.get_figwidth() <= 13


def meta(build) -> nn.Module:
    with torch.device("meta"):
        return build()


LONG = [layer(f"features.a_stage_with_a_name.and_a_block_{n}.conv", (2 * n + 3,) * 2, tail=n > 17) for n in range(20)]

CASES = {
    "resnet18": lambda: plot(meta(models.resnet18), 32),
    "resnet18 without a tail": lambda: plot(meta(models.resnet18), 224),
    "densenet121": lambda: plot(meta(models.densenet121), 64),
    "swin_t": lambda: plot(meta(models.swin_t), 224),
    "vgg, two image extents": lambda: plot(meta(models.vgg16), (3, 32, 48)),
    "500 layers": lambda: plot(meta(lambda: chain(500)), 200),
    "one layer": lambda: plot(chain(1), 1),
    "inception, unproductive layers beside the tail": lambda: plot(meta(lambda: models.inception_v3(init_weights=False)), 96),
    "one axis": lambda: plot(nn.Sequential(*(nn.Conv1d(3, 3, 9, padding=4) for _ in range(9))), (3, 48)),
    "two layers": lambda: plot(chain(2), 2),
    "nothing judged": lambda: plot(nn.ReLU(), 8),
    "three axes": lambda: plot(nn.Sequential(nn.Conv3d(3, 3, (1, 3, 5)), nn.Conv3d(3, 3, 3)), (3, 8, 9, 10)),
    "border at the right": lambda: figure_of(LONG, border_min=LONG[18].name, border_max=LONG[17].name, tail_share=0.1),
    "border at the left": lambda: figure_of(LONG, border_min=LONG[1].name, border_max=LONG[0].name, tail_share=0.1),
    "all kinds": lambda: figure_of(
        [
            *square(3, 5),
            layer("u", None),
            layer("top", (9, 9), (math.inf,) * 2),
            layer("b", (99, 9), unproductive=True),
            layer("tail", (99, 99), tail=True),
        ],
        border_min="tail",
        border_max="top",
        input_size=(32, 40),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_no_text_covers_another_or_leaves_the_figure(case):
    figure = CASES[case]()
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    shown = [figure._suptitle, figure.legends[0], figure.axes[-1].xaxis.label, *figure.axes[-1].get_xticklabels()]
    for panel in figure.axes:
        low, high = panel.get_ylim()
        ticks = [label for label in panel.get_yticklabels() if label.get_text() and low <= label.get_position()[1] <= high]
        shown += [*panel.texts, panel.yaxis.label, *ticks]
    boxes = [(item, item.get_window_extent(renderer)) for item in shown]
    for (one, box), (other, beside) in combinations(boxes, 2):
        assert not box.overlaps(beside), (one, other)
    for item, box in boxes:
        assert figure.bbox.padded(1).contains(*box.min), item
        assert figure.bbox.padded(1).contains(*box.max), item
    for panel in figure.axes:
        plotted = panel.get_window_extent(renderer)
        assert plotted.width > 0.6 * figure.bbox.width
        assert not any(plotted.padded(-1).overlaps(box) for item, box in boxes), panel


def test_names_are_no_formulas():
    figure = figure_of([layer("a$x^2$", (9, 9), tail=True)], name="$y$", border_min="a$x^2$", border_max="a$x^2$")
    figure.canvas.draw()
    assert not figure._suptitle.get_parse_math()
    assert not any(label.get_parse_math() for label in figure.axes[-1].get_xticklabels())
    assert figure.axes[0].texts[-1].get_text() == r"$b_{min}$ = $b_{max}$ a\$x^2\$"


@pytest.mark.parametrize(("ending", "start"), [("png", b"\x89PNG\r\n\x1a\n"), ("svg", b"<?xml"), ("pdf", b"%PDF-")])
def test_files(ending, start):
    how = {"name": "net", "input_size": (8, 8), "border_min": None, "border_max": "layer3", "tail_share": 0.0}
    first = layers_picture(square(3, 5, 9), ending, **how)
    assert first.startswith(start)
    assert layers_picture(square(3, 5, 9), ending, **how) == first


def test_neither_torch_nor_pyplot_is_imported():
    code = (
        "import rfcheck.report.layers_plot, sys; print([n for n in ('torch', 'networkx', 'matplotlib.pyplot') if n in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
