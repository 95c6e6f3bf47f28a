from __future__ import annotations

import xml.etree.ElementTree as ET

from torch import nn

from rfcheck import analyze


def test_a_notebook_shows_findings_and_layers():
    class Chain(nn.Sequential):
        pass

    analysis = analyze(Chain(*(nn.Conv2d(3, 3, 3, padding=1) for _ in range(7))), 8)
    root = ET.fromstring(analysis._repr_html_())
    assert root.find("b").text == "Chain"
    assert [item.find("b").text for item in root.iter("li")] == ["RF101"]
    rows = list(root.iter("tr"))
    assert [cell.text for cell in rows[0]] == ["layer", "kind", "kernel", "out", "r_in_min", "r_max", "params", "FLOPs", "status"]
    assert [cell.text for cell in rows[5]] == ["4", "conv", "3x3", "8x8", "9", "11", "84", "5.18 k", "tail"]
    assert "color" in rows[5].attrib["style"]


def test_names_are_escaped():
    model = nn.Sequential()
    model.add_module("<b>", nn.Conv2d(3, 3, 1))
    assert "&lt;b&gt;" in analyze(model, 8)._repr_html_()
