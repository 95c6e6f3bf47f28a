"""A whole picture, and for larger ones that they are well-formed and nothing in them covers anything else."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from itertools import combinations

import pytest
import torch
from torch import nn

from rfcheck.printable import printable
from rfcheck.report.graph_labels import LOOKS
from rfcheck.report.graph_svg import graph_svg
from tests.report.block_networks import Block, Gated, Net, facts_of
from tests.zoo import torchvision_model

SVG = "{http://www.w3.org/2000/svg}"


def boxes(root: ET.Element) -> list[tuple[str, tuple[float, float, float, float], list[ET.Element]]]:
    """Names, left, top, right and bottom, and texts of all boxes."""
    found = []
    for group in root.iter(f"{SVG}g"):
        rect = group.find(f"{SVG}rect")
        x, y, width, height = (float(rect.attrib[key]) for key in ("x", "y", "width", "height"))
        found.append((group.find(f"{SVG}title").text, (x, y, x + width, y + height), group.findall(f"{SVG}text")))
    return found


def test_a_whole_picture():
    root = ET.fromstring(graph_svg(facts_of(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.MaxPool2d(2)), 8)))
    assert [(name, [text.text for text in texts]) for name, _, texts in boxes(root)] == [
        ("input", ["input", "3 channels", "out 8x8 · r_min 1 · r_max 1"]),
        ("0, 1", ["0", "3x3 conv2d 3→4, relu", "out 6x6 · r_min 3 · r_max 3"]),
        ("2", ["2", "2x2/2 max_pool2d", "out 3x3 · r_min 4 · r_max 4"]),
    ]
    assert [text.text for text in root.findall(f"{SVG}text")] == [
        "Sequential at 3x8x8, no border layer", "productive layer", "other operator",
    ]  # fmt: skip
    assert [path.attrib["d"][:1] for path in root.findall(f"{SVG}path")] == ["M"] * 4


CASES = {
    "resnet18": (torchvision_model, 32),
    "mobilenet_v3_small": (torchvision_model, 64),
    "densenet121": (torchvision_model, 64),
    "googlenet": (torchvision_model, 64),
    "vit_b_32": (torchvision_model, 224),
    "chain": (lambda _: nn.Sequential(*(nn.Conv2d(3, 3, 3 if n % 2 else 1) for n in range(500))), 600),
    "gates": (lambda _: nn.Sequential(nn.Conv2d(3, 4, 3), Gated(), Gated(), nn.Conv2d(4, 4, 3)), 16),
    "stages": (lambda _: Net(*(nn.Sequential(Block(), Block(), Block(kernel=5)) for _ in range(3))), 16),
}


@pytest.mark.parametrize("case", CASES)
def test_pictures_are_whole_and_nothing_covers_anything_else(case):
    build, size = CASES[case]
    with torch.device("meta"):
        facts = facts_of(build(case), size)
    root = ET.fromstring(graph_svg(facts))
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    drawn = boxes(root)
    assert sorted(", ".join(name for name, _, _ in drawn).split(", ")) == sorted(facts.nodes)
    for _, (left, top, right, bottom), texts in drawn:
        assert 0 < left < right < width
        assert 0 < top < bottom < height
        name, *marks = (text for text in texts if text.attrib.get("font-weight") == "bold")
        assert left + 8 + 7 * (len(name.text) + sum(len(mark.text) + 1 for mark in marks)) <= right - 8
        assert all(left + 8 + 7 * len(text.text) <= right - 8 for text in texts)
    rows = {}
    for _, (left, top, right, bottom), _ in drawn:
        rows.setdefault((top, bottom), []).append((left, right))
    for (_, above), (below, _) in combinations(sorted(rows), 2):
        assert above < below
    for row in rows.values():
        assert all(one[1] < other[0] for one, other in combinations(sorted(row), 2))


def test_the_tail_has_the_colour_of_the_legend():
    facts = facts_of(torchvision_model("resnet18"), 32)
    root = ET.fromstring(graph_svg(facts))
    red = [
        group.find(f"{SVG}title").text.split(", ")[0]
        for group in root.iter(f"{SVG}g")
        if group.find(f"{SVG}rect").attrib["fill"] == LOOKS["tail"].fill
    ]
    assert red[0] == "layer3.0.conv2"
    assert set(red) == {box.split(", ")[0] for box, _, _ in boxes(root) if facts.nodes[box.split(", ")[0]]["state"] == "tail"}
    (legend,) = [rect for rect in root.findall(f"{SVG}rect") if rect.attrib["fill"] == LOOKS["tail"].fill]
    assert "tail" in [
        text.text for text in root.findall(f"{SVG}text") if abs(float(text.attrib["y"]) - 9 - float(legend.attrib["y"])) < 1
    ]


def test_a_repeated_block_is_framed_and_named():
    root = ET.fromstring(graph_svg(facts_of(Net(Block(), Block()), 64)))
    (frame,) = [rect for rect in root.findall(f"{SVG}rect") if "stroke-dasharray" in rect.attrib]
    left, top, width, height = (float(frame.attrib[key]) for key in ("x", "y", "width", "height"))
    inside = [
        name for name, (x0, y0, x1, y1), _ in boxes(root) if left < x0 and x1 < left + width and top < y0 and y1 < top + height
    ]
    assert inside == ["blocks.0.conv, blocks.0/relu, blocks.1.conv, blocks.1/relu", "blocks.0/add, blocks.1/add"]
    assert "blocks.0 … 1: 2 × Block" in [text.text for text in root.findall(f"{SVG}text")]


def test_weights_of_gates_come_by_dashed_edges():
    root = ET.fromstring(graph_svg(facts_of(nn.Sequential(nn.Conv2d(3, 4, 3), Gated()), 8)))
    assert len([path for path in root.findall(f"{SVG}path") if "stroke-dasharray" in path.attrib]) == 1


@pytest.mark.parametrize("name", ['<b>&"q"', "层", "\x00\x1b[1m", "a" * 300])
def test_odd_names(name):
    model = nn.Sequential()
    model.add_module(name, nn.Conv2d(3, 3, 3))
    drawn = boxes(ET.fromstring(graph_svg(facts_of(model, 8))))
    assert len(drawn) == 2
    assert drawn[1][0] == printable(name)


def test_the_same_graph_gives_the_same_picture():
    facts = facts_of(torchvision_model("resnet18"), 32)
    assert graph_svg(facts) == graph_svg(facts)


def test_what_is_unknown():
    facts = facts_of(nn.Sequential(nn.Conv2d(3, 3, 3)), 8)
    facts.nodes["0"].update(state="unknown", r_min=None, r_max=None)
    (texts,) = [texts for name, _, texts in boxes(ET.fromstring(graph_svg(facts))) if name == "0"]
    assert texts[-1].text == "out 6x6 · r_min ? · r_max ?"
