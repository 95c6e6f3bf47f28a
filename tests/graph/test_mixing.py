"""Attention, reductions and products of matrices, held against the support of the input gradient."""

import math
from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import rfcheck
from tests.graph.cases import EXACT, IMAGE, TOKENS, assert_as_gradient, between, cases, conv, moved, split_into_windows
from tests.oracle import Apply, gradient_extents, gradient_spans


def attention(q, k, v):
    return (0.1 * q @ k.transpose(-2, -1)).softmax(-1) @ v


def attention_by_einsum(q, k, v):
    weights = torch.einsum("...qc,...kc->...qk", 0.1 * q, k).softmax(-1)
    return torch.einsum("...qk,...kc->...qc", weights, v)


def attention_by_heads(q, k, v):
    q, k, v = (t.view(len(t), -1, 2, t.shape[-1] // 2).transpose(1, 2) for t in (q, k, v))
    return attention(q, k, v).transpose(1, 2).flatten(2)


ATTENTION = {
    "matmul": attention,
    "einsum": attention_by_einsum,
    "heads": attention_by_heads,
    "scaled_dot_product": F.scaled_dot_product_attention,
}


def over_tokens(attend):
    return lambda x: attend(*[x.flatten(2).transpose(1, 2)] * 3).transpose(1, 2).unflatten(2, x.shape[2:])


def over_windows(attend, k: int):
    def function(x):
        n, c, h, w = x.shape
        windows = split_into_windows(x, k).permute(0, 2, 4, 3, 5, 1).reshape(-1, k * k, c)
        return attend(windows, windows, windows).view(n, h // k, w // k, k, k, c).permute(0, 5, 1, 3, 2, 4).reshape(x.shape)

    return function


def over_shifted_windows(attend, k: int):
    return lambda x: over_windows(attend, k)(x.roll((-k // 2, -k // 2), (2, 3))).roll((k // 2, k // 2), (2, 3))


def over_grid(attend, k: int):
    def function(x):
        n, c, h, w = x.shape
        grid = x.view(n, c, k, h // k, k, w // k).permute(0, 3, 5, 2, 4, 1).reshape(-1, k * k, c)
        return attend(grid, grid, grid).view(n, h // k, w // k, k, k, c).permute(0, 5, 3, 1, 4, 2).reshape(x.shape)

    return function


def over_rows(attend):
    return lambda x: attend(*[x.permute(0, 2, 3, 1).flatten(0, 1)] * 3).view(len(x), *x.shape[2:], -1).permute(0, 3, 1, 2)


def with_class_token(x, embed, classes, attend):
    tokens = torch.cat([classes.weight.expand(len(x), -1, -1), embed(x).flatten(2).transpose(1, 2)], 1)
    return attend(tokens, tokens, tokens)[:, 1:].transpose(1, 2).unflatten(2, (6, 5))


@pytest.mark.parametrize("attend", ATTENTION.values(), ids=ATTENTION)
@pytest.mark.parametrize("gather", [over_tokens, over_rows])
def test_attention_over_whole_axes_is_global(attend, gather):
    model = moved(gather(attend))
    assert_as_gradient(model, TOKENS)
    assert rfcheck.analyze(model, TOKENS).layers[-1].r_max == (math.inf if gather is over_tokens else 4, math.inf)


@pytest.mark.parametrize("attend", ATTENTION.values(), ids=ATTENTION)
def test_attention_inside_windows(attend):
    assert_as_gradient(Apply(over_windows(attend, 8)))
    assert rfcheck.analyze(Apply(over_windows(attend, 8)), IMAGE).network.last_map.r_max == (8, 8)
    assert_as_gradient(moved(over_windows(attend, 4), after=conv(padding=1)))
    assert_as_gradient(moved(lambda x: over_shifted_windows(attend, 4)(over_windows(attend, 4)(x)), after=conv(padding=1)))


@pytest.mark.parametrize("pooled", [1, 2, 3])
def test_pooled_queries_inside_windows_whose_tokens_are_in_an_order_of_their_own(pooled):
    """Tokens of windows of 8x8 from the finest digits of their places to the coarsest, so that a view pools neighbours."""

    def attend(x):
        n, c, h, w = x.shape
        digits = x.view(n, c, h // 8, 2, 2, 2, w // 8, 2, 2, 2)
        tokens = digits.permute(0, 2, 6, 5, 9, 4, 8, 3, 7, 1).reshape(-1, 64, c)
        query = tokens.view(-1, 4**pooled, 4 ** (3 - pooled), c).amax(1)
        kept = 3 - pooled
        made = attention(query, tokens, tokens).view(n, h // 8, w // 8, *(2,) * (2 * kept), c)
        rows, columns = (range(3 + 2 * kept - 2 + axis, 2, -2) for axis in (0, 1))
        return made.permute(0, -1, 1, *rows, 2, *columns).reshape(n, c, h >> pooled, w >> pooled)

    assert_as_gradient(moved(attend, after=conv(1)), inputs=4)


def test_attention_inside_padded_windows():
    assert_as_gradient(moved(lambda x: over_windows(attention, 7)(F.pad(x, (0, 2, 0, 1)))[:, :, :48, :40]))


def over_every_nth(attend, n: int):
    """Tokens n positions apart attend to each other, from one end of the map to the other (MobileViT)."""
    return lambda x: over_grid(attend, x.shape[2] // n)(x)


@pytest.mark.parametrize("attend", [attention, F.scaled_dot_product_attention])
@pytest.mark.parametrize("gather", [lambda f: over_grid(f, 8), lambda f: over_every_nth(f, 2), lambda f: over_every_nth(f, 4)])
@pytest.mark.parametrize("size", [16, 32])
def test_attention_from_one_end_of_the_map_to_the_other_is_global(attend, gather, size):
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stem, self.out = nn.Conv2d(2, 4, 9, padding=4), nn.Conv2d(4, 4, 3)

        def forward(self, x):
            return self.out(gather(attend)(self.stem(x)))

    analysis = rfcheck.analyze(Net(), (2, size, size))
    out = analysis.layer("out")
    assert (out.r_in_min, out.r_in_max, out.role, out.judged) == ((math.inf,) * 2, (math.inf,) * 2, "head", False)
    (first, last), *_ = gradient_spans(moved(gather(attend)), (1, 2, size, size))[0]
    assert first == 0
    assert last >= size // 2  # the farthest of those that a unit reads lies in the other half, wherever the image ends


class States(nn.Module):
    """Strided convolutions, then states that gather from all positions, then a classifier."""

    def __init__(self, gather) -> None:
        super().__init__()
        widths = (3, 8, 8, 8, 8, 8)
        self.body = nn.Sequential(*(nn.Conv2d(a, b, 3, 2, 1) for a, b in pairwise(widths)))
        self.states, self.fc, self.gather = nn.Conv2d(8, 4, 1), nn.Linear(8, 10), gather

    def forward(self, x):
        x = self.body(x)
        return self.fc(self.gather(x.flatten(2), self.states(x).flatten(2)))


GATHERS = {
    "product": lambda x, states: (x @ states.transpose(1, 2)).mean(-1),
    "turned product": lambda x, states: (states @ x.transpose(1, 2)).mean(1),
    "einsum": lambda x, states: torch.einsum("ncl,nsl->nc", x, states),
    "attention": lambda x, states: F.scaled_dot_product_attention(*[x.transpose(1, 2)] * 3).mean(1),
    "attention written out": lambda x, states: attention(*[x.transpose(1, 2)] * 3).mean(1),
    "softmax": lambda x, states: (x * x.softmax(-1)).sum(-1),
    "mean": lambda x, states: x.mean(-1),
    "maximum": lambda x, states: x.amax(-1),
}


@pytest.mark.parametrize("gather", GATHERS.values(), ids=GATHERS)
@pytest.mark.parametrize("size", [16, 32, 64])
def test_what_reads_all_positions_is_global_on_a_map_of_one_position_too(gather, size):
    analysis = rfcheck.analyze(States(gather), size)
    fc = analysis.layer("fc")
    assert (fc.role, fc.judged, fc.in_tail) == ("head", False, False)
    assert fc.r_max == (math.inf, math.inf)


def test_convolution_inside_windows_ends_at_their_borders():
    def function(x, a, b):
        windows = b(split_into_windows(a(x), 8).permute(0, 2, 4, 1, 3, 5).flatten(0, 2))
        return windows.view(-1, 6, 5, 2, 8, 8).permute(0, 3, 1, 4, 2, 5).reshape(-1, 2, 48, 40)

    for inner in (conv(padding=1), conv((4, 5), padding="same"), conv(5, dilation=2, padding=4)):
        assert_as_gradient(Apply(function, conv(padding=1), inner))


def test_class_tokens_belong_to_no_position():
    embed, classes = conv(8, made=4, stride=8), nn.Embedding(1, 4)
    local = Apply(lambda x, e, c: with_class_token(x, e, c, lambda q, k, v: 2 * v), embed, classes)
    assert_as_gradient(local)
    assert_as_gradient(Apply(lambda x, e, c: with_class_token(x, e, c, attention), embed, classes))


@cases(
    {
        "softmax over columns": (moved(lambda x: x.softmax(3)), (4, math.inf)),
        "softmax over channels": (moved(lambda x: x.softmax(1)), (4, 5)),
        "softmax over all": (moved(lambda x: x.flatten(2).softmax(-1).view_as(x)), (math.inf, math.inf)),
        "mean of rows": (between(lambda x: x.mean(2, keepdim=True), after=conv((1, 3))), (math.inf, 5)),
        "mean": (Apply(lambda x: x.mean((2, 3), keepdim=True)), (math.inf, math.inf)),
        "mean spread again": (moved(lambda x: x + x.mean((2, 3), keepdim=True)), (math.inf, math.inf)),
        "adaptive pooling to one row": (between(nn.AdaptiveAvgPool2d((1, None)), after=conv((1, 3))), (math.inf, 5)),
        "linear over columns": (Apply(lambda x, a, mix: mix(a(x)), conv(), nn.Linear(10, 10)), (3, math.inf)),
        "linear over all": (Apply(lambda x, mix: mix(x.flatten(1))[..., None, None], nn.Linear(384, 3)), (math.inf, math.inf)),
        "channel attention": (moved(lambda x: attention(*[x.flatten(2)] * 3).view_as(x)), (math.inf, math.inf)),
    }
)
def test_mixed_dimensions_are_global(case):
    model, r_max = case
    assert gradient_extents(model, TOKENS) == r_max
    analysis = rfcheck.analyze(model, TOKENS, settings=EXACT)
    assert tuple(field.r_max for field in analysis.network.fields[analysis.graph.graph["outputs"][0]]) == r_max


def test_means_inside_windows():
    assert_as_gradient(moved(lambda x: split_into_windows(x, 4).mean((3, 5)), after=conv(1)))


def test_a_cumulative_sum_is_taken_as_global_in_both_directions():
    assert rfcheck.analyze(moved(lambda x: x.cumsum(2)), TOKENS).layers[-1].r_max == (math.inf, 5)


def test_an_image_as_the_weights_of_a_convolution_is_taken_as_global():
    analysis = rfcheck.analyze(Apply(lambda x: F.conv2d(torch.ones(1, 2, 20, 20), x[:, :, :3, :3])), TOKENS)
    assert [field.r_max for field in analysis.network.fields["conv"]] == [math.inf, math.inf]


@pytest.mark.parametrize("norm", [nn.GroupNorm(2, 2), nn.LayerNorm([2, 16, 12]), nn.InstanceNorm2d(2), nn.BatchNorm2d(2)], ids=str)
def test_normalisation_adds_no_context_by_convention(norm):
    assert rfcheck.analyze(nn.Sequential(conv(padding=1), norm, conv()), TOKENS).layers[-1].r_max == (5, 5)


@cases(
    {
        "tokens of two axes cut inside a row": moved(lambda x: x.flatten(2)[..., 5:185].view(1, 2, 10, 18)),
        "sampling by a grid": moved(lambda x: F.grid_sample(x, x[:, :2].permute(0, 2, 3, 1), align_corners=False)),
    }
)
def test_what_cannot_be_followed_is_reported(case):
    analysis = rfcheck.analyze(case, TOKENS)
    assert len(analysis.assumptions) == 1
    assert analysis.layers[-1].r_max is None
    assert "RF901" in [finding.code for finding in analysis.findings]


def test_a_window_minus_its_mean_stays_inside_the_window():
    def centred(x):
        windows = split_into_windows(x, 8)
        return (windows - windows.mean((3, 5), keepdim=True)).reshape(x.shape)

    assert_as_gradient(between(centred))


def test_the_mean_of_a_window_may_come_first():
    def weighed(x):
        windows = split_into_windows(x, 8)
        return (windows.mean((3, 5), keepdim=True) * windows).reshape(x.shape)

    assert_as_gradient(between(weighed))


def _by_channel(x, mix):
    return mix(x.permute(0, 2, 3, 1))


@pytest.mark.parametrize(
    ("mixed", "features"),
    [pytest.param(lambda x, mix: mix(x), 12, id="along an axis"), pytest.param(_by_channel, 2, id="channels")],
)
def test_sizes_of_a_linear_layer_count_repeated_positions(mixed, features):
    """Each position is repeated twice along both axes by a view: (N, 2, 8, 6) to (N, 2, 16, 12)."""

    def repeated(x, mix):
        return mixed(x[:, :, :, None, :, None].expand(-1, -1, -1, 2, -1, 2).reshape(-1, 2, 16, 12), mix)

    layer = rfcheck.analyze(Apply(repeated, nn.Linear(features, features)), (2, 8, 6)).layer("parts.0")
    assert (layer.in_size, layer.out_size) == ((16, 12), (16, 12))


def test_sizes_of_a_linear_layer_that_is_run_row_by_row():
    """As torch does where the rows are not in order: the rows are a dimension of the batch; pixels were shuffled before."""

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.weight = nn.Conv2d(3, 16, 3, 2, 1), nn.Parameter(torch.ones(4, 5))

        def forward(self, x):
            x = self.conv(x).view(1, 4, 2, 2, 8, 12).permute(0, 1, 4, 2, 5, 3).reshape(1, 4, 16, 24).permute(0, 2, 3, 1)
            return torch.bmm(x.view(16, 24, 4), self.weight.expand(16, 4, 5)).view(1, 16, 24, 5)

    (layer,) = [layer for layer in rfcheck.analyze(Net(), (16, 24)).layers if layer.name != "conv"]
    assert (layer.in_size, layer.out_size) == ((16, 24), (16, 24))
