"""Layouts, held against tensors whose entries say at which position of the image they lie."""

import math

import pytest
import torch

from rfcheck.graph.axes import (
    Digit,
    Factor,
    Layout,
    Plain,
    Tokens,
    align,
    axes_held,
    axis_size,
    broadcast,
    image_layout,
    placement,
    plain_layout,
    regroup,
)
from rfcheck.graph.reach import FIRST_UNIT, IDENTITY

NOWHERE = -1


class Tracked:
    """An index tensor and its layout, reshaped together."""

    def __init__(self, *shape: int) -> None:
        axes = tuple(range(len(shape) - 2))
        coordinates = torch.meshgrid(*[torch.arange(n) for n in shape], indexing="ij")[2:]
        self.coordinates = list(coordinates)  # per image axis, the coordinate of every entry
        self.layout: Layout | None = image_layout(shape, axes)

    def view(self, *shape: int) -> "Tracked":
        self.coordinates = [c.reshape(shape) for c in self.coordinates]
        self.layout = regroup(self.layout, tuple(self.coordinates[0].shape))
        return self

    def permute(self, *order: int) -> "Tracked":
        self.coordinates = [c.permute(order) for c in self.coordinates]
        self.layout = tuple(self.layout[d] for d in order)
        return self

    def add_tokens(self, dim: int, before: int, after: int) -> "Tracked":
        """Entries before and after the positions of a dimension, as class and register tokens are."""
        extra = [list(self.coordinates[0].shape) for _ in range(2)]
        extra[0][dim], extra[1][dim] = before, after
        edges = [torch.full(shape, NOWHERE) for shape in extra]
        self.coordinates = [torch.cat([edges[0], c, edges[1]], dim) for c in self.coordinates]
        self.layout = (*self.layout[:dim], (Tokens(before, self.layout[dim], after),), *self.layout[dim + 1 :])
        return self


def positions_within(factor: Factor, values: torch.Tensor, axis: int) -> torch.Tensor:
    """What each value of a factor adds to the position along an axis."""
    if isinstance(factor, Digit):
        return values * factor.spacing * (factor.axis == axis)
    if isinstance(factor, Tokens):
        count = math.prod(digit.size for digit in factor.digits)
        own = values - factor.before
        inside = (own >= 0) & (own < count)
        return torch.where(inside, positions_along(factor.digits, own.clamp(0, count - 1), axis), NOWHERE)
    return torch.zeros_like(values)


def positions_along(factors, values: torch.Tensor, axis: int) -> torch.Tensor:
    """The same for a dimension: its values are numbers in mixed radix, outermost factor first."""
    total = torch.zeros_like(values)
    for factor in reversed(factors):
        total = total + positions_within(factor, values % factor.size, axis)
        values = values // factor.size
    return total


def assert_layout_tells_positions(tracked: Tracked) -> None:
    assert tracked.layout is not None
    shape = tracked.coordinates[0].shape
    assert [math.prod(factor.size for factor in dim) for dim in tracked.layout] == list(shape)
    for axis, coordinates in enumerate(tracked.coordinates):
        told = torch.zeros(shape, dtype=torch.long)
        for dim, size in enumerate(shape):
            along = positions_along(tracked.layout[dim], torch.arange(size), axis)
            told = told + along.view([size if d == dim else 1 for d in range(len(shape))])
        assert torch.equal(told.clamp(min=NOWHERE), coordinates)


ARRANGED = {
    "image": Tracked(2, 3, 6, 4),
    "volume": Tracked(1, 2, 4, 3, 2).view(2, 12, 2),
    "NHWC": Tracked(2, 3, 6, 4).permute(0, 2, 3, 1),
    "tokens": Tracked(2, 3, 6, 4).view(2, 3, 24).permute(0, 2, 1),
    "tokens of columns first": Tracked(2, 3, 6, 4).permute(0, 3, 2, 1).view(2, 24, 3),
    "tokens and back": Tracked(2, 3, 6, 4).view(2, 3, -1).permute(0, 2, 1).permute(0, 2, 1).view(2, 3, 6, 4),
    "split rows": Tracked(2, 3, 6, 4).view(2, 3, 2, 3, 4),
    "windows": Tracked(2, 3, 6, 4).view(2, 3, 2, 3, 2, 2).permute(0, 2, 4, 3, 5, 1).view(-1, 6, 3),
    "windows and back": Tracked(2, 3, 6, 4)
    .view(2, 3, 2, 3, 2, 2)
    .permute(0, 2, 4, 3, 5, 1)
    .view(-1, 6, 3)
    .view(2, 2, 2, 3, 2, 3)
    .permute(0, 5, 1, 3, 2, 4)
    .view(2, 3, 6, 4),
    "windows of windows": Tracked(1, 2, 12, 8).view(1, 2, 3, 4, 2, 4).permute(0, 2, 4, 1, 3, 5).view(6, 2, 2, 2, 2, 2),
    "grid": Tracked(2, 3, 6, 4).view(2, 3, 2, 3, 2, 2).permute(0, 3, 5, 2, 4, 1).view(-1, 4, 3),
    "heads": Tracked(2, 6, 3, 4).view(2, 2, 3, 12).permute(0, 1, 3, 2),
    "heads of windows": Tracked(1, 4, 4, 6).view(1, 4, 2, 2, 3, 2).permute(0, 2, 4, 3, 5, 1).view(6, 4, 2, 2).permute(0, 2, 1, 3),
    "channel shuffle": Tracked(2, 6, 3, 4).view(2, 2, 3, 3, 4).permute(0, 2, 1, 3, 4).view(2, 6, 3, 4),
    "space-to-depth": Tracked(1, 3, 6, 4).view(1, 3, 3, 2, 2, 2).permute(0, 3, 5, 1, 2, 4).view(1, 12, 3, 2),
    "space-to-batch": Tracked(2, 3, 6, 4).view(2, 3, 3, 2, 2, 2).permute(3, 5, 0, 1, 2, 4).view(8, 3, 3, 2),
    "rows as a batch": Tracked(2, 3, 6, 4).permute(0, 2, 1, 3).view(12, 3, 4),
    "all in one": Tracked(1, 1, 6, 4).view(24),
    "flattened": Tracked(2, 3, 6, 4).view(2, 72),
    "flattened and back": Tracked(2, 3, 6, 4).view(2, 72).view(2, 3, 6, 4),
    "units between": Tracked(2, 3, 6, 4).view(2, 1, 3, 6, 1, 4, 1),
    "class token": Tracked(2, 3, 6, 4).view(2, 3, 24).permute(0, 2, 1).add_tokens(1, 1, 0),
    "register tokens": Tracked(2, 3, 6, 4).view(2, 3, 24).permute(0, 2, 1).add_tokens(1, 1, 4),
    "heads with a class token": Tracked(2, 6, 2, 3)
    .view(2, 6, 6)
    .permute(0, 2, 1)
    .add_tokens(1, 2, 1)
    .view(2, 9, 2, 3)
    .permute(0, 2, 1, 3),
    "an axis of one row": Tracked(2, 3, 1, 4),
    "an axis of one row in tokens": Tracked(2, 3, 1, 4).view(2, 3, 4).permute(0, 2, 1),
    "an axis of one column split off": Tracked(2, 3, 4, 1).view(2, 3, 2, 2, 1),
    "one pixel": Tracked(1, 3, 1, 1).view(1, 3),
}


@pytest.mark.parametrize("tracked", ARRANGED.values(), ids=ARRANGED)
def test_layout_tells_the_position_of_every_entry(tracked):
    assert_layout_tells_positions(tracked)


def test_a_wrong_layout_is_noticed():
    tracked = Tracked(2, 3, 6, 4).view(2, 3, 24)
    tracked.layout = (*tracked.layout[:2], tracked.layout[2][::-1])
    with pytest.raises(AssertionError):
        assert_layout_tells_positions(tracked)


@pytest.mark.parametrize("name", ["tokens and back", "windows and back", "flattened and back"])
def test_layout_comes_back(name):
    assert ARRANGED[name].layout == image_layout((2, 3, 6, 4), (0, 1))


@pytest.mark.parametrize("shape", [(2, 3, 1, 4), (2, 3, 4, 1), (1, 3, 1, 1), (1, 1, 1, 1)], ids=str)
def test_axes_of_one_position_keep_their_dimension(shape):
    layout = image_layout(shape, (0, 1))
    flat = regroup(layout, (shape[0], math.prod(shape[1:])))
    assert axes_held(flat) == {0, 1}
    assert regroup(flat, shape) == layout
    assert regroup(layout, (shape[0], shape[1], *shape[2:])) == layout


@pytest.mark.parametrize(
    ("layout", "shape"),
    [
        pytest.param(image_layout((1, 2, 6, 4), (0, 1)), (1, 2, 4, 6), id="rows cut across columns"),
        pytest.param(image_layout((1, 2, 6, 4), (0, 1)), (1, 8, 6), id="channels joined with a part of the rows, then cut across"),
        pytest.param(image_layout((1, 2, 6, 4), (0, 1)), (1, 2, 25), id="too large"),
        pytest.param(image_layout((1, 2, 6, 4), (0, 1)), (1, 2, 12), id="too small"),
        pytest.param(image_layout((1, 2, 7, 7), (0, 1)), (1, 14, 7, 1, 2), id="odd rows halved"),
        pytest.param(((), (Tokens(1, (Digit(0, 3, 1),), 0),)), (1, 2, 2), id="tokens cut apart"),
    ],
)
def test_views_across_the_borders_of_dimensions_have_no_layout(layout, shape):
    assert regroup(layout, shape) is None


def test_queries_of_a_layout():
    layout = ARRANGED["windows"].layout
    assert layout == ((Plain(2), Digit(0, 2, 3), Digit(1, 2, 2)), (Digit(0, 3, 1), Digit(1, 2, 1)), (Plain(3),))
    assert placement(layout, 0) == ((3, Digit(0, 2, 3)), (2, Digit(0, 3, 1)))
    assert [axis_size(layout, axis) for axis in (0, 1, 2)] == [6, 4, 1]
    assert axes_held(layout) == {0, 1}
    assert axes_held(plain_layout((2, 3))) == frozenset()


def test_broadcast_takes_positions_from_whoever_holds_them():
    image, bias = image_layout((1, 3, 6, 4), (0, 1)), plain_layout((3, 1, 1))
    column = image_layout((1, 3, 6, 1), (0, 1))
    assert broadcast((bias, image), (1, 3, 6, 4)) == image
    assert broadcast((column, plain_layout((4,))), (1, 3, 6, 4)) == (*image[:3], (Plain(4),))
    assert align(image, image, 0) == IDENTITY
    assert align(bias, image, 0) == align(column, image, 1) == FIRST_UNIT
    assert align(image, ARRANGED["NHWC"].layout, 0) is None
