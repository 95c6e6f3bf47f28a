from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import torch
from torch import nn
from torchvision import models

from rfcheck import analyze
from rfcheck.report.description import describe
from rfcheck.report.snapshot import snapshot_of

SVG = "{http://www.w3.org/2000/svg}"


class Chain(nn.Sequential):
    def __init__(self, length: int = 7) -> None:
        super().__init__(*(nn.Conv2d(3, 3, 3, padding=1) for _ in range(length)))


def test_a_notebook_shows_findings_and_layers():
    analysis = analyze(Chain(), 8)
    root = ET.fromstring(analysis._repr_html_())
    assert root.find("b").text == "Chain"
    assert root.find("b").tail == " at 3x8x8"
    assert [line.text for line in root.findall("div")] == describe(snapshot_of(analysis))
    (item,) = root.iter("li")
    (finding,) = analysis.findings
    assert "".join(item.itertext()) == f"RF101 unproductive-tail warning 4{finding.message}"
    rows = list(root.iter("tr"))
    assert [cell.text for cell in rows[0]] == ["layer", "kind", "kernel", "out", "r_in_min", "r_max", "params", "FLOPs", "status"]
    assert [cell.text for cell in rows[5]] == ["4", "conv", "3x3", "8x8", "9", "11", "84", "5.18 k", "tail"]
    assert ["background" in row.attrib.get("style", "") for row in rows] == [False] * 5 + [True] * 3
    assert root.find("details/summary").text == "7 layers"


def test_the_layers_are_shown_as_bars():
    root = ET.fromstring(analyze(Chain(), 8)._repr_html_())
    titles = [title.text for title in root.iter(f"{SVG}title")]
    assert titles[4] == "4: sees 9 to 9 px, tail"
    assert len(titles) == 7
    assert [text.text for text in root.iter(f"{SVG}text")] == ["b_min 4", "b_max 4", "I = 8"]


def test_many_findings_of_a_rule_are_folded():
    with torch.device("meta"):
        analysis = analyze(models.resnet18(), 32)
    root = ET.fromstring(analysis._repr_html_())
    codes = [item.find("b").text for item in root.iter("li") if item.find("b") is not None]
    assert sorted(codes) == sorted(finding.code for finding in analysis.findings)
    assert [summary.text for summary in root.iter("summary")] == ["3 more RF301", "23 layers"]
    folded = [item.find("b").text for item in root.find("ul").iter("details") for item in item.iter("li")]
    assert folded == ["RF301"] * 3


def test_nothing_found():
    analysis = analyze(Chain(3), 7)
    assert analysis.findings == ()
    root = ET.fromstring(analysis._repr_html_())
    assert [item.text for item in root.iter("li")] == ["no findings"]


def test_nothing_judged():
    root = ET.fromstring(analyze(nn.ReLU(), 8)._repr_html_())
    assert list(root.iter(f"{SVG}svg")) == []


def test_names_are_escaped():
    model = nn.Sequential()
    for name in ("<b>", "a&b", "\x01"):
        model.add_module(name, nn.Conv2d(3, 3, 1))
    rows = list(ET.fromstring(analyze(model, 8)._repr_html_()).iter("tr"))
    assert [row[0].text for row in rows[1:]] == ["<b>", "a&b", r"\x01"]


def test_it_brings_no_colours_for_text_nor_scripts():
    """Pale grounds and bars only: text is readable on light and on dark pages."""
    text = analyze(Chain(), 8)._repr_html_()
    assert not re.search(r"<script|<style|[^-]color:|on\w+=", text)
