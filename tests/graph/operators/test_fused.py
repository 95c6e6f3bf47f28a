"""Operators that do a whole layer's work, held against the support of the input gradient."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from rfcheck import analyze


class Tokens(nn.Module):
    """A function of the tokens of a map between two convolutions."""

    def __init__(self, function, *parts, reads_data=False):
        super().__init__()
        self.first, self.second = nn.Conv2d(2, 8, 3, padding=1), nn.Conv2d(8, 2, 3, padding=1)
        self.function, self.reads_data, self.parts = function, reads_data, nn.ModuleList(parts)

    def forward(self, x):
        y = self.first(x)
        if self.reads_data:
            y = y + 0 * y.sum().item()
        tokens = self.function(y.flatten(2).mT, *self.parts)
        return self.second(tokens.mT.reshape(y.shape))


def heads(x):
    return x.unflatten(2, (2, 4)).transpose(1, 2)


ATTENTION = {
    "function": (lambda x: F.scaled_dot_product_attention(heads(x), heads(x), heads(x)).transpose(1, 2).flatten(2), ()),
    "causal": (lambda x: F.scaled_dot_product_attention(x, x, x, is_causal=True), ()),
    "module": (lambda x, m: m(x, x, x, need_weights=False)[0], (nn.MultiheadAttention(8, 2, batch_first=True),)),
    "with weights": (lambda x, m: m(x, x, x)[0], (nn.MultiheadAttention(8, 2, batch_first=True),)),
    "encoder": (lambda x, m: m(x), (nn.TransformerEncoderLayer(8, 2, 16, batch_first=True),)),
    "decoder": (lambda x, m: m(x, x), (nn.TransformerDecoderLayer(8, 2, 16, batch_first=True),)),
}


@pytest.mark.parametrize("name", ATTENTION)
def test_attention_is_counted_alike_with_and_without_data(name):
    function, parts = ATTENTION[name]
    meta, real = (analyze(Tokens(function, *parts, reads_data=reads), (2, 6, 5)) for reads in (False, True))
    assert (meta.traced_with, real.traced_with) == ("meta", "real")
    assert meta.flops == real.flops
    assert meta.layer("second").r_max == real.layer("second").r_max == (math.inf, math.inf)
    assert meta.assumptions == real.assumptions == ()


def test_a_scripted_encoder_layer_arrives_in_one_operator():
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    plain = analyze(Tokens(lambda x, m: m(x), layer), (2, 6, 5))
    scripted = analyze(Tokens(lambda x, m: m(x), torch.jit.script(layer)), (2, 6, 5))
    assert scripted.flops == plain.flops
    assert scripted.assumptions == ()
    assert scripted.layer("second").r_max == (math.inf, math.inf)
