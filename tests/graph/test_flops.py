from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from rfcheck import analyze


def by_torch(model: nn.Module, shape: tuple[int, ...]) -> int:
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model.to("meta").eval()(torch.empty(shape, device="meta"))
    total = counter.get_total_flops()
    assert total % 2 == 0
    return total // 2


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, x):
        tokens = x.flatten(2).transpose(1, 2)
        return self.attention(tokens, tokens, tokens)[0]


class Constants(nn.Module):
    """A product of weights only costs too."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Parameter(torch.zeros(4, 5)), nn.Parameter(torch.zeros(5, 8))

    def forward(self, x):
        return torch.einsum("nchw,cd->ndhw", x, (self.a @ self.b).t())


@pytest.mark.parametrize(
    ("model", "shape"),
    [
        (nn.Conv2d(8, 6, (3, 5), (2, 1), (1, 0), groups=2), (1, 8, 12, 10)),
        (nn.Conv1d(8, 6, 3), (1, 8, 12)),
        (nn.Conv3d(8, 6, 3), (1, 8, 5, 6, 7)),
        (nn.ConvTranspose2d(8, 6, 3, 2, groups=2), (1, 8, 5, 6)),
        (nn.Sequential(nn.Flatten(), nn.Linear(32, 5, bias=False), nn.Linear(5, 2)), (1, 8, 2, 2)),
        (Attention(), (1, 8, 4, 4)),
        (nn.Sequential(nn.Flatten(2), nn.TransformerEncoderLayer(16, 2, 4, batch_first=True)), (1, 8, 4, 4)),
        (Constants(), (1, 8, 3, 3)),
    ],
    ids=["grouped", "1-D", "3-D", "transposed", "linear", "attention", "encoder", "constants"],
)
def test_equal_to_torchs_counter(model, shape):
    assert analyze(model, shape).flops == by_torch(model, shape) > 0
