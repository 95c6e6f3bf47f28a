"""What is said of a forward pass that fails."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from rfcheck import TraceError, analyze
from tests.graph.traced import SIZE, Net, conv


def test_a_lazy_module_that_is_not_called_is_refused():
    class Unused(Net):
        def __init__(self):
            super().__init__(lambda _, x: x)
            self.left = nn.LazyConv2d(4, 3)

    with pytest.raises(TraceError) as caught:
        analyze(Unused(), SIZE)
    assert str(caught.value) == (
        "left: the module is lazy, and the forward pass gives it no shapes since it does not call it; remove it"
    )


def shrinking() -> nn.Sequential:
    return nn.Sequential(conv(3, 8, 7, stride=2), nn.Sequential(nn.MaxPool2d(2), conv(8, 8, 7)))


@pytest.mark.parametrize(
    ("model", "size", "where", "remedy"),
    [
        (shrinking(), (3, 16, 16), "3x16x16 in layer 1.1 (Conv2d), which received a tensor of shape 1x8x2x2",
         "the smallest resolution that works is 33"),
        (shrinking(), (3, 16, 90), "3x16x90 in layer 1.1 (Conv2d), which received a tensor of shape 1x8x2x21",
         "the smallest resolution that works is 33"),
        (shrinking(), (1, 64, 64), "1x64x64 in layer 0 (Conv2d), which received a tensor of shape 1x1x64x64",
         "the layer expects 3 channels and the input has 1: pass --channels 3 or input_size=(3, 64, 64)"),
        (Net(lambda m, x: 1 / 0), (3, 8, 8), "3x8x8 in the model, which received a tensor of shape 1x3x8x8", None),
    ],
)  # fmt: skip
def test_an_error_names_the_layer_the_shape_and_what_works(model, size, where, remedy):
    with pytest.raises((RuntimeError, ZeroDivisionError)) as from_torch:
        model(torch.zeros(1, *size))
    with pytest.raises(TraceError) as caught:
        analyze(model, size)
    said = f"{type(from_torch.value).__name__}: {from_torch.value}"
    assert str(caught.value) == "; ".join(filter(None, [f"the forward pass fails at input {where}: {said}", remedy]))


def test_the_smallest_resolution_that_works_is_the_smallest():
    model = shrinking()
    assert model(torch.zeros(1, 3, 33, 33)).shape[2:] == (1, 1)
    with pytest.raises(RuntimeError, match="Kernel size can't be greater"):
        model(torch.zeros(1, 3, 32, 32))
