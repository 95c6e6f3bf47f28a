"""Parts of concatenations that are taken back, held against the support of the input gradient."""

import math

import pytest
import torch
from torch import nn

import rfcheck
from tests.graph.cases import EXACT, assert_as_gradient, cases, conv
from tests.oracle import Apply


def taken_back(take):
    """A part of two maps side by side, of windows 3 and 7."""

    def function(x, small, large, last):
        return last(take(torch.cat([small(x), large(x)], 1).relu()))

    return Apply(function, conv(padding=1), conv(7, padding=3), conv((2, 3)))


def interleaved(x, a, b):
    x = a(x)
    return b(torch.stack([x[..., ::2], x[..., 1::2]], -1).flatten(-2))


@cases(
    {
        "chunk": taken_back(lambda y: y.chunk(2, 1)[0]),
        "split": taken_back(lambda y: y.split([2, 2], 1)[1]),
        "slice": taken_back(lambda y: y[:, :2]),
        "select": taken_back(lambda y: torch.stack([y[:, 0], y[:, 1]], 1)),
        "scaled, and padded": taken_back(lambda y: nn.functional.pad(2 * y, (1, 1, 0, 0)).chunk(2, 1)[1]),
        "shuffled, and every second": taken_back(lambda y: y.unflatten(1, (2, 2)).transpose(1, 2).flatten(1, 2)[:, ::2]),
        "shuffled, and half": taken_back(lambda y: y.unflatten(1, (2, 2)).transpose(1, 2).flatten(1, 2).chunk(2, 1)[0]),
        "slices put together again": Apply(interleaved, conv(padding=1), conv((2, 3))),
    }
)
def test_a_part_reads_its_own_inputs(case):
    assert_as_gradient(case)


def test_each_part_has_its_own_receptive_field():
    def mixed(x, small, large, one, two):
        first, second = torch.cat([small(x), large(x)], 1).relu().chunk(2, 1)
        return one(first) + two(second)

    analysis = rfcheck.analyze(Apply(mixed, conv(padding=1), conv(7, padding=3), conv(1), conv(1)), (1, 2, 48, 40), settings=EXACT)
    one, two = (analysis.layer(f"parts.{i}") for i in (2, 3))
    assert (one.r_min, one.r_max) == ((3, 3), (3, 3))
    assert (two.r_min, two.r_max) == ((7, 7), (7, 7))


@pytest.fixture
def coordinates():
    def weighed(x, a, middle, rows_only, columns_only, last):
        x = a(x)
        y = middle(torch.cat([x.mean(3, keepdim=True), x.mean(2, keepdim=True).transpose(2, 3)], 2))
        rows, columns = y.split([x.shape[2], x.shape[3]], 2)
        return last(x * rows_only(rows).sigmoid() * columns_only(columns.transpose(2, 3)).sigmoid())

    model = Apply(weighed, conv(padding=1), conv(1), conv(1), conv(1), conv(padding=1))
    return rfcheck.analyze(model, (1, 2, 64, 48))


def test_rows_beside_columns(coordinates):
    middle, rows, columns, last = (coordinates.layer(f"parts.{i}") for i in range(1, 5))
    assert coordinates.assumptions == ()
    assert (middle.r_min, middle.r_max) == ((3, 3), (math.inf, math.inf))
    assert (rows.r_max, columns.r_max) == ((3, math.inf), (math.inf, 3))
    assert (last.r_min, last.r_max) == ((5, 5), (5, 5))
