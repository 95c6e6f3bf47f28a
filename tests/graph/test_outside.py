"""Layers that the image does not reach: tables of positions, learned queries; not products of weights."""

import torch
import torch.nn.functional as F
from torch import nn

from rfcheck import analyze


class Biased(nn.Module):
    """A map with a bias that two layers make from positions."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.table = nn.Sequential(nn.Linear(1, 16), nn.ReLU(), nn.Linear(16, 8))

    def forward(self, x):
        bias = self.table(torch.linspace(0, 1, 8, device=x.device)[:, None])
        return self.conv(x) + bias.mT[None, :, :, None]


class LowRank(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Parameter(torch.zeros(8, 2)), nn.Parameter(torch.zeros(2, 3))

    def forward(self, x):
        return F.conv2d(x, (self.a @ self.b)[:, :, None, None])


def found(model, size=8):
    return [f for f in analyze(model, size).findings if f.code == "RF903"]


def test_layers_over_positions_are_said_to_be_constant():
    (finding,) = found(Biased())
    assert (finding.severity, finding.layer) == ("info", "table.0")
    total = analyze(Biased(), 8)
    share = (8 * 16 + 8 * 16 * 8) / total.flops
    held = (32 + 136) / total.params
    assert finding.message == (
        "2 layer calls read nothing that depends on the image, first table.0: what they compute is the same for every image, and no "
        f"receptive field is judged; they hold {held:.1%} of the parameters and {share:.1%} of the FLOPs"
    )


def test_a_layer_that_lost_the_image():
    class Lost(nn.Sequential):
        def forward(self, x):
            return self[1](torch.zeros_like(self[0](x)))

    (finding,) = found(Lost(nn.Conv2d(3, 8, 3), nn.Conv2d(8, 8, 3)))
    assert finding.layer == "1"
    assert finding.message.startswith(
        "1 layer call reads nothing that depends on the image, 1: what it computes is the same for every image, and no receptive "
        "field is judged; it holds 72.3% "
    )


def test_learned_queries():
    class Queries(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.attention = nn.Conv2d(3, 8, 3), nn.MultiheadAttention(8, 2, batch_first=True)
            self.project, self.queries = nn.Linear(8, 8), nn.Parameter(torch.zeros(1, 4, 8))

        def forward(self, x):
            tokens = self.conv(x).flatten(2).mT
            return self.attention(self.project(self.queries), tokens, tokens)[0]

    assert [f.layer for f in found(Queries())] == ["project"]


def test_products_of_weights_are_no_layers():
    assert found(nn.Sequential(LowRank(), nn.Conv2d(8, 8, 3))) == []
