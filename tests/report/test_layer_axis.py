from __future__ import annotations

import pytest
from matplotlib.figure import Figure

from rfcheck.report.layer_axis import (
    WIDEST,
    LayerBar,
    draw_bars,
    figure_width,
    name_bars,
    names_height,
    set_layer_axis,
    shown_names,
)


def axis(names: list[str]):
    panel = Figure(figsize=(figure_width(len(names)), 3)).subplots()
    set_layer_axis(panel, names, "measured")
    return panel


def test_every_layer_has_its_name_where_there_is_room():
    names = [f"layer{n}.conv" for n in range(30)]
    panel = axis(names)
    assert list(panel.get_xticks()) == list(range(1, 31))
    assert [label.get_text() for label in panel.get_xticklabels()] == names
    assert panel.get_xlabel() == "measured layers in execution order"


@pytest.mark.parametrize(("count", "step"), [(67, 1), (68, 2), (135, 5), (338, 10), (1000, 20)])
def test_of_many_layers_some_are_named(count, step):
    names = [str(n) for n in range(count)]
    assert shown_names(names) == (list(range(1, count + 1, step)), names[::step])
    if step > 1:
        assert axis(names).get_xlabel() == f"measured layers in execution order, one in {step} named"


def test_long_names_are_shortened():
    name = "encoder.stages.3.blocks.17.depthwise.convolution"
    assert shown_names([name, "head"])[1] == ["encoder.stages.3.bl…epthwise.convolution", "head"]


def test_short_names_are_level():
    assert {label.get_rotation() for label in axis(["0", "1", "2"]).get_xticklabels()} == {0}
    assert {label.get_rotation() for label in axis([f"features.{n}" for n in range(16)]).get_xticklabels()} == {90}
    assert names_height(["0", "1"]) < names_height([f"features.{n}" for n in range(16)])


def test_figures_grow_with_the_layers_up_to_a_limit():
    widths = [figure_width(count) for count in (0, 8, 40, 100, 1000)]
    assert widths == sorted(widths)
    assert widths[0] == widths[1] == 6.4
    assert widths[3] == widths[4] == WIDEST


def test_names_are_not_read_as_formulas():
    assert [label.get_parse_math() for label in axis(["a$b$", "c"]).get_xticklabels()] == [False, False]


def test_without_layers_the_axis_says_so():
    assert axis([]).get_xlabel() == "no measured layers"


def test_bars_stand_at_their_layers_and_are_named_on_the_side_with_room():
    names = [f"layer{n}.conv" for n in range(10)]
    panel = axis(names)
    bars = [LayerBar("$b_{min}$", "a$b", 2, "red", "-", 2.5), LayerBar("plateau from", names[9], 10, "green", "--")]
    draw_bars(panel, bars)
    name_bars(panel, bars, len(names))
    assert [(list(line.get_xdata()), line.get_linewidth(), line.get_linestyle()) for line in panel.lines] == [
        ([2, 2], 2.5, "-"),
        ([10, 10], 1.8, "--"),
    ]
    assert [(text.get_text(), text.get_ha()) for text in panel.texts] == [
        (r"$b_{min}$ a\$b", "left"),
        ("plateau from layer9.conv", "right"),
    ]
    assert panel.texts[0].xyann[1] < panel.texts[1].xyann[1]
