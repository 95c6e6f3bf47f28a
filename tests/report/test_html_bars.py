from __future__ import annotations

import math
import xml.etree.ElementTree as ET

import pytest
import torch
from torchvision import models

from rfcheck import analyze
from rfcheck.report.html_bars import bars_svg
from tests.report.layer_cases import layer, square

SVG = "{http://www.w3.org/2000/svg}"


def bars(text: str) -> list[tuple[str, float, float]]:
    """Title, height of the solid bar and of the pale one."""
    groups = ET.fromstring(text).iter(f"{SVG}g")
    heights = [(group, *(float(rect.attrib["height"]) for rect in group.findall(f"{SVG}rect"))) for group in groups]
    return [(group.find(f"{SVG}title").text, low, high) for group, high, low in heights]


def line_at(text: str) -> float:
    """Height of the line at I."""
    (path,) = [path for path in ET.fromstring(text).iter(f"{SVG}path") if "stroke-dasharray" in path.attrib]
    return 90 - float(path.attrib["d"].split()[1].split("H")[0])


def test_bars_end_above_the_line_where_layers_are_unproductive():
    with torch.device("meta"):
        analysis = analyze(models.resnet18(), 32)
    text = bars_svg(analysis.layers, (32, 32), "layer3.0.conv2", "layer1.1.conv2")
    judged = [one for one in analysis.layers if one.judged]
    drawn = bars(text)
    assert [title.split(":")[0] for title, _, _ in drawn] == [one.name for one in judged]
    assert [low > line_at(text) for _, low, _ in drawn] == [not one.productive for one in judged]
    assert [high > line_at(text) for _, _, high in drawn] == [one.r_in_max[0] > 32 for one in judged]
    assert drawn[0][0] == "conv1: sees 1 to 1 px, productive"
    assert drawn[-1][0] == "layer4.1.conv2: sees 131 to 371 px, tail"
    assert [one.text for one in ET.fromstring(text).iter(f"{SVG}text")] == [
        "b_min layer3.0.conv2",
        "b_max layer1.1.conv2",
        "I = 32",
    ]


def test_the_axis_that_is_seen_least_of_counts():
    text = bars_svg([layer("a", (16, 8)), layer("b", (8, 16))], (8, 32), None, None)
    (_, first, _), (_, second, _) = bars(text)
    assert first < second < line_at(text)  # a quarter and a half of the width
    assert "I = 8x32" in text


def test_unknown_and_unbounded():
    text = bars_svg([layer("u", None), layer("top", (3, 3), (math.inf, math.inf))], (8, 8), None, None)
    assert bars(text) == [
        ("u: sees ? to ? px, productive", 0, 0),
        ("top: sees 3 to inf px, productive", pytest.approx(bars(text)[1][1]), 90),
    ]
    assert 0 < bars(text)[1][1] < line_at(text)


def test_nothing_to_show():
    assert bars_svg([], (8, 8), None, None) == ""
    assert bars_svg([layer("gate", (3, 3), judged=False)], (8, 8), None, None) == ""


@pytest.mark.parametrize("count", [1, 20, 500])
def test_everything_is_inside(count):
    name = "a_long_name_of_a_layer_at_the_very_end"
    layers = [*square(*range(3, 2 + count)), layer(name, (999, 999), tail=True)]
    root = ET.fromstring(bars_svg(layers, (1024, 320), name, name))
    width, height = float(root.attrib["viewBox"].split()[2]), float(root.attrib["viewBox"].split()[3])
    rects = [[float(rect.attrib[key]) for key in ("x", "y", "width", "height")] for rect in root.iter(f"{SVG}rect")]
    assert len(rects) == 2 * len(layers)
    assert all(x >= 0 and y >= 0 and x + wide <= width and y + high <= height for x, y, wide, high in rects)
    for text in root.iter(f"{SVG}text"):
        assert float(text.attrib["x"]) + 6 * len(text.text) <= width
        assert float(text.attrib["y"]) <= height


@pytest.mark.parametrize("seen", [3, 500, 100_000])
def test_the_extent_of_the_image_is_not_cut_off(seen):
    root = ET.fromstring(bars_svg([layer("first", (1, 1)), layer("last", (seen, seen))], (512, 512), None, None))
    (text,) = root.iter(f"{SVG}text")
    assert 9 <= float(text.attrib["y"]) <= float(root.attrib["viewBox"].split()[3]) - 3


@pytest.mark.parametrize(("borders", "tall"), [((None, None), 98), ((None, "1"), 104), (("0", "1"), 118)])
def test_there_is_a_line_below_the_bars_for_each_border_layer(borders, tall):
    text = bars_svg([layer("0", (3, 3)), layer("1", (99, 99))], (8, 8), *borders)
    assert ET.fromstring(text).attrib["viewBox"].split()[3] == str(tall)


def test_names_are_escaped():
    assert bars(bars_svg([layer("<b>&", (3, 3))], (8, 8), "<b>&", None))[0][0] == "<b>&: sees 3 to 3 px, productive"
