from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from rfcheck import analyze
from rfcheck.analysis.border import exceeds


def conv(kernel: int = 3, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(3, 3, kernel, stride, kernel // 2)


class Shortcut(nn.Module):
    """A residual branch of two layers; the shortcut keeps the small receptive field."""

    def __init__(self):
        super().__init__()
        self.a, self.b = conv(), conv()

    def forward(self, x):
        return x + self.b(self.a(x))


@pytest.mark.parametrize(
    ("r", "sizes", "expected"),
    [((9, 9), (8, 8), True), ((8, 8), (8, 8), False), ((9, 8), (8, 8), False), ((math.inf, 9), (8, 8), True), ((9,), (8,), True)],
)
def test_every_axis_must_be_exceeded(r, sizes, expected):
    assert exceeds(r, sizes) is expected


def test_a_sequential_network_has_one_border():
    # inputs see 1, 3, 5, 7, 9, 11 px
    border = analyze(nn.Sequential(*(conv() for _ in range(6))), 8).network.border
    assert (border.b_min, border.b_max) == ("4", "4")
    assert border.tail == ("4", "5")
    assert list(border.productive.values()) == [True] * 4 + [False] * 2


def test_an_input_of_exactly_the_image_is_productive():
    assert analyze(nn.Sequential(*(conv() for _ in range(6))), 9).network.border.tail == ("5",)
    assert analyze(nn.Sequential(*(conv() for _ in range(6))), 11).network.border.tail == ()


def test_shortcuts_move_the_border_of_the_smallest_path():
    # smallest inputs: 1, then 3 and 5 in every block; largest: 3, 5, 7, 9, ...
    model = nn.Sequential(conv(), Shortcut(), Shortcut(), Shortcut())
    border = analyze(model, 4).network.border
    assert border.b_max == "1.b"
    assert border.tail == ("3.b",)
    assert [name for name, value in border.productive.items() if value is False] == ["1.b", "2.b", "3.b"]


def test_an_unproductive_layer_with_something_productive_behind_it_is_not_in_the_tail():
    analysis = analyze(nn.Sequential(conv(), Shortcut(), Shortcut()), 4)
    assert [f.layer for f in analysis.findings if f.code == "RF102"] == ["1.b"]


def test_no_tail_no_border():
    analysis = analyze(nn.Sequential(conv(), conv()), 8)
    assert analysis.border_min is None
    assert analysis.border_max is None
    assert analysis.tail == ()


class WithHead(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(*(nn.Sequential(conv(), nn.BatchNorm2d(3), nn.ReLU()) for _ in range(7)), nn.MaxPool2d(2))
        self.head = nn.Linear(3, 5)

    def forward(self, x):
        return self.head(self.features(x).mean((2, 3)))


def test_the_cost_of_the_tail_holds_what_lies_between_its_layers_but_not_the_head():
    network = analyze(WithHead(), 8).network
    assert network.border.tail == ("features.4.0", "features.5.0", "features.6.0")
    assert set(network.border.tail_region) == {f"features.{i}.{j}" for i in (4, 5, 6) for j in (0, 1, 2)} | {"features.7"}
    assert network.tail_cost.params == 3 * (3 * 3 * 9 + 3 + 6)
    assert network.tail_cost.flops == 3 * 8 * 8 * 3 * 3 * 9
    assert network.tail_cost.activation_bytes == 4 * (3 * 3 * 3 * 8 * 8 + 3 * 4 * 4)


class Gated(nn.Module):
    """A tail whose layers carry squeeze-and-excitation."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(*(conv() for _ in range(4)))
        self.last, self.squeeze, self.end = conv(), nn.Conv2d(3, 3, 1), conv()

    def forward(self, x):
        x = self.last(self.stem(x))
        return self.end(x * torch.sigmoid(self.squeeze(x.mean((2, 3), keepdim=True))))


def test_gates_inside_the_tail_belong_to_its_cost():
    network = analyze(Gated(), 8).network
    assert network.border.tail == ("last", "end")
    assert "squeeze" in network.border.tail_region


def test_unknown_receptive_fields_are_not_judged():
    class Sampled(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = conv()

        def forward(self, x):
            grid = x[:, :2].permute(0, 2, 3, 1)
            return self.conv(nn.functional.grid_sample(x, grid, align_corners=False))

    border = analyze(Sampled(), 8).network.border
    assert border.productive == {"conv": None}
    assert border.tail == ()
