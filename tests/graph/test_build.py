from __future__ import annotations

import json
from pathlib import Path

import networkx as nx
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from rfcheck import analyze
from rfcheck.graph.build import build_graph
from rfcheck.graph.trace import trace
from rfcheck.span import Span
from tests.call_sites import call, definition


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, 2, 1)
        self.norm = nn.BatchNorm2d(4)
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        x = self.norm(self.conv(x))
        x = x + torch.relu(x)
        return self.head(x.mean((2, 3)))


@pytest.fixture(scope="module")
def graph() -> nx.DiGraph:
    return analyze(Net(), 16).graph


def test_one_source_in_execution_order_and_acyclic(graph):
    assert [n for n in graph if not graph.in_degree(n)] == ["input"]
    assert nx.is_directed_acyclic_graph(graph)
    order = {name: i for i, name in enumerate(graph)}
    assert all(order[a] < order[b] for a, b in graph.edges)
    assert list(graph) == ["input", "conv", "norm", "relu", "add", "mean", "head"]


def test_attributes_are_plain_data(graph):
    text = json.dumps(nx.node_link_data(graph, edges="links"))
    assert json.loads(text)["graph"]["outputs"] == ["head"]
    conv = graph.nodes["conv"]
    assert (conv["op"], conv["kind"], conv["module"], conv["module_type"]) == ("aten::convolution", "conv", "conv", "Conv2d")
    assert (conv["shape"], conv["sizes"], conv["in_sizes"]) == ((1, 4, 8, 8), (8, 8), (16, 16))
    assert (conv["kernel"], conv["stride"], conv["padding"], conv["dilation"]) == ((3, 3), (2, 2), (1, 1), (1, 1))
    assert (conv["params"], conv["param_names"], conv["flops"], conv["bytes"]) == (112, ("conv.weight", "conv.bias"), 6912, 1024)


def test_the_edge_says_what_is_read(graph):
    (reads,) = graph.edges["input", "conv"]["reads"]
    assert [(r.period, r.advance, r.first, r.last) for r in reads] == [(1, 2, (-1,), (1,))] * 2
    (reads,) = graph.edges["add", "mean"]["reads"]
    assert all(r.is_global for r in reads)


def test_an_operator_that_reads_one_input_twice():
    class Twice(nn.Module):
        def forward(self, x):
            return torch.cat([x[:, :, ::2], x[:, :, 1::2]], 1) * x[:, :, ::2].sum(1, keepdim=True)

    graph = analyze(Twice(), 16).graph
    assert graph.number_of_edges() == len(set(graph.edges))
    assert nx.is_directed_acyclic_graph(graph)

    class Same(nn.Module):
        def forward(self, x):
            y = torch.relu(x)
            return torch.stack(y.unbind(1) + y.roll(1, 2).unbind(1), 1)[:, :3] + y * y

    assert nx.is_directed_acyclic_graph(analyze(Same(), 16).graph)


def test_several_outputs_that_read_different_positions_are_nodes_of_their_own():
    class Halves(nn.Module):
        def forward(self, x):
            top, bottom = x.chunk(2, 2)
            return top + bottom

    graph = analyze(Halves(), 16).graph
    assert list(graph) == ["input", "split", "split.1", "add"]
    starts = [graph.edges["input", n]["reads"][0][0].first for n in ("split", "split.1")]
    assert starts == [(0,), (8,)]


def reduced(x):
    return F.max_pool2d(x, 2)


class Plain(nn.Conv2d):
    """A class of the user's own with the forward of torch's."""


class Functions(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(3, 3, 3, 3))
        self.part = Part()
        self.conv = nn.Conv2d(3, 3, 1)
        self.plain = Plain(3, 3, 1)

    def forward(self, x):
        x = torch.conv2d(x, self.weight); x = F.conv2d(x, self.weight)  # fmt: skip # noqa: E702
        x = self.plain(self.conv(self.part(reduced(x))))
        x = nn.AvgPool2d(2)(x)
        return torch.utils.checkpoint.checkpoint(lambda y: y @ y, x, use_reentrant=False)


class Part(nn.Module):
    def forward(self, x):
        return next(F.avg_pool2d(
            y, 3, 1, 1,
        ) for y in [x])  # fmt: skip


MADE = {name: (Span("other.py", i, 1, i, 9), Span("main.py", 1)) for i, name in enumerate(("", "part", "conv", "plain"), start=10)}
"""Stands for the calls that made the modules."""


def test_functions_point_at_their_line_and_then_at_what_made_their_module():
    here = str(Path(__file__).relative_to(Path.cwd()))
    nodes = build_graph(trace(Functions(), (1, 3, 16, 16), locate=True), MADE).nodes
    ops = {name: node["source"] for name, node in nodes.items() if "source" in node}
    assert ops.keys() == nodes.keys() - {"input"}
    expected = {
        "conv2d": (call(here, "torch.conv2d(x, self.weight)"), *MADE[""]),
        "conv2d:2": (call(here, "F.conv2d(x, self.weight)"), *MADE[""]),
        "max_pool2d": (call(here, "F.max_pool2d(x, 2)"), call(here, "reduced(x)"), *MADE[""]),
        "conv": MADE["conv"],
        "plain": MADE["plain"],
        "avg_pool2d": (call(here, "nn.AvgPool2d(2)(x)"), *MADE[""]),
        "matmul": (call(here, "y @ y"), *MADE[""]),
    }
    assert {name: ops[name] for name in expected} == expected
    assert ops["part"][-2:] == MADE["part"]
    (inner, *outer) = ops["part"][:-2]
    assert inner == call(here, "F.avg_pool2d(\n            y, 3, 1, 1,\n        )")
    assert all(inner.line == span.line for span in outer)


def test_without_being_asked_nobody_looks_for_lines():
    nodes = build_graph(trace(Functions(), (1, 3, 16, 16)), {}).nodes
    assert not any("source" in node for node in nodes.values())


def test_a_ready_model_points_at_its_classes():
    here = str(Path(__file__).relative_to(Path.cwd()))
    sources = {name: node.get("source") for name, node in analyze(Functions(), 16).graph.nodes.items()}
    assert sources["input"] is None
    assert sources["conv"] == sources["conv2d"] == (definition(here, "Functions"),)
    assert sources["part"] == (definition(here, "Part"),)
    assert sources["plain"] == (definition(here, "Plain"),)
