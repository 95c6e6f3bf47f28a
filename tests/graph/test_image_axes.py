"""Which dimensions of an input hold image axes: those given, those behind the channels, or those that the model shows."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from rfcheck.graph.image_axes import gathered_along
from rfcheck.graph.trace import trace


class LastFirst(nn.Module):
    """Takes the channels from the last dimension."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(3, 4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.convolution(x.movedim(-1, 1))


@pytest.mark.parametrize(
    ("model", "shape", "given", "held", "layer"),
    [
        (nn.Conv2d(3, 4, 3), (1, 3, 8, 9), None, (2, 3), None),
        (nn.Conv2d(3, 4, 3), (1, 3, 8, 9), (3, 2), (3, 2), None),
        (LastFirst(), (1, 8, 9, 3), None, (1, 2), None),
        (LastFirst(), (1, 8, 9, 3), (2, 3), (2, 3), None),
        (nn.Sequential(nn.Linear(7, 5), nn.LSTM(5, 6, batch_first=True)), (1, 20, 7), None, (1,), "linear"),
        (nn.ReLU(), (1, 3, 8), None, (2,), None),
    ],
)
def test_dimensions_that_hold_image_axes(model, shape, given, held, layer):
    gathering, calls, channels_by = gathered_along(trace(model, shape), given)
    assert gathering.held == held
    assert gathering.axes == len(held)
    assert len(calls) == len({id(record) for record in gathering.makers.values()})
    assert channels_by == layer
