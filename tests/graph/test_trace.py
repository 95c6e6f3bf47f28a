"""Tracing: names, data flow, ways of tracing, and what models return."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import networkx as nx
import pytest
import torch
import torch.nn.functional as F
import torchvision
from torch import nn
from torch.nn.utils import parametrizations

from rfcheck import analyze
from tests.graph.traced import SIZE, Net, conv, fields


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
