from __future__ import annotations

import math

from torch import nn

from rfcheck import analyze


def chain(*kernels) -> nn.Sequential:
    return nn.Sequential(*(nn.Conv2d(3, 3, kernel, padding="same") for kernel in kernels))


def test_the_range_is_what_it_says():
    model = chain(3, 5, 3, 7)
    lowest, highest = analyze(model, 32).resolution_range
    assert (lowest, highest) == ((9, 9), (15, 15))
    assert not analyze(model, 9).unproductive
    assert analyze(model, 8).unproductive
    assert not [f for f in analyze(model, 15).findings if f.code == "RF104"]
    assert [f for f in analyze(model, 16).findings if f.code == "RF104"]


def test_axes_differ():
    assert analyze(chain((3, 5), (3, 1)), 32).resolution_range == ((3, 5), (5, 5))


def test_the_last_map_is_where_values_are_computed():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.pool, self.head = nn.Conv2d(3, 3, 3, padding=1), nn.MaxPool2d(2), nn.Linear(3 * 16, 2)

        def forward(self, x):
            return self.head(self.pool(self.conv(x)).permute(0, 2, 3, 1).flatten(1))

    last = analyze(Net(), 8).network.last_map
    assert (last.name, last.size, last.r_max) == ("pool", (4, 4), (4, 4))


def test_attention_sees_every_image():
    class Attention(nn.Module):
        def __init__(self):
            super().__init__()
            self.patch, self.out = nn.Conv2d(3, 8, 4, 4), nn.Linear(8, 8)

        def forward(self, x):
            tokens = self.patch(x).flatten(2).transpose(1, 2)
            return tokens + self.out(nn.functional.scaled_dot_product_attention(tokens, tokens, tokens))

    assert analyze(Attention(), 32).resolution_range == ((1, 1), (math.inf, math.inf))


def test_unknown_stays_unknown():
    class Sampled(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 3, 3)

        def forward(self, x):
            return self.conv(nn.functional.grid_sample(x, x[:, :2].permute(0, 2, 3, 1), align_corners=False))

    assert analyze(Sampled(), 8).resolution_range == (None, None)
