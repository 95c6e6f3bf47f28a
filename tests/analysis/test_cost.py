"""Cost against torch's own counter, and against sums by hand."""

import copy
import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from rfcheck import analyze
from rfcheck.analysis.cost import cost_of


class Net(nn.Module):
    """A forward function with the parts that it uses."""

    def __init__(self, function, **parts):
        super().__init__()
        self.function = function
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, x):
        return self.function(self, x)


def tokens(x):
    return x.flatten(2).transpose(1, 2)


def squeeze_excite(m, x):
    x = m.conv(x)
    return x * torch.sigmoid(m.up(F.relu(m.down(x.mean((2, 3), keepdim=True)))))


SHAPE = (1, 4, 8, 8)
SHAPES = {"1-D": (1, 4, 64), "3-D": (1, 4, 5, 6, 7)}
MODELS = {
    "convolution": nn.Conv2d(4, 6, (3, 2), (2, 1), (0, 1), dilation=(1, 2)),
    "1-D": nn.Conv1d(4, 3, 5, stride=2),
    "3-D": nn.Conv3d(4, 3, (2, 3, 1), padding=1),
    "grouped": nn.Sequential(nn.Conv2d(4, 8, 3, groups=2), nn.Conv2d(8, 8, 3, groups=8, bias=False)),
    "transposed": nn.ConvTranspose2d(4, 6, 3, 2, 1, output_padding=1, groups=2),
    "linear per position": nn.Sequential(nn.Flatten(2), nn.Linear(64, 5), nn.Linear(5, 3, bias=False)),
    "classifier": nn.Sequential(
        nn.Conv2d(4, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(16, 3)
    ),
    "shared": nn.Sequential(*[nn.Conv2d(4, 4, 3)] * 2),
    "gate": Net(squeeze_excite, conv=nn.Conv2d(4, 8, 3), down=nn.Conv2d(8, 2, 1), up=nn.Conv2d(2, 8, 1)),
    "product": Net(lambda m, x: tokens(x) @ x.flatten(2)),
    "einsum": Net(lambda m, x: torch.einsum("nchw,ndhw->ncd", x, x)),
    "added product": Net(lambda m, x: torch.baddbmm(x.flatten(2)[..., :4], x.flatten(2), tokens(x))),
    "attention function": Net(lambda m, x: F.scaled_dot_product_attention(tokens(x), tokens(x), tokens(x))),
    "attention": Net(
        lambda m, x: m.attention(tokens(x), tokens(x), tokens(x))[0], attention=nn.MultiheadAttention(4, 2, batch_first=True)
    ),
    "attention without weights": Net(
        lambda m, x: m.attention(tokens(x), tokens(x), tokens(x), need_weights=False)[0],
        attention=nn.MultiheadAttention(4, 2, batch_first=True),
    ),
    "transformer": Net(lambda m, x: m.layer(tokens(x)), layer=nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)),
    "weights only": Net(lambda m, x: F.conv2d(x, (m.a.weight @ m.b.weight)[..., None, None]), a=nn.Linear(5, 3), b=nn.Linear(4, 5)),
    "recurrent": Net(lambda m, x: m.lstm(tokens(x))[0], lstm=nn.LSTM(4, 3, batch_first=True)),
}


def counted_by_torch(model, shape):
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        copy.deepcopy(model).eval().to("meta")(torch.empty(shape, device="meta"))
    twice_the_products = counter.get_total_flops()
    assert twice_the_products > 0
    return twice_the_products / 2


@pytest.mark.parametrize("name", MODELS)
def test_flops_are_half_of_what_torch_counts(name):
    shape = SHAPES.get(name, SHAPE)
    assert analyze(MODELS[name], shape).flops == counted_by_torch(MODELS[name], shape)


@pytest.mark.parametrize("name", MODELS)
def test_cost_does_not_depend_on_the_way_of_tracing(name):
    shape = SHAPES.get(name, SHAPE)
    meta, real = (
        analyze(Net(f, inner=MODELS[name]), shape) for f in (lambda m, x: m.inner(x), lambda m, x: m.inner(x + x.sum().item()))
    )
    assert (meta.traced_with, real.traced_with) == ("meta", "real")
    assert (real.flops, real.params) == (meta.flops, meta.params)
    scalar, added = 4, math.prod(shape) * 4  # what it takes to look at data
    spared = added if name in ("attention without weights", "transformer") else 0  # the kernel writes heads side by side
    if name != "recurrent":  # whose states are results where there is data
        assert real.activation_bytes == meta.activation_bytes + scalar + added - spared


@pytest.mark.parametrize("name", MODELS)
def test_parameters_are_counted_once(name):
    analysis = analyze(MODELS[name], SHAPES.get(name, SHAPE))
    assert analysis.params == sum(p.numel() for p in MODELS[name].parameters())
    never_read = 8 if name == "weights only" else 0  # two biases
    assert cost_of(analysis.graph, analysis.graph).params == analysis.params - never_read


def test_a_shared_module_costs_twice_and_is_stored_once():
    first, second = analyze(MODELS["shared"], SHAPE).layers
    assert (first.params, second.params) == (148, 148)
    assert (first.flops, second.flops) == (4 * 4 * 9 * 6**2, 4 * 4 * 9 * 4**2)


def test_parameters_that_are_never_used_count():
    model = Net(lambda m, x: m.used(x), used=nn.Conv2d(4, 2, 1), unused=nn.Linear(7, 1))
    analysis = analyze(model, SHAPE)
    assert (analysis.params, analysis.layers[0].params) == (18, 10)


def test_flops_by_module_and_by_operator():
    inner = nn.Sequential(nn.Conv2d(4, 2, 1), nn.Conv2d(2, 2, 3))
    analysis = analyze(nn.Sequential(inner, nn.Flatten(), nn.Linear(72, 5)), SHAPE)
    pointwise, spatial, linear = 4 * 2 * 64, 2 * 2 * 9 * 36, 72 * 5
    by_module = {"": pointwise + spatial + linear, "0": pointwise + spatial, "0.1": spatial, "0.0": pointwise, "2": linear}
    assert list(analysis.flops_by_module().items()) == list(by_module.items())
    assert analysis.flops_by_operator() == {"aten::convolution": pointwise + spatial, "aten::addmm": linear}


@pytest.mark.parametrize("real", [False, True], ids=["meta", "real"])
@pytest.mark.parametrize(("dtype", "size"), [(torch.float32, 4), (torch.float64, 8)], ids=str)
def test_bytes_of_activations(dtype, size, real):
    body = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(inplace=True), nn.Dropout(), nn.MaxPool2d(2), nn.Flatten())
    net = nn.Sequential(body, nn.Linear(8, 3)).to(dtype)
    read = {False: lambda m, x: m.net(x), True: lambda m, x: m.net(x) if x.max().item() < 1 else x}[real]
    convolved, normalized, pooled, scores = 2 * 4 * 4, 2 * 4 * 4, 2 * 2 * 2, 3
    largest = real  # the number by which it is chosen
    expected = (convolved + normalized + pooled + scores + largest) * size
    assert analyze(Net(read, net=net), (1, 6, 6)).activation_bytes == expected


def test_joins_allocate_and_views_do_not():
    model = Net(lambda m, x: torch.cat([x, x + x], 1).transpose(2, 3)[:, ::2].add_(1))
    assert analyze(model, (1, 4, 4)).activation_bytes == (16 + 32) * 4


class Pyramid(nn.Module):
    """One head for two levels; the coarse one sees everything at 16 px."""

    def __init__(self, levels=2):
        super().__init__()
        self.stem, self.down = nn.Conv2d(3, 4, 3, 2, 1), nn.ModuleList(nn.Conv2d(4, 4, 9, 4, 4) for _ in range(levels - 1))
        self.head = nn.Sequential(*(part for _ in range(4) for part in (nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4))))

    def forward(self, x):
        levels = [self.stem(x)]
        for down in self.down:
            levels.append(down(levels[-1]))
        return [self.head(level) for level in levels]


def test_weights_that_the_rest_uses_too_are_not_what_the_tail_holds():
    analysis = analyze(Pyramid(), 16)
    assert [layer.name for layer in analysis.tail] == [f"head.{i}:2" for i in (0, 2, 4, 6)]
    assert analysis.network.tail_cost.params == 0
    assert analysis.network.tail_cost.flops == 4 * 4 * 4 * 9 * 2 * 2
    (finding,) = (f for f in analysis.findings if f.code == "RF101")
    assert "they hold 0.0% of the parameters" in finding.message


def test_nor_what_an_unproductive_layer_outside_the_tail_holds():
    class Fused(Pyramid):
        def __init__(self):
            super().__init__()
            self.fuse = nn.Conv2d(4, 4, 3)

        def forward(self, x):
            fine, coarse = super().forward(x)
            return self.fuse(fine + F.interpolate(coarse, fine.shape[2:]))

    found = [f for f in analyze(Fused(), 24).findings if f.code == "RF102"]
    assert [f.layer for f in found] == [f"head.{i}:2" for i in (2, 4, 6)]  # 35 px behind the first
    assert all("it holds 0.0% of the parameters" in f.message for f in found)


def test_a_head_called_by_coarse_levels_only_belongs_to_the_tail():
    class Coarse(Pyramid):
        def forward(self, x):
            first = self.down[0](self.stem(x))
            return [self.stem(x), self.head(first), self.head(first)]

    analysis = analyze(Coarse(), 16)
    assert len(analysis.tail) == 8
    assert analysis.network.tail_cost.params == sum(p.numel() for p in analysis.model.head.parameters())
