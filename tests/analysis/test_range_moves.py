from __future__ import annotations

import json

import torch
from torch import nn
from torch.nn import functional

from rfcheck import analyze


class Flow(nn.Module):
    """Pools large images first."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = (nn.Conv2d(i, 8, k, padding=k // 2) for i, k in ((3, 3), (8, 3), (8, 5)))

    def forward(self, x):
        y = self.a(x)
        return self.c(self.b(functional.max_pool2d(y, 4) if x.shape[-1] >= 32 else y))


class Adaptive(Flow):
    def forward(self, x):
        return self.c(functional.adaptive_avg_pool2d(self.b(self.a(x)), 8))


class Plain(Flow):
    def forward(self, x):
        return self.c(self.b(self.a(x)))


class Tied(Plain):
    def forward(self, x):
        assert x.shape[-1] == 64
        return super().forward(x)


def test_the_range_is_looked_at_where_it_claims_to_be():
    analysis = analyze(Flow(), 64)
    assert analysis.resolution_range == ((14, 14), (30, 30))
    assert analysis.range_moves == (
        "range: no layer is unproductive from 14 px on by the graph at 64x64, "
        "but by that at 14x14 no layer is unproductive from 5 px on",
        "range: the last map sees up to 30 px by the graph at 64x64, but by that at 30x30 the last map sees up to 9 px",
    )
    assert analyze(Flow(), 14).resolution_range[0] == (5, 5)
    assert analyze(Flow(), 30).resolution_range[1] == (9, 9)
    assert json.loads(analysis.to_json())["assumptions"] == list(analysis.range_moves)


def test_adaptive_pooling_moves_it():
    low, high = analyze(Adaptive(), 64).resolution_range
    moves = analyze(Adaptive(), 64).range_moves
    assert [move.rpartition(" ")[0].rpartition(" from ")[0] != "" or "up to" in move for move in moves] == [True, True]
    assert f"by that at {int(low[0])}x{int(low[1])}" in moves[0]
    assert analyze(Adaptive(), int(high[0])).resolution_range[1] != high


def test_most_ranges_stay():
    assert analyze(Plain(), 64).range_moves == ()


def test_what_cannot_be_tried_is_not_judged():
    model = Tied()
    assert analyze(model, 64).range_moves == ()
    assert all(not parameter.is_meta for parameter in model.parameters())


def test_a_pass_with_data_is_not_made_again():
    class Reads(Flow):
        def forward(self, x):
            return super().forward(x * (1 + x.sum().item()))

    analysis = analyze(Reads(), 64)
    assert analysis.traced_with == "real"
    assert analysis.range_moves == ()


def test_axes_that_are_not_behind_the_channels():
    class Last(Flow):
        def forward(self, x):
            return super().forward(x.permute(0, 3, 1, 2))

    assert len(analyze(Last(), (64, 64, 3)).range_moves) == 2
    assert torch.is_grad_enabled()


class Tokens(nn.Module):
    """Attention over all positions of a map that keeps the extent of the image."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 1)
        self.attention = nn.MultiheadAttention(4, 1, batch_first=True)

    def forward(self, x):
        t = self.conv(x).flatten(2).transpose(1, 2)
        return self.attention(t, t, t, need_weights=False)[0]


def test_the_axes_of_a_single_position_are_not_told_apart():
    analysis = analyze(Tokens(), 32)
    assert analysis.resolution_range == ((1, 1), (1, 1))
    assert analysis.range_moves == ()
