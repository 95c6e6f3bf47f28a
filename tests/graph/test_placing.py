"""Values written to computed places, held against changes of single lines of pixels."""

import math

import pytest
import torch

import rfcheck
from tests.graph.cases import TOKENS, assert_as_changed, cases, moved

PICK = torch.tensor([2, 0, 3, 1])


def written(x: torch.Tensor, places, values) -> torch.Tensor:
    x = x.clone()
    x[places] = values
    return x


@cases(
    {
        "index_add": lambda x: x.index_add(1, PICK, x),
        "index_copy": lambda x: torch.zeros_like(x).index_copy(1, PICK, x),
        "index_fill": lambda x: x.index_fill(1, PICK[:1], 0.0),
        "index_put": lambda x: x.index_put((torch.tensor([0]), torch.tensor([1])), x[:, 2].sin()),
        "index_put by adding": lambda x: x.index_put((torch.tensor([0]), torch.tensor([1])), x[:, 2].sin(), accumulate=True),
        "a channel under a mask": lambda x: written(x, (slice(None), torch.tensor([True, False, False, True])), x[:, 1:3].sin()),
        "a mask of the map": lambda x: written(x, (50 * x).sin() > 0, 0.5),
        "scatter in other places": lambda x: torch.zeros_like(x).scatter_(1, x.argsort(1)[:, :2], x[:, 1:3]),
    }
)
def test_what_is_written_along_channels_stays_where_it_is(case):
    assert_as_changed(moved(case, 4, 4), TOKENS, inputs=6)


@cases(
    {
        "rows": lambda x: torch.zeros_like(x).index_copy(2, x[0, 0, :, 0].argsort(), x),
        "scatter rows": lambda x: torch.zeros_like(x).scatter(2, x.argsort(2), x),
        "under a mask, one after another": lambda x: x.masked_scatter(x > 0.5, x.sin()),
        "anywhere": lambda x: x.clone().put_((99 * x).long() % 384, x.sin()),
    }
)
def test_what_is_written_along_positions_reads_them_all(case):
    layer = rfcheck.analyze(moved(case), TOKENS).layers[-1]
    assert math.inf in layer.r_max


def test_what_is_kept_beside_a_write_anywhere_is_local():
    model = moved(lambda x: x.masked_scatter(x > 0.5, torch.arange(384.0).view_as(x).to(x)))
    layer = rfcheck.analyze(model, TOKENS).layers[-1]
    assert (layer.r_min, layer.r_max) == ((4, 5), (math.inf, math.inf))


@pytest.mark.parametrize("rows", [4, 16])
def test_a_scatter_on_fewer_rows_writes_the_first(rows):
    def function(x):
        return x.scatter(1, x[:, :, :rows].argsort(1), x[:, :, :rows].sin())

    assert_as_changed(moved(function, 4, 4), TOKENS, inputs=6)


@pytest.mark.filterwarnings("ignore:index_reduce:UserWarning")  # torch calls it a beta
def test_a_reduction_at_places_along_channels_is_local():
    assert_as_changed(moved(lambda x: x.index_reduce(1, PICK, x.sin(), "prod"), 4, 4), TOKENS, inputs=6)
