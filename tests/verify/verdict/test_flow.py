from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from torch import nn

from rfcheck import analyze
from rfcheck.verify.verdict.flow import flow_of


class Net(nn.Module):
    """A stem, a residual block whose second convolution has a gate, and two convolutions behind it."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.first, self.second = (nn.Conv2d(3, 3, 3, padding=1) for _ in range(3))
        self.squeeze = nn.Conv2d(3, 3, 1)
        self.shortcut = nn.Conv2d(3, 3, 1)
        self.third, self.fourth = (nn.Conv2d(3, 3, 3, padding=1) for _ in range(2))
        self.head = nn.Linear(3, 10)

    def forward(self, x):
        x = self.stem(x).relu()
        y = self.second(self.first(x).relu())
        y = y * self.squeeze(y.mean((2, 3), keepdim=True)).sigmoid()
        x = y + self.shortcut(x)
        x = self.fourth(self.third(x.relu()).relu())
        return self.head(x.mean((2, 3)))


def test_a_residual_network():
    layers = ["stem", "first", "second", "shortcut", "third", "fourth", "head"]
    flow = flow_of(analyze(Net(), 8).network.graph, layers)
    assert {name: set(reads) for name, reads in flow.reads.items()} == {
        "stem": set(),
        "first": {"stem"},
        "second": {"first"},
        "shortcut": {"stem"},
        "third": {"second", "shortcut"},
        "fourth": {"third"},
        "head": {"fourth"},
    }
    assert flow.bypassed == {"first", "second", "shortcut"}


def random_graph(seed: int) -> nx.DiGraph:
    """A graph in execution order with one source; some nodes lead nowhere."""
    generator = np.random.default_rng(seed)
    graph = nx.DiGraph()
    graph.add_node("0")
    for index in range(1, 10):
        sources = generator.choice(index, size=min(index, int(generator.integers(1, 3))), replace=False)
        graph.add_edges_from((str(source), str(index), {"gate": False}) for source in sources)
    return graph


@pytest.mark.parametrize("seed", range(40))
def test_against_paths(seed):
    graph = random_graph(seed)
    layers = [name for name in graph if int(name) % 2]
    flow = flow_of(graph, layers)
    for name in layers:
        expected = set()
        for source in layers:
            without = nx.restricted_view(graph, [other for other in layers if other not in (name, source)], [])
            if source != name and nx.has_path(without, source, name):
                expected.add(source)
        assert set(flow.reads[name]) == expected
        reaches = nx.has_path(graph, name, "9")
        without = nx.restricted_view(graph, [name], [])
        if reaches and name != "9":
            assert (name in flow.bypassed) == nx.has_path(without, "0", "9")
