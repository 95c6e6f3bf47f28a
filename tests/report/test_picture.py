from __future__ import annotations

import pytest
from torch import nn

from rfcheck import analyze
from rfcheck.report.picture import layer_bars


def chain(convolutions: int):
    return analyze(nn.Sequential(*(nn.Conv2d(3, 3, 3, padding=1) for _ in range(convolutions))), 8)


def text(cells) -> str:
    return "".join(cell.char for cell in cells)


def test_bars_grow_until_the_border():
    # inputs see 1, 3, 5, 7, 9, 11, 13 px of 8
    cells = layer_bars(chain(7).layers, (8, 8), ["4"], 40)
    assert text(cells) == "▁▃▅▇│███"
    assert [cell.state for cell in cells] == ["productive"] * 4 + ["border"] + ["tail"] * 3
    assert [i for i, cell in enumerate(cells) if cell.marked] == [5]


@pytest.mark.parametrize("width", [10, 20, 33, 80])
def test_many_layers_share_columns(width):
    layers = chain(200).layers
    cells = layer_bars(layers, (8, 8), ["0", "199"], width)
    assert len(cells) <= width
    assert text(cells).count("│") == 1
    assert cells[0].marked
    assert cells[-1].marked


def test_no_border_without_a_tail():
    assert text(layer_bars(chain(3).layers, (8, 8), [], 40)) == "▁▃▅"


def test_a_layer_that_is_not_judged_is_marked_where_it_would_stand():
    model = nn.Sequential(
        nn.Conv2d(3, 3, 3), nn.MaxPool2d(2), nn.Conv2d(3, 3, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2)
    )
    layers = analyze(model, 32).layers
    assert [cell.marked for cell in layer_bars(layers, (32, 32), ["1"], 40)] == [False, True]
    assert [cell.marked for cell in layer_bars(layers, (32, 32), ["5"], 40)] == [False, True]


def test_nothing_to_draw():
    assert layer_bars(analyze(nn.Sequential(nn.Flatten(), nn.Linear(12, 2)), 2).layers, (2, 2), [], 40) == []
