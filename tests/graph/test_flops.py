from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from rfcheck import Window, analyze, register_operator
from rfcheck.graph.operators import lookup


@torch.library.custom_op("rfcheck_tests::convolved", mutates_args=())
def convolved(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    return F.conv2d(x, weight, padding=1)


@convolved.register_fake
def _(x, weight):
    return F.conv2d(x, weight, padding=1)


class OwnKernel(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(3, 3, 3, 3))

    def forward(self, x):
        return convolved(x, self.weight)


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


class Inferring(nn.Module):
    """A forward that switches gradients off for good, so that torch takes nothing apart."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        with torch.inference_mode():
            return self.inner(x)


class Composite(nn.Module):
    """Operators that only call others."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(8, 8, 3, padding=1)
        self.up = nn.ConvTranspose2d(8, 8, 2, 2)
        self.norm, self.shape_norm = nn.BatchNorm2d(8), nn.InstanceNorm2d(8)
        self.linear = nn.Linear(8, 6)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.lstm, self.gru, self.rnn = (kind(8, 4, batch_first=True) for kind in (nn.LSTM, nn.GRU, nn.RNN))

    def forward(self, x):
        x = F.max_pool2d(self.up(self.shape_norm(self.norm(self.conv(x)))), 2)
        tokens = x.flatten(2).transpose(1, 2)
        tokens = tokens + F.scaled_dot_product_attention(tokens, tokens, tokens) + self.attention(tokens, tokens, tokens)[0]
        tokens = torch.cat([self.lstm(tokens)[0], self.gru(tokens)[0]], -1)
        tokens = tokens + torch.einsum("nte,nse->nts", tokens, tokens)[..., :8]
        y = self.linear(tokens + F.pad(self.rnn(tokens)[0], (0, 4)))
        return y.matmul(y.mT)


@pytest.mark.parametrize("outside", [False, True], ids=["switched off inside", "switched off outside"])
def test_inference_mode_hides_no_operator(outside):
    shape = (1, 8, 4, 4)
    plain = analyze(Composite(), shape)
    with torch.inference_mode(outside):
        inferred = analyze(Composite() if outside else Inferring(Composite()), shape)
    assert inferred.flops == plain.flops == by_torch(Composite(), shape)
    assert inferred.assumptions == plain.assumptions == ()
    assert [(x.kind, x.r_max, x.flops) for x in inferred.layers] == [(x.kind, x.r_max, x.flops) for x in plain.layers]


def test_bilinear_layers_count():
    """Torch's counter takes their product of three for free: 6 outputs of 4 x 5 pairs, at 9 positions."""

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Bilinear(4, 5, 6)

        def forward(self, x):
            tokens = x.flatten(2).mT
            return self.layer(tokens[..., :4].contiguous(), tokens[..., 3:].contiguous())

    assert analyze(Model(), (1, 8, 3, 3)).flops == 9 * 6 * 4 * 5


def test_a_layer_whose_cost_is_not_known_is_named(monkeypatch):
    monkeypatch.setattr(lookup, "_TABLE", dict(lookup._TABLE))
    register_operator(torch.ops.rfcheck_tests.convolved, Window(3, padding=1, kind="conv"))
    analysis = analyze(OwnKernel(), 8)
    said = "convolved: rfcheck_tests::convolved: how many multiply-accumulates it takes is not known, they count 0"
    assert analysis.assumptions == (said,)
    assert "RF901" in {finding.code for finding in analysis.findings}
    assert (analysis.flops, analysis.layers[0].r_max) == (0, (3, 3))
