"""Networks of repeated blocks for the pictures of graphs, and what they were before folding."""

from __future__ import annotations

import networkx as nx
import torch
from torch import nn

from rfcheck import analyze
from rfcheck.report.folding import Folded
from rfcheck.report.graph_facts import graph_facts


class Block(nn.Module):
    def __init__(self, channels: int = 4, kernel: int = 3) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, kernel, padding=kernel // 2)

    def forward(self, x):
        return x + self.conv(x).relu()


class Net(nn.Module):
    """A stem, blocks in a row, and a last convolution."""

    def __init__(self, *blocks: nn.Module) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.blocks = nn.Sequential(*blocks)
        self.last = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x):
        return self.last(self.blocks(self.stem(x)))


class Gated(nn.Module):
    """A squeeze-and-excitation module."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Conv2d(4, 4, 1)

    def forward(self, x):
        return x * torch.sigmoid(self.fc(self.pool(x)))


def facts_of(model: nn.Module, size=64) -> nx.DiGraph:
    return graph_facts(analyze(model, size))


def unfolded(graph: nx.DiGraph, folded: Folded) -> None:
    """Compare a folded graph with the graph: every node in one box, every edge in the picture or inside what was folded."""
    names = [name for unit in folded.units for repetition in unit.repetitions for name in repetition]
    assert sorted(names) == sorted(graph.nodes)
    box = {
        name: (place, turn)
        for place, unit in enumerate(folded.units)
        for turn, repetition in enumerate(unit.repetitions)
        for name in repetition
    }
    drawn = {(source, target) for source, target, _ in folded.edges}
    together = {(a, b) for block in folded.blocks for a in block.units for b in block.units}
    seen = set()
    for source, target in graph.edges:
        (start, start_turn), (end, end_turn) = box[source], box[target]
        if (start, start_turn) == (end, end_turn):
            continue
        if start_turn == end_turn or (start, end) not in together:
            assert (start, end) in drawn, (source, target)
            seen.add((start, end))
        else:
            assert end_turn == start_turn + 1, (source, target)
    assert seen == drawn
