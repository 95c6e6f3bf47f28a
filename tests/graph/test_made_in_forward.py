"""Layers that are made in a forward count like others, under the names that the model gives them."""

import torch
from torch import nn

from rfcheck import analyze


class Late(nn.Module):
    """Makes its classifier when it sees the first map."""

    def __init__(self):
        super().__init__()
        self.a, self.fc = nn.Conv2d(3, 8, 3, padding=1), None

    def forward(self, x):
        y = self.a(x).flatten(1)
        if self.fc is None:
            self.fc = nn.Linear(y.shape[1], 10).to(y.device)
        return self.fc(y)


class Anew(nn.Module):
    """Makes a convolution for every image and keeps none."""

    def __init__(self):
        super().__init__()
        self.a = nn.Conv2d(3, 8, 3, padding=1)

    def forward(self, x):
        return nn.Conv2d(8, 4, 3, device=x.device)(self.a(x))


def test_a_layer_that_the_model_keeps():
    model, called = Late(), Late()
    called(torch.zeros(1, 3, 32, 32))
    analysis = analyze(model, 32)
    assert analysis.params == sum(p.numel() for p in called.parameters()) == 82_154
    assert [(x.name, x.kind, x.module_type, x.params) for x in analysis.layers] == [
        ("a", "conv", "Conv2d", 224),
        ("fc", "linear", "Linear", 81_930),
    ]
    assert analysis.flops == 32 * 32 * 9 * 24 + 81_920
    assert model.fc is None
    assert [name for name, _ in model.named_parameters()] == ["a.weight", "a.bias"]


def test_a_layer_that_the_model_keeps_nowhere():
    analysis = analyze(Anew(), 8)
    assert [(x.kind, x.r_max, x.params) for x in analysis.layers] == [("conv", (3, 3), 224), ("conv", (5, 5), 8 * 4 * 9 + 4)]
    assert analysis.params == 224 + 8 * 4 * 9 + 4


def test_a_model_that_makes_nothing_has_its_own_parameters_only():
    assert set(analyze(nn.Sequential(nn.Conv2d(3, 8, 3)), 8).graph.graph["parameters"]) == {"0.weight", "0.bias"}
