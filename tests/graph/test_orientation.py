from __future__ import annotations

import pytest
import torch
from torch import nn

from rfcheck.graph.axes import Digit, Plain
from rfcheck.graph.build import build_graph
from rfcheck.graph.orientation import how_it_was_read, image_extents, input_channels, input_layout
from rfcheck.graph.trace import trace


class Turned(nn.Module):
    def __init__(self, turn, convolution):
        super().__init__()
        self.turn, self.convolution = turn, convolution

    def forward(self, x):
        return self.convolution(self.turn(x))


def test_a_layout_holds_axes_where_they_are():
    assert input_layout((1, 4, 5, 3), (1, 2)) == ((), (Digit(0, 4, 1),), (Digit(1, 5, 1),), (Plain(3),))


@pytest.mark.parametrize(
    ("model", "shape", "extents", "channels", "read"),
    [
        (nn.Conv2d(3, 4, 3), (1, 3, 8, 9), (8, 9), 3, None),
        (
            Turned(lambda x: x.movedim(-1, 1), nn.Conv2d(3, 4, 3)),
            (1, 8, 9, 3),
            (8, 9),
            3,
            "input: 1x8x9x3 is read as (N, H, W, C), since the first convolution takes its channels from dimension 3",
        ),
        (
            Turned(lambda x: x.movedim(-1, 1), nn.Conv2d(1, 4, 3)),
            (1, 8, 9, 1),
            (8, 9),
            1,
            "input: 1x8x9x1 is read as (N, H, W, C), since the first convolution takes its channels from dimension 3",
        ),
        (Turned(lambda x: x.flatten(1, 2), nn.Conv1d(3, 4, 3)), (1, 3, 1, 9), (1, 9), 3, None),
        (
            Turned(lambda x: x.squeeze(1), nn.Conv1d(8, 4, 3)),
            (1, 1, 8, 9),
            (9,),
            8,
            "input: 1x1x8x9 is read as (N, 1, C, L), since the first convolution takes its channels from dimension 2",
        ),
        (Turned(lambda x: x[:, None], nn.Conv1d(1, 4, 3)), (1, 9), (9,), 0, "input: 1x9 is read as (N, L), without a dimension for channels"),
        (Turned(lambda x: x.flatten(1), nn.Linear(27, 4)), (1, 3, 9), (9,), 3, None),
        (Turned(torch.relu, nn.Identity()), (1, 9), (9,), 0, "input: 1x9 is read as (N, L), without a dimension for channels"),
    ],
)  # fmt: skip
def test_the_first_convolution_tells(model, shape, extents, channels, read):
    graph = build_graph(trace(model, shape))
    assert (image_extents(graph), input_channels(graph), how_it_was_read(graph)) == (extents, channels, read)
    assert graph.nodes["input"]["sizes"] == extents


def test_dimensions_that_are_given_hold():
    graph = build_graph(trace(nn.Conv2d(3, 4, 3), (1, 3, 8, 9)), held=(3,))
    assert (graph.graph["axes"], image_extents(graph)) == (1, (9,))
