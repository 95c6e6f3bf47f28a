"""Tracing: names, data flow, ways of tracing, errors, and that a model is given back as it was."""

from __future__ import annotations

import gc
import json
import random
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import networkx as nx
import numpy as np
import pytest
import torch
import torch.nn.functional as F
import torchvision
from torch import nn
from torch.nn.modules import module as torch_modules
from torch.nn.utils import parametrizations

from rfcheck import TraceError, analyze

SIZE = (3, 16, 16)


class Net(nn.Module):
    """A forward function with the parts that it uses."""

    def __init__(self, function: Callable[[Any, torch.Tensor], Any], **parts: Any) -> None:
        super().__init__()
        self.function = function
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, x):
        return self.function(self, x)


def conv(inputs: int = 3, outputs: int = 4, kernel: int = 3, **options: Any) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, kernel, **options)


def fields(model: nn.Module, size: Any = SIZE) -> dict[str, tuple[Any, Any]]:
    """Receptive fields by layer."""
    return {layer.name: (layer.r_min, layer.r_max) for layer in analyze(model, size).layers}


@pytest.fixture(scope="module")
def resnet():
    return analyze(torchvision.models.resnet18(), 64)


def test_layers_have_the_names_of_their_modules(resnet):
    names = [layer.name for layer in resnet.layers]
    assert names[:3] == ["conv1", "maxpool", "layer1.0.conv1"]
    assert names[-4:] == ["layer4.1.conv1", "layer4.1.conv2", "avgpool", "fc"]


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        pytest.param(Net(lambda m, x: m.a(m.a(x)), a=conv(3, 3)), ["a", "a:2"], id="called twice"),
        pytest.param(nn.Sequential(*[conv(3, 3)] * 2, conv()), ["0", "0:2", "2"], id="listed twice"),
        pytest.param(Net(lambda m, x: F.max_pool2d(m.a(x), 2), a=conv()), ["a", "max_pool2d"], id="function"),
        pytest.param(
            nn.Sequential(Net(lambda m, x: F.max_pool2d(m.a(x), 2), a=conv())), ["0.a", "0/max_pool2d"], id="function in a module"
        ),
        pytest.param(nn.Sequential(conv(), parametrizations.weight_norm(conv(4))), ["0", "1"], id="parametrized"),
        pytest.param(nn.Sequential(nn.Flatten(), nn.Linear(768, 2)), ["1"], id="linear"),
    ],
)
def test_names(model, expected):
    assert list(fields(model)) == expected


def test_the_graph_is_acyclic_plain_and_in_execution_order(resnet):
    graph = resnet.graph
    assert nx.is_directed_acyclic_graph(graph)
    assert [node for node, count in graph.in_degree if count == 0] == ["input"]
    place = {node: i for i, node in enumerate(graph)}
    assert all(place[one] < place[two] for one, two in graph.edges)
    assert {node for node, count in graph.out_degree if count == 0} == set(graph.graph["outputs"]) == {"fc"}
    loaded = nx.node_link_graph(json.loads(json.dumps(nx.node_link_data(graph, edges="edges"))), edges="edges")
    assert list(loaded) == list(graph)
    assert set(loaded.edges) == set(graph.edges)


def written(m, x):
    y = x.new_zeros(1, 4, 14, 14)
    y[:, :2] = m.a(x)[:, :2]
    y[:, 2:, 1:-1, 1:-1].copy_(m.b(x)[:, 2:])
    return m.c(y)


def overwritten(m, x):
    y = m.b(x)
    y.view(1, -1).zero_()
    return m.c(y + m.a(x)[..., 1:-1, 1:-1])


def viewed(m, x):
    y = m.a(x)
    part = y[:, :1]
    y.add_(F.pad(m.b(x), (1, 1, 1, 1))).relu_()
    return m.c(part.expand(-1, 4, -1, -1))


@pytest.mark.parametrize(
    ("with_writes", "without"),
    [
        pytest.param(written, lambda m, x: m.c(torch.cat([m.a(x)[:, :2], F.pad(m.b(x), (1, 1, 1, 1))[:, 2:]], 1)), id="slices"),
        pytest.param(overwritten, lambda m, x: m.c(m.a(x)[..., 1:-1, 1:-1]), id="overwritten"),
        pytest.param(viewed, lambda m, x: m.c(m.a(x) + F.pad(m.b(x), (1, 1, 1, 1))), id="read through an older view"),
    ],
)
def test_writes_keep_the_data_flow(with_writes, without):
    parts = {"a": conv(), "b": conv(kernel=5), "c": conv(4)}
    assert fields(Net(with_writes, **parts))["c"] == fields(Net(without, **parts))["c"]


def scaled(m, x):
    return m.a(x * m.scale)


@pytest.mark.parametrize(
    ("forward", "twin", "traced_with"),
    [
        pytest.param(scaled, scaled, "fake", id="tensor that is no buffer"),
        pytest.param(lambda m, x: m.a(x) * x.sum().item(), lambda m, x: m.a(x), "real", id="number from the data"),
        pytest.param(lambda m, x: m.a(x) if x.max() < 1 else x, lambda m, x: m.a(x), "real", id="choice by the data"),
        pytest.param(lambda m, x: m.a(x[:, : 3 + x.nonzero().shape[0]]), lambda m, x: m.a(x), "real", id="shape from the data"),
    ],
)
def test_where_meta_tensors_cannot_go(forward, twin, traced_with):
    model, on_meta = Net(forward, a=conv(), scale=torch.ones(3, 1, 1)), Net(twin, a=conv())
    on_meta.register_buffer("scale", torch.ones(3, 1, 1))
    analysis, expected = analyze(model, SIZE), analyze(on_meta, SIZE)
    assert (analysis.traced_with, expected.traced_with) == (traced_with, "meta")
    assert analysis.layer("a") == expected.layer("a")
    assert analysis.flops == expected.flops


@pytest.mark.parametrize(
    "count",
    [
        pytest.param(lambda: torch.ones(()).mul_(3), id="in place"),
        pytest.param(lambda: torch.linspace(1, 9, 5).sqrt()[-1], id="elementwise"),
        pytest.param(lambda: torch.cat([torch.ones(2), torch.full((1,), 3.0)]).max(), id="concatenated"),
        pytest.param(lambda: torch.ones(1, 3) @ torch.ones(3, 1), id="product"),
    ],
)
def test_what_a_forward_computes_from_constants_is_computed(count):
    def forward(m, x):
        for _ in range(round(float(count()))):
            x = m.a(x)
        return x

    assert list(fields(Net(forward, a=conv(3, 3)))) == ["a", "a:2", "a:3"]


def convs(second: nn.Module) -> nn.Module:
    return nn.Sequential(conv(), second)


def on_tokens(layer: nn.Module, call: Callable[[nn.Module, torch.Tensor], torch.Tensor]) -> nn.Module:
    return Net(lambda m, x: m.last(call(m.layer, m.a(x).flatten(2).transpose(1, 2))), a=conv(), layer=layer, last=nn.Linear(4, 2))


INF = (float("inf"),) * 2
OPTIONS = {"dim_feedforward": 8, "batch_first": True}
KINDS = [
    pytest.param(lambda: convs(conv(4)).to("meta"), (5, 5), "meta", id="on meta"),
    pytest.param(lambda: convs(conv(4)).half(), (5, 5), "meta", id="half precision"),
    pytest.param(lambda: convs(conv(4)).double(), (5, 5), "meta", id="double precision"),
    pytest.param(lambda: torch.compile(convs(conv(4))), (5, 5), "meta", id="compiled"),
    pytest.param(lambda: convs(nn.utils.weight_norm(conv(4))), (5, 5), "meta", id="old weight norm"),
    pytest.param(lambda: convs(nn.utils.spectral_norm(conv(4))), (5, 5), "meta", id="old spectral norm"),
    pytest.param(lambda: convs(parametrizations.weight_norm(conv(4))), (5, 5), "meta", id="weight norm"),
    pytest.param(lambda: convs(parametrizations.spectral_norm(conv(4))), (5, 5), "meta", id="spectral norm"),
    pytest.param(lambda: convs(parametrizations.orthogonal(conv(4))), (5, 5), "meta", id="orthogonal"),
    pytest.param(lambda: nn.DataParallel(convs(conv(4))), (5, 5), "meta", id="data parallel"),
    pytest.param(lambda: torch.fx.symbolic_trace(convs(conv(4))), (5, 5), "meta", id="fx"),
    pytest.param(lambda: torch.jit.script(convs(conv(4))), (5, 5), "real", id="script"),
    pytest.param(lambda: torch.jit.trace(convs(conv(4)), torch.zeros(1, *SIZE)), (5, 5), "real", id="traced script"),
    pytest.param(lambda: convs(torch.jit.script(conv(4))), (5, 5), "real", id="script inside"),
    pytest.param(
        lambda: on_tokens(nn.MultiheadAttention(4, 2, batch_first=True), lambda m, x: m(x, x, x)[0]), INF, "meta", id="attention"
    ),
    pytest.param(lambda: on_tokens(nn.TransformerEncoderLayer(4, 2, **OPTIONS), lambda m, x: m(x)), INF, "meta", id="transformer"),
]


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize(("build", "r_max", "traced_with"), KINDS)
def test_kinds_of_models(build, r_max, traced_with):
    model = build()
    analysis = analyze(model, SIZE)
    assert analysis.traced_with == traced_with
    assert analysis.layers[-1].r_max == r_max
    assert analysis.assumptions == ()
    assert analysis.params == sum(p.numel() for p in model.parameters())
    assert analysis.flops >= 3 * 4 * 9 * 14**2 + analysis.layers[-1].in_channels * analysis.layers[-1].out_channels


def test_a_recurrent_layer_reads_the_whole_sequence():
    def forward(m, x):
        return m.last(m.lstm(m.a(x).mean(2).transpose(1, 2))[0])

    model = Net(forward, a=conv(), lstm=nn.LSTM(4, 4, batch_first=True, bidirectional=True), last=nn.Linear(8, 2))
    assert all(r >= 8 for r in analyze(model, (3, 8, 8)).layer("last").r_max)


def strong_ones(m: Any, x: torch.Tensor) -> torch.Tensor:
    return x[x.amax((1, 2, 3)) > 1e9]


@pytest.mark.parametrize(("head", "r_max"), [(nn.Conv2d(4, 4, 3), 7), (nn.MaxPool2d(2), 8)])
@pytest.mark.parametrize(
    ("select", "is_everywhere", "traced_with"), [(lambda m, x: x[:0], False, "meta"), (strong_ones, True, "real")]
)
def test_a_forward_that_selects_nothing_still_has_receptive_fields(select, is_everywhere, traced_with, head, r_max):
    """The heads of a detector that finds no box run on an empty batch; which boxes there are depends on the whole image."""
    model = Net(lambda m, x: m.last(m.head(select(m, m.a(x)))), a=conv(), head=head, last=conv(4))
    assert model(torch.zeros(1, *SIZE)).shape[0] == 0
    analysis = analyze(model, SIZE)
    assert analysis.traced_with == traced_with
    assert analysis.layers[-1].r_max == (INF if is_everywhere else (r_max, r_max))


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


def contents(value: Any, path: str = "model") -> dict[str, tuple[Any, Any]]:
    """Every object in a model by its path, with what it holds."""
    parts: dict[Any, Any] = {}
    held: Any
    if isinstance(value, torch.Tensor):
        held = (value.detach().numpy().tobytes(), value.shape, value.dtype, value.requires_grad)
        parts = {"grad": value.grad} if value.is_leaf and value.grad is not None else {}
    elif isinstance(value, (dict, nn.Module)):
        parts = value.__dict__ if isinstance(value, nn.Module) else value
        held = list(parts)
    elif isinstance(value, (list, tuple)):
        parts, held = dict(enumerate(value)), len(value)
    else:
        held = repr(value)
    return {path: (value, held)} | {p: v for key, part in parts.items() for p, v in contents(part, f"{path}.{key}").items()}


def changes(before: dict[str, tuple[Any, Any]], after: dict[str, tuple[Any, Any]]) -> list[str]:
    """Paths of what is new, gone, another object, or holds something else."""
    kept = [p for p in before if p in after and before[p][0] is after[p][0] and before[p][1] == after[p][1]]
    return sorted({*before, *after} - {*kept})


def random_states() -> list[Any]:
    return [
        torch.get_rng_state().tolist(),
        [part.tolist() if isinstance(part, np.ndarray) else part for part in np.random.get_state()],
        random.getstate(),
    ]


class Restless(nn.Module):
    """Does something to itself in every forward pass."""

    def __init__(self, habit: Callable[[Any], Any], *, real: bool, least: int) -> None:
        super().__init__()
        self.habit, self.real = habit, real
        self.count, self.log, self.nested = 0, [], {"deep": [[1]]}
        self.plain, self.listed, self.cache = torch.zeros(2), [torch.zeros(2)], {"k": torch.zeros(2, dtype=torch.int64)}
        self.body = nn.Sequential(conv(), nn.BatchNorm2d(4), nn.Dropout(0.5))
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))
        self.large = conv(4, 4, least - 2)
        self.body.eval()[0].train()
        self.body[0].bias.requires_grad_(False)
        self.body[0].weight.grad = torch.ones_like(self.body[0].weight)
        self.body[0].register_forward_pre_hook(lambda *_: None)

    def forward(self, x):
        self.habit(self)
        x = self.body(x)
        return self.large(x * x.sum().exp().sign().item() if self.real else x)


HABITS = {
    "nothing": lambda m: None,
    "count": lambda m: setattr(m, "count", m.count + 1),
    "new attribute": lambda m: setattr(m, "new", torch.rand(3)),
    "lost attribute": lambda m: m.__dict__.pop("count", None),
    "list": lambda m: m.log.append(m.steps),
    "nested list": lambda m: m.nested["deep"][0].append(1),
    "buffer": lambda m: m.steps.add_(1),
    "new buffer": lambda m: setattr(m, "steps", m.steps + 1),
    "weight": lambda m: m.body[0].weight.mul_(2),
    "weight data": lambda m: m.body[0].weight.data.clamp_(0),
    "frozen weight": lambda m: m.body[0].weight.requires_grad_(False),
    "no gradient": lambda m: setattr(m.body[0].weight, "grad", None),
    "tensor": lambda m: m.plain.add_(1),
    "part of a tensor": lambda m: m.plain.__setitem__(0, 1),
    "tensor in a list": lambda m: m.listed[0].copy_(torch.ones(2)),
    "tensor in a dict": lambda m: m.cache["k"].add_(1),
    "mode": lambda m: m.train(),
    "hook": lambda m: m.register_forward_hook(lambda *_: None),
    "new layer": lambda m: setattr(m, "large", nn.Sequential(m.large)),
    "random numbers": lambda m: (torch.rand(1), np.random.rand(), random.random()),
    "seeds": lambda m: (torch.manual_seed(1), np.random.seed(1), random.seed(1)),
}


@pytest.mark.parametrize("least", [8, 20], ids=["works", "fails"])
@pytest.mark.parametrize("real", [False, True], ids=["meta", "real"])
@pytest.mark.parametrize("habit", HABITS)
def test_a_model_is_given_back_as_it_was(habit, real, least):
    model = Restless(HABITS[habit], real=real, least=least)
    before, states = contents(model), random_states()
    with nullcontext() if least == 8 else pytest.raises(TraceError):
        assert analyze(model, SIZE).traced_with == ("real" if real else "meta")
    assert changes(before, contents(model)) == []
    assert random_states() == states


def world() -> list[Any]:
    hooks = [value for name, value in vars(torch_modules).items() if name.startswith("_global_") and isinstance(value, dict)]
    modes = torch.utils._python_dispatch._get_current_dispatch_mode_stack()
    fast_path = torch.backends.mha.get_fastpath_enabled()
    return [
        gc.isenabled(),
        fast_path,
        torch.is_grad_enabled(),
        torch.get_default_dtype(),
        modes,
        *map(dict, hooks),
        warnings.filters[:],
    ]


@pytest.mark.parametrize("least", [8, 20], ids=["works", "fails"])
@pytest.mark.parametrize("enabled", [True, False])
def test_nothing_global_changes(enabled, least):
    fast_path = torch.backends.mha.get_fastpath_enabled()
    model = Restless(HABITS["nothing"], real=True, least=least)
    try:
        torch.backends.mha.set_fastpath_enabled(enabled)
        (gc.enable if enabled else gc.disable)()
        with torch.set_grad_enabled(enabled):
            before = world()
            with nullcontext() if least == 8 else pytest.raises(TraceError):
                analyze(model, SIZE)
            assert world() == before
    finally:
        gc.enable()
        torch.backends.mha.set_fastpath_enabled(fast_path)
