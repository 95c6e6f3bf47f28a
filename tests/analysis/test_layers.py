from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from rfcheck import analyze
from tests.call_sites import definition


def only(model: nn.Module, size=32):
    (layer,) = analyze(model, size).layers
    return layer


def test_everything_known_of_a_convolution():
    layer = only(nn.Sequential(nn.Conv2d(6, 12, (3, 5), (2, 1), (0, 2), (1, 2), groups=3)), (6, 32, 40))
    assert (layer.name, layer.kind, layer.role, layer.module_type) == ("0", "conv", "features", "Conv2d")
    assert (layer.kernel, layer.stride, layer.padding, layer.dilation) == ((3, 5), (2, 1), (0, 2), (1, 2))
    assert (layer.groups, layer.in_channels, layer.out_channels) == (3, 6, 12)
    assert (layer.in_size, layer.out_size, layer.jump) == ((32, 40), (15, 36), (2, 1))
    assert (layer.r_in_min, layer.r_in_max, layer.r_min, layer.r_max) == ((1, 1), (1, 1), (3, 9), (3, 9))
    assert layer.params == 12 * 2 * 15 + 12
    assert layer.flops == 15 * 36 * 12 * 2 * 15
    assert layer.judged
    assert layer.productive


@pytest.mark.parametrize(
    ("model", "size", "kernel", "out_size"),
    [
        (nn.Conv1d(3, 3, 5, padding=2), 32, (5,), (32,)),
        (nn.Conv3d(3, 3, (1, 3, 5)), (8, 16, 16), (1, 3, 5), (8, 14, 12)),
        (nn.ConvTranspose2d(3, 3, 4, 2, 1), 16, (4, 4), (32, 32)),
    ],
)
def test_axes_of_all_numbers(model, size, kernel, out_size):
    layer = only(nn.Sequential(model), size)
    assert (layer.kind, layer.kernel, layer.out_size) == ("conv", kernel, out_size)


def test_a_convolution_on_a_transposed_map_reports_in_the_order_of_the_image_axes():
    class Transposed(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 3, (1, 5))

        def forward(self, x):
            return self.conv(x.transpose(2, 3))

    layer = only(Transposed(), (20, 30))
    assert layer.kernel == (5, 1)
    assert (layer.in_size, layer.out_size) == ((20, 30), (16, 30))
    assert layer.r_max == (5, 1)


def test_a_linear_layer_per_position_is_judged_and_one_over_positions_is_head():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.pointwise, self.head = nn.Linear(3, 4), nn.Linear(4 * 64, 2)

        def forward(self, x):
            return self.head(self.pointwise(x.permute(0, 2, 3, 1)).flatten(1))

    pointwise, head = analyze(Net(), 8).layers
    assert (pointwise.kind, pointwise.role, pointwise.judged, pointwise.r_max) == ("linear", "features", True, (1, 1))
    assert (head.kind, head.role, head.judged, head.productive) == ("linear", "head", False, None)


def test_layers_called_as_functions_and_twice():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 3, 3)

        def forward(self, x):
            return nn.functional.max_pool2d(self.conv(self.conv(x)), 2)

    layers = analyze(Net(), 16).layers
    assert [(layer.name, layer.kind) for layer in layers] == [("conv", "conv"), ("conv:2", "conv"), ("max_pool2d", "pool")]
    assert [layer.r_max for layer in layers] == [(3, 3), (5, 5), (6, 6)]
    assert analyze(Net(), 16).params == 84


def test_up_sampling_divides_the_jump():
    model = nn.Sequential(nn.Conv2d(3, 3, 3, 2, 1), nn.Upsample(scale_factor=4), nn.Conv2d(3, 3, 1))
    assert [layer.jump for layer in analyze(model, 16).layers] == [(2, 2), (0.5, 0.5)]


def test_views_are_no_layers():
    class Net(nn.Module):
        def forward(self, x):
            return torch.relu(x.flatten(1))

    assert analyze(Net(), 8).layers == ()


class Reduced(nn.Module):
    def forward(self, x):
        return torch.max_pool2d(x, 2)


def test_the_line_of_a_layer():
    place = definition(str(Path(__file__).relative_to(Path.cwd())), "Reduced")
    assert only(Reduced()).source == (place.path, place.line)
    assert only(nn.Sequential(nn.Conv2d(3, 3, 1))).source is None
