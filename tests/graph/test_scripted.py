"""TorchScript modules are analysed in eval mode, and given back in their own."""

import pytest
import torch
from torch import nn

from rfcheck import analyze
from rfcheck.errors import TraceError
from rfcheck.graph.scripted import eval_modes, is_scripted, modes_of, put_back_modes

pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit:FutureWarning", "ignore:`torch.jit:DeprecationWarning")


class Skipped(nn.Module):
    """A residual layer that training skips."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(8, 8, 3, padding=1)

    def forward(self, x):
        if self.training:
            return x
        return x + 0.5 * self.conv(x)


class Pooled(nn.Module):
    """Normalisation that refuses a single value in training."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 8, 3), nn.BatchNorm1d(8)

    def forward(self, x):
        return self.norm(self.conv(x).mean((2, 3)))


def modes(model):
    return [module._c.getattr("training") for module in model.modules() if module._c.hasattr("training")]


def test_layers_that_training_skips():
    model = torch.jit.script(nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), *(Skipped() for _ in range(8))))
    dict(model.named_modules())["1.conv"].eval()
    before = modes(model)
    analysis = analyze(model, 32)
    assert ([x.kind for x in analysis.layers], analysis.flops) == (["conv"] * 9, 32 * 32 * 9 * 8 * (3 + 8 * 8))
    assert modes(model) == before
    assert {True, False} == set(before)


def test_what_training_refuses():
    model = torch.jit.script(Pooled())
    analysis = analyze(model, 32)
    assert [x.kind for x in analysis.layers] == ["conv", "pool"]
    assert torch.equal(model.norm.num_batches_tracked, torch.tensor(0))
    assert torch.equal(model.norm.running_mean, torch.zeros(8))


def test_a_scripted_part_of_a_model_in_training():
    model = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), torch.jit.script(Skipped()))
    assert [x.r_max for x in analyze(model, 32).layers] == [(3, 3), (5, 5)]
    assert modes(model[1]) == [True, True]
    assert model.training


def test_what_has_no_mode():
    frozen = torch.jit.freeze(torch.jit.script(nn.Sequential(nn.Conv2d(3, 8, 3))).eval())
    assert [x.kind for x in analyze(frozen, 32).layers] == ["conv"]
    traced = torch.jit.trace(nn.Conv2d(3, 8, 3), torch.zeros(1, 3, 9, 9))
    assert [x.kind for x in analyze(traced, 32).layers] == ["conv"]


def test_modes_and_weights_come_back_after_a_failure():
    model = torch.jit.script(nn.Sequential(nn.Conv2d(3, 4, 7), nn.ReLU()))
    weights = [p.clone() for p in model.parameters()]
    with pytest.raises(TraceError):
        analyze(model, 4)
    assert modes(model) == [True, True, True]
    assert all(map(torch.equal, weights, model.parameters()))
    before = modes_of(model.modules())
    eval_modes(before)
    assert modes(model) == [False, False, False]
    put_back_modes(before)
    assert modes(model) == [True, True, True]


def test_plain_modules_are_not_scripted():
    assert not is_scripted(nn.Sequential(nn.ReLU()).modules())
    assert is_scripted(nn.Sequential(torch.jit.script(nn.ReLU())).modules())


class _Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(8, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1)

    def forward(self, x):
        return x + self.second(torch.relu(self.first(x)))


class _AroundScript(nn.Module):
    def __init__(self, block):
        super().__init__()
        self.stem, self.block = nn.Conv2d(3, 8, 3, padding=1), block

    def forward(self, x):
        return self.block(self.block(self.stem(x)))


def test_layers_in_torchscript_have_the_names_of_their_modules():
    """As the same model has them where nothing is scripted, with the same fields."""
    plain = analyze(_AroundScript(_Block()), 16)
    scripted = analyze(_AroundScript(torch.jit.script(_Block())), 16)
    traced = analyze(_AroundScript(torch.jit.trace(_Block(), torch.zeros(1, 8, 16, 16))), 16)
    whole = analyze(torch.jit.script(_AroundScript(_Block())), 16)
    fields = [(layer.name, layer.module_type, layer.r_max, layer.flops, layer.params) for layer in plain.layers]
    assert [name for name, *_ in fields] == ["stem", "block.first", "block.second", "block.first:2", "block.second:2"]
    for analysis in (scripted, traced, whole):
        assert [(x.name, x.module_type, x.r_max, x.flops, x.params) for x in analysis.layers] == fields
