from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from rfcheck.verify.records import Heatmap
from rfcheck.verify.report.heatmap_figure import heatmap_figure
from tests.verify.report.drawn import require_room, texts
from tests.verify.report.hand_made import SMALL
from tests.verify.report.runs import HEATMAPS, VGG, grid

MANY = tuple(Heatmap(f"a.b{n}", grid(size)) for n, size in enumerate((32, 16, 9, 8, 4, 2, 1)))


def with_maps(*maps: Heatmap):
    return heatmap_figure(replace(VGG, heatmaps=maps))


def images(figure) -> list:
    return [panel.get_images()[0] for panel in figure.axes if panel.get_images() and panel.get_title()]


def test_the_maps_in_order():
    figure = heatmap_figure(VGG)
    assert [panel.get_title() for panel in figure.axes[:3]] == [heatmap.layer for heatmap in HEATMAPS]
    for image, heatmap in zip(images(figure), HEATMAPS, strict=True):
        np.testing.assert_array_equal(image.get_array(), heatmap.relative)


def test_one_scale_for_all():
    assert {image.get_clim() for image in images(heatmap_figure(VGG))} == {(0.4, 1.0)}
    assert {image.get_clim() for image in images(with_maps(Heatmap("a", ((0.9, 1.2),)), Heatmap("b", ((0.5, 0.7),))))} == {
        (0.5, 1.2)
    }


def test_values_are_written_where_they_fit():
    figure = with_maps(*MANY)
    written = {panel.get_title(): texts(panel) for panel in figure.axes if panel.get_title()}
    assert [len(values) for values in written.values()] == [0, 0, 0, 64, 16, 4, 1]
    assert written["a.b4"] == [f"{value:.2f}" for row in grid(4) for value in row]


def test_dark_cells_have_light_text():
    (panel, *_) = with_maps(Heatmap("a", ((0.1, 1.0),))).axes
    assert [text.get_color() for text in panel.texts] == ["white", "black"]


def test_positions_that_are_not_known():
    (panel, *_) = heatmap_figure(SMALL).axes
    assert texts(panel) == ["0.50", "?", "1.00", "1.25"]
    assert images(heatmap_figure(SMALL))[0].get_clim() == (0.5, 1.25)


def test_maps_of_which_nothing_is_known():
    figure = with_maps(Heatmap("a", ((math.nan,),)))
    assert texts(figure.axes[0]) == ["?"]


@pytest.mark.parametrize("count", [1, 2, 4, 5, 7])
@pytest.mark.parametrize("name", ["Net", "vit_b_16(num_classes=3,image_size=32,patch_size=8)", "ResNet" * 15])
def test_no_text_covers_another_or_leaves_the_figure(count, name):
    figure = heatmap_figure(replace(VGG, name=name, heatmaps=MANY[-count:]))
    assert len(images(figure)) == count
    require_room(figure)


def test_ticks_are_positions():
    for panel in with_maps(*MANY).axes[:7]:
        assert all(tick == int(tick) >= 0 for tick in [*panel.get_xticks(), *panel.get_yticks()])
