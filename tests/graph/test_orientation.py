from __future__ import annotations

import pytest
import torch
from torch import nn

from rfcheck import analyze
from rfcheck.graph.axes import Digit, Plain
from rfcheck.graph.build import build_graph
from rfcheck.graph.orientation import how_it_was_read, how_results_come, image_extents, input_channels, input_layout
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


class Features(nn.Module):
    """Takes the last dimension of its input for features; what follows runs along the others."""

    def __init__(self, features, follows):
        super().__init__()
        self.first, self.follows, self.convolution = nn.Linear(features, 8), follows, nn.Conv1d(8, 4, 3)

    def forward(self, x):
        return self.follows(self, self.first(x))


class Recurrent(nn.Module):
    def __init__(self, features, turn=lambda x: x):
        super().__init__()
        self.first, self.turn = nn.GRU(features, 8, batch_first=True), turn

    def forward(self, x):
        return self.first(self.turn(x))[0]


TAKEN = "input: {} is read as ({}), since the first {} layer takes its features from dimension {}"


@pytest.mark.parametrize(
    ("model", "shape", "extents", "channels", "read"),
    [
        (Features(6, lambda net, y: net.convolution(y.mT)), (1, 20, 6), (20,), 6, TAKEN.format("1x20x6", "N, L, C", "linear", 2)),
        (Features(6, lambda _, y: y.max(1).values), (1, 20, 6), (20,), 6, TAKEN.format("1x20x6", "N, L, C", "linear", 2)),
        (
            Features(6, lambda _, y: nn.functional.scaled_dot_product_attention(y, y, y)),
            (1, 20, 6),
            (20,),
            6,
            TAKEN.format("1x20x6", "N, L, C", "linear", 2),
        ),
        (
            Features(3, lambda _, y: nn.functional.conv2d(y.movedim(-1, 1), torch.ones(4, 8, 3, 3))),
            (1, 8, 9, 3),
            (8, 9),
            3,
            TAKEN.format("1x8x9x3", "N, H, W, C", "linear", 3),
        ),
        (Recurrent(6), (1, 20, 6), (20,), 6, TAKEN.format("1x20x6", "N, L, C", "recurrent", 2)),
        (Recurrent(9, lambda x: x.squeeze(1)), (1, 1, 8, 9), (8, 9), 1, None),  # rows of an image, one after the other
        (Features(9, lambda net, y: nn.functional.conv2d(y, torch.ones(4, 3, 3, 3))), (1, 3, 8, 9), (8, 9), 3, None),
        (Features(9, lambda _, y: y), (1, 3, 8, 9), (8, 9), 3, None),  # nothing tells
        (Features(9, lambda _, y: y.mean(-1)), (1, 3, 9), (9,), 3, None),
    ],
)  # fmt: skip
def test_layers_without_windows_tell_where_something_runs_along_the_channels(model, shape, extents, channels, read):
    graph = build_graph(trace(model, shape))
    assert (image_extents(graph), input_channels(graph), how_it_was_read(graph)) == (extents, channels, read)


def test_a_model_of_series_is_followed_as_one_with_the_channels_first():
    """The convolution sees three steps of the input, whose other steps have no gradient."""
    model = Features(6, lambda net, y: net.convolution(y.mT))
    (layer,) = [one for one in analyze(model, (20, 6)).layers if one.kind == "conv"]
    x = torch.randn(1, 20, 6, requires_grad=True)
    model(x)[0, :, 5].sum().backward()
    assert layer.r_max == (int((x.grad.abs().sum(2) > 0).sum()),) == (3,)
    assert layer.in_size == (20,)


@pytest.mark.parametrize(
    ("turn", "rows"),
    [
        (lambda x: x.reshape(-1, 49) @ torch.ones(49, 2), 12),  # 3 channels of 14x14 are 12 times 49 values
        (lambda x: x.flatten(2)[0].T, 196),
        (lambda x: x.flatten(1), 0),
        (lambda x: x.flatten(2).mean(2), 0),
        (lambda x: x[0, 0], 0),  # a map of one image is one result
    ],
)
def test_results_for_parts_of_an_image_are_said(turn, rows):
    model = Turned(turn, nn.Identity())
    graph = build_graph(trace(model, (1, 3, 14, 14)))
    said = f"output: {rows} rows for one image: the first dimension holds parts of it, as x.view(-1, ...) makes of other sizes"
    assert how_results_come(graph) == (said if rows else None)
    assert not rows or len(model(torch.zeros(1, 3, 14, 14))) == rows


def test_a_classifier_of_flattened_images_says_at_another_size_that_it_gives_several_results():
    """784 weights for 56 x 56 px of 3 channels, which are 9408 values: 12 rows."""
    analysis = analyze(nn.Sequential(nn.Unflatten(1, (1, -1)), Turned(lambda x: x.reshape(-1, 784), nn.Linear(784, 10))), 56)
    assert [one for one in analysis.assumptions if one.startswith("output: 12 rows")]
