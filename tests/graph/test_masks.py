"""Which weights of products make a gate, and which a mask: networks as papers have them."""

from __future__ import annotations

import copy
from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from rfcheck import analyze, apply_fix
from rfcheck.fixes.outcome import outcome_of_network


class Net(nn.Module):
    """A forward function with the parts that it uses."""

    def __init__(self, function, **parts: nn.Module) -> None:
        super().__init__()
        self.function = function
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, x):
        return self.function(self, x)


def conv(a: int, b: int, k: int, s: int = 1, d: int = 1) -> nn.Conv2d:
    return nn.Conv2d(a, b, k, s, d * (k // 2), dilation=d)


def layers(*widths: int, k: int = 3) -> nn.Sequential:
    return nn.Sequential(*(part for a, b in pairwise(widths) for part in (conv(a, b, k), nn.ReLU())))


BODY = {"a": layers(3, 32, 32), "b": layers(32, 32), "fc": nn.Linear(32, 5)}


def classified(m, x):
    return m.fc(m.b(x).mean((2, 3)))


def squeeze_excite(m, x):
    x = m.a(x)
    return classified(m, x * m.gate(x.mean((2, 3), keepdim=True)).sigmoid())


def spatial_attention(m, x):
    x = m.a(x)
    return classified(m, x * m.gate(torch.cat([x.mean(1, keepdim=True), x.amax(1, keepdim=True)], 1)).sigmoid())


def bottleneck_attention(m, x):
    x = m.a(x)
    weights = m.gate(x) + m.channels(x.mean((2, 3), keepdim=True))
    return classified(m, x + x * weights.sigmoid())


def coordinate_attention(m, x):
    x = m.a(x)
    h, w = x.shape[2:]
    both = torch.cat([x.mean(3, keepdim=True), x.mean(2, keepdim=True).transpose(2, 3)], 2)
    rows, columns = m.gate(both).split([h, w], 2)
    return classified(m, x * m.rows(rows).sigmoid() * m.columns(columns.transpose(2, 3)).sigmoid())


def selective_kernels(m, x):
    x = m.a(x)
    branches = torch.stack([m.one(x), m.two(x)], 1)
    weights = m.gate(branches.sum(1).mean((2, 3), keepdim=True)).view(1, 2, 32, 1, 1).softmax(1)
    return classified(m, (branches * weights).sum(1))


def gated_convolution(m, x):
    return classified(m, m.one(m.a(x)) * m.gate(m.a(x)).sigmoid())


def gated_linear_unit(m, x):
    values, gate = m.one(m.a(x)).chunk(2, 1)
    return classified(m, values * gate.sigmoid())


def attention_gate(m, x):
    """As in the decoder of an attention U-Net: a coarse map says where the fine one matters."""
    fine = m.a(x)
    coarse = m.b(F.max_pool2d(fine, 2))
    signal = F.interpolate(m.signal(coarse), fine.shape[2:])
    fine = fine * m.gate(F.relu(m.query(fine) + signal)).sigmoid()
    return classified(m, torch.cat([fine, F.interpolate(coarse, fine.shape[2:])], 1)[:, :32])


def dilated_attention(c: int, r: int) -> nn.Sequential:
    return nn.Sequential(conv(c, c // r, 1), conv(c // r, c // r, 3, d=4), conv(c // r, c // r, 3, d=4), conv(c // r, 1, 1))


GATES = {
    "squeeze and excitation": Net(squeeze_excite, **BODY, gate=layers(32, 8, 32, k=1)),
    "spatial attention": Net(spatial_attention, **BODY, gate=conv(2, 1, 7)),
    "bottleneck attention": Net(bottleneck_attention, **BODY, gate=dilated_attention(32, 8), channels=layers(32, 8, 32, k=1)),
    "coordinate attention": Net(coordinate_attention, **BODY, gate=layers(32, 8, k=1), rows=conv(8, 32, 1), columns=conv(8, 32, 1)),
    "selective kernels": Net(selective_kernels, **BODY, one=conv(32, 32, 3), two=conv(32, 32, 5), gate=layers(32, 8, 64, k=1)),
    "gated convolution": Net(gated_convolution, **BODY, one=conv(32, 32, 3), gate=conv(32, 32, 3)),
    "gated linear unit": Net(gated_linear_unit, **BODY, one=conv(32, 64, 3)),
    "attention gate": Net(attention_gate, **BODY, signal=conv(32, 8, 1), query=conv(32, 8, 1), gate=conv(8, 1, 1)),
}


def gates(model: nn.Module, size: object = 16) -> list[str]:
    return [name for name, role in analyze(model, size).network.roles.items() if role == "gate"]


@pytest.mark.parametrize("name", GATES)
def test_a_small_branch_beside_features_is_a_gate(name):
    names = {layer.name for layer in analyze(GATES[name], 16).layers if layer.name.startswith(("gate", "rows", "query"))}
    assert names <= set(gates(GATES[name]))
    assert names or name == "gated linear unit"
    assert analyze(GATES[name], 16).layer("b.0").role == "features"


def test_a_small_branch_is_a_gate_in_a_small_model_too():
    model = Net(spatial_attention, a=layers(3, 8), b=layers(8, 8), fc=nn.Linear(8, 2), gate=conv(2, 1, 7))
    assert "gate" in gates(model)


def dilated(c: int, count: int) -> nn.Sequential:
    return nn.Sequential(*(nn.Conv1d(c, c, 3, padding=2**i, dilation=2**i) for i in range(count)))


def one_mask(m, x):
    x = m.encoder(x)
    return m.decoder(x * m.mask(x).sigmoid())


def several_masks(m, x):
    """Every speaker has a mask for the same encoded mixture."""
    x = m.encoder(x)
    masks = m.out(m.mask(x)).view(1, 2, 16, -1).sigmoid()
    return m.decoder((x.unsqueeze(1) * masks).flatten(0, 1))


def a_head_for_each_mask(m, x):
    x = m.encoder(x)
    shared = m.mask(x)
    return m.decoder(x * m.one(shared).sigmoid()), m.decoder(x * m.two(shared).sigmoid())


def a_network_for_each_mask(m, x):
    return [x * mask(x).sigmoid() for mask in m.masks]


def masks_that_compete(m, x):
    x = m.encoder(x)
    masks = m.out(m.mask(x)).view(1, 2, 16, -1).softmax(1)
    return m.decoder((x.unsqueeze(1) * masks).flatten(0, 1))


CODEC = {"encoder": nn.Conv1d(1, 16, 16, 8, bias=False), "decoder": nn.ConvTranspose1d(16, 1, 16, 8, bias=False)}
MASKS = {
    "one mask": Net(one_mask, **CODEC, mask=dilated(16, 6)),
    "a mask for each speaker": Net(several_masks, **CODEC, mask=dilated(16, 6), out=nn.Conv1d(16, 32, 1)),
    "a head for each mask": Net(
        a_head_for_each_mask, **CODEC, mask=dilated(16, 4), one=nn.Conv1d(16, 16, 1), two=nn.Conv1d(16, 16, 1)
    ),
    "a network for each mask": Net(a_network_for_each_mask, masks=nn.ModuleList(dilated(1, 4) for _ in range(4))),
    "masks that compete": Net(masks_that_compete, **CODEC, mask=dilated(16, 6), out=nn.Conv1d(16, 32, 1)),
}


@pytest.mark.parametrize("name", MASKS)
def test_a_branch_that_is_the_network_is_judged(name):
    analysis = analyze(MASKS[name], (1, 512))
    assert not [layer.name for layer in analysis.layers if layer.role == "gate"]
    assert all(layer.judged for layer in analysis.layers if layer.name.startswith("mask"))


def reached(model: nn.Module, length: int) -> int:
    """Samples that the middle one of what comes out depends on."""
    wave = torch.rand(1, 1, length, dtype=torch.float64, requires_grad=True)
    out = copy.deepcopy(model).double()(wave)
    (gradient,) = torch.autograd.grad(out[0, 0, length // 2], wave)
    seen = gradient[0, 0].nonzero()
    return int(seen[-1] - seen[0] + 1)


def test_what_a_mask_reads_is_read():
    model = Net(one_mask, **CODEC, mask=dilated(16, 3))
    analysis = analyze(model, (1, 1024))
    assert analysis.layer("decoder").r_max == (reached(model, 1024),)


def test_gates_within_a_mask_network_stay_gates():
    class Gated(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b, self.gate = nn.Conv1d(16, 16, 3, padding=1), nn.Conv1d(16, 16, 3, padding=1), nn.Conv1d(16, 16, 1)

        def forward(self, x):
            x = self.a(x)
            return self.b(x * self.gate(x).sigmoid())

    model = Net(one_mask, **CODEC, mask=nn.Sequential(*(Gated() for _ in range(4))))
    found = [layer.name for layer in analyze(model, (1, 512)).layers if layer.role == "gate"]
    assert found == [f"mask.{i}.gate" for i in range(4)]


def test_a_cut_that_leaves_mostly_mask_is_predicted_as_it_is_analysed():
    """In the whole model the branch is a gate; in what a cut leaves it is most of the network, and its layers are judged."""

    def masked(m, x):
        x = x * m.mask(x).sigmoid()
        return m.fc(m.rest(x).mean((2, 3)))

    model = Net(masked, mask=layers(3, 16, 16, 3), rest=layers(3, *[32] * 16, k=5), fc=nn.Linear(32, 4))
    analysis = analyze(model, 8)
    assert any(name.startswith("mask") for name in gates(model, 8))
    for fix in analysis.fixes:
        changed = analyze(apply_fix(model, fix, 8), 8)
        assert outcome_of_network(changed.network).productive_layers == fix.predicted.after.productive_layers
    assert analysis.fixes
