"""Values at computed places, held against the support of the gradient and against changes of single lines of pixels."""

import math

import torch
import torch.nn.functional as F
from torch import nn

import rfcheck
from tests.graph.cases import TOKENS, assert_as_changed, assert_as_gradient, cases, conv, moved, split_into_windows

NUMBERS = torch.rand(9, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
LIMITS = torch.linspace(0, 4, 257, dtype=torch.float64)


def along_channels(function, channels: int = 4) -> nn.Module:
    """A function of a map of four channels, between two convolutions."""
    return moved(function, 4, channels)


def nearest(x: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
    """For each position the number of the nearest of some codes."""
    return torch.cdist(x.flatten(2).transpose(1, 2), codes.to(x)[None]).argmin(-1).view(len(x), *x.shape[2:])


def last(x: torch.Tensor) -> torch.Tensor:
    return x.movedim(1, -1)


def first(x: torch.Tensor) -> torch.Tensor:
    return x.movedim(-1, 1)


@cases(
    {
        "sort": along_channels(lambda x: x.sort(1).values),
        "the largest two": along_channels(lambda x: x.topk(2, 1).values, 2),
        "the largest": along_channels(lambda x: x.topk(1, 1).values, 1),
        "the second": along_channels(lambda x: x.kthvalue(2, 1, True).values, 1),
        "median": along_channels(lambda x: x.median(1, True).values, 1),
        "quantile": along_channels(lambda x: x.quantile(0.3, 1, True), 1),
        "mode": along_channels(lambda x: x.mode(1, True).values, 1),
        "cummax": along_channels(lambda x: x.cummax(1).values),
        "maxout": along_channels(lambda x: x.unflatten(1, (2, 2)).amax(2), 2),
        "maxout by topk": along_channels(lambda x: x.unflatten(1, (2, 2)).topk(1, 2).values.squeeze(2), 2),
        "gather": along_channels(lambda x: x.gather(1, x.argsort(1))),
        "gather fewer": along_channels(lambda x: x.gather(1, x.argmax(1, True)), 1),
        "take along a dimension": along_channels(lambda x: torch.take_along_dim(x, x.argsort(1), 1)),
        "gather in the last dimension": along_channels(lambda x: first(last(x).gather(-1, last(x).topk(3, -1).indices)), 3),
        "scatter": along_channels(lambda x: torch.zeros_like(x).scatter(1, x.topk(2, 1).indices, x.topk(2, 1).values)),
        "scatter a number": along_channels(lambda x: x.scatter(1, x.argmin(1, True), 0.0)),
        "scatter by adding": along_channels(lambda x: x.scatter_add(1, x.argsort(1), x)),
        "scatter by a reduction": along_channels(lambda x: x.scatter_reduce(1, x.argsort(1), x, "prod")),
        "only the largest two": along_channels(lambda x: torch.zeros_like(x).scatter_(1, x.topk(2, 1).indices, 1.0) * x),
        "winners by threshold": along_channels(lambda x: x * (x >= x.topk(2, 1).values[:, -1:])),
        "one-hot": along_channels(lambda x: first(F.one_hot(x.argmax(1), 4)).to(x) * x),
        "masked fill": along_channels(lambda x: x.masked_fill(x < x.mean(1, True), 0.0)),
        "masked write": along_channels(lambda x: _written(x, x < x.mean(1, True))),
        "masked write of rows": along_channels(lambda x: first(_written(last(x).clone(), (50 * x[:, 0]).sin() < 0))),
        "searchsorted": along_channels(lambda x: torch.searchsorted(LIMITS.to(x), x).to(x)),
        "bucketize": along_channels(lambda x: torch.bucketize(x, LIMITS.to(x)).to(x)),
        "isin": along_channels(lambda x: torch.isin((200 * x).long(), torch.arange(0, 999, 2)).to(x) * x),
        "embedding": along_channels(lambda x: first(F.embedding(nearest(30 * x % 1, NUMBERS), NUMBERS.to(x)))),
        "table by index": along_channels(lambda x: first(NUMBERS.to(x)[nearest(30 * x % 1, NUMBERS)])),
        "table by index_select": along_channels(
            lambda x: NUMBERS.to(x).index_select(0, nearest(30 * x % 1, NUMBERS).flatten()).view(1, 16, 12, 4).movedim(3, 1)
        ),
        "take from a table": along_channels(lambda x: LIMITS.to(x).take((99 * x).long() % 257)),
    }
)
def test_what_is_selected_along_channels_stays_where_it_is(case):
    assert_as_changed(case, TOKENS, inputs=6)
    layer = rfcheck.analyze(case, TOKENS).layers[-1]
    assert (layer.r_min, layer.r_max, layer.role) == ((4, 5), (4, 5), "features")


def test_a_random_choice_among_channels_stays_where_it_is():
    model = along_channels(lambda x: F.gumbel_softmax(x, dim=1, hard=True))
    assert rfcheck.analyze(model, TOKENS).layers[-1].r_max == (4, 5)


def _written(x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    x = x.clone()
    x[mask] = 0.25
    return x


@cases(
    {
        "sort rows": (moved(lambda x: x.sort(2).values), (math.inf, 5)),
        "the largest rows": (moved(lambda x: x.topk(9, 2).values), (math.inf, 5)),
        "gather rows": (moved(lambda x: x.gather(2, x.argsort(2))), (math.inf, 5)),
        "gather fewer rows": (moved(lambda x: x.gather(2, x.topk(9, 2).indices)), (math.inf, 5)),
        "take": (moved(lambda x: x.take((99 * x).long() % 384)), (math.inf, math.inf)),
        "rows at places": (moved(lambda x: x.index_select(2, x.mean((0, 1, 3)).argsort())), (math.inf, math.inf)),
        "channels at places": (moved(lambda x: x[:, x.mean((0, 2, 3)).argsort()]), (math.inf, math.inf)),
        "the largest tokens": (
            moved(lambda x: _pruned(x.flatten(2).transpose(1, 2)).transpose(1, 2).unflatten(2, (8, 6))),
            (math.inf, math.inf),
        ),
        "bucketize by the image": (
            moved(lambda x: torch.bucketize(x, x.mean((0, 1, 2)).sort().values).to(x)),
            (math.inf, math.inf),
        ),
    }
)
def test_what_is_selected_along_positions_reads_them_all(case):
    model, r_max = case
    analysis = rfcheck.analyze(model, TOKENS)
    assert (analysis.layers[-1].r_max, analysis.assumptions) == (r_max, ())


def _pruned(tokens: torch.Tensor) -> torch.Tensor:
    best = tokens.mean(2).topk(48, 1).indices
    return tokens.gather(1, best[..., None].expand(-1, -1, tokens.shape[2]))


def test_selection_inside_windows_stays_there():
    def function(x):
        windows = split_into_windows(x, 4).permute(0, 1, 2, 4, 3, 5).flatten(4)
        sorted_inside = windows.gather(4, windows.argsort(4))
        return sorted_inside.unflatten(4, (4, 4)).permute(0, 1, 2, 4, 3, 5).reshape(x.shape)

    assert_as_changed(moved(function, after=conv(1)), TOKENS, inputs=6)


@cases({"bilinear": 4, "bilinear with itself": None})
def test_a_bilinear_layer_is_local(case):
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b, self.c, self.product = (
                conv(made=4, padding=1),
                conv(5, 2, 4, padding=2),
                conv((2, 3)),
                nn.Bilinear(4, 4, 2),
            )

        def forward(self, x):
            left = last(self.a(x))
            return self.c(first(self.product(left, last(self.b(x)) if case else left)))

    assert_as_gradient(Model(), TOKENS)


def test_rows_of_a_matrix_that_the_image_makes_are_read_whole():
    model = moved(lambda x: F.embedding((99 * x[:, 0]).long() % 12, x.mean((0, 2)).T).movedim(3, 1))
    assert rfcheck.analyze(model, TOKENS).layers[-1].r_max == (math.inf, math.inf)
