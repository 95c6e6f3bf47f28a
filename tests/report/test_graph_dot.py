"""The text for Graphviz: a whole one, its structure for larger networks, and what Graphviz itself says where it is installed."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest
from torch import nn

from rfcheck.report.folding import fold
from rfcheck.report.graph_dot import graph_dot
from tests.report.block_networks import Block, Gated, Net, facts_of
from tests.zoo import torchvision_model

WHOLE = r"""digraph "Net" {
  graph [label="Net at 3x2x2, b_min blocks.0.conv, b_max blocks.0.conv", labelloc=t, labeljust=l, fontname="Helvetica", fontsize=12, nodesep=0.3]
  node [shape=box, style="rounded,filled", fontname="Helvetica", fontsize=10, margin="0.12,0.06"]
  edge [color="#808080", arrowsize=0.7]
  subgraph "cluster_legend" {
    label="legend"; color="#C0C0C0"; fontsize=10
    legend0 [label="productive layer", fillcolor="#D3E7F5", color="#0072B2"]
    legend1 [label="tail", fillcolor="#F6D3CB", color="#CC3311"]
    legend2 [label="other operator", fillcolor="#FFFFFF", color="#595959"]
  }
  subgraph "cluster_2_2" {
    label="blocks.0 … 1: 2 × Block"; labeljust=l; style="rounded,dashed"; color="#595959"; fontsize=10
    n2 [label="blocks.0.conv … 1.conv   ×2 b_min b_max\l3x3 conv2d 4→4, relu\lout 2x2 · r_min 5 · r_max 5…7\l", tooltip="blocks.0.conv, blocks.0/relu, blocks.1.conv, blocks.1/relu", fillcolor="#F6D3CB", color="#CC3311", penwidth=2.4]
    n3 [label="blocks.0/add … 1/add   ×2\ladd\lout 2x2 · r_min 3 · r_max 5…7\l", tooltip="blocks.0/add, blocks.1/add", fillcolor="#F6D3CB", color="#CC3311"]
  }
  n0 [label="input\l3 channels\lout 2x2 · r_min 1 · r_max 1\l", tooltip="input", fillcolor="#FFFFFF", color="#595959"]
  n1 [label="stem\l3x3 conv2d 3→4\lout 2x2 · r_min 3 · r_max 3\l", tooltip="stem", fillcolor="#D3E7F5", color="#0072B2"]
  n4 [label="last\l3x3 conv2d 4→4\lout 2x2 · r_min 5 · r_max 9\l", tooltip="last", fillcolor="#F6D3CB", color="#CC3311"]
  n0 -> n1
  n1 -> n2
  n1 -> n3
  n2 -> n3
  n3 -> n4
}
"""

MODELS = {
    "resnet50": lambda: torchvision_model("resnet50"),
    "densenet121": lambda: torchvision_model("densenet121"),
    "gates": lambda: nn.Sequential(nn.Conv2d(3, 4, 3), Gated(), Gated()),
    "stages": lambda: Net(*(nn.Sequential(Block(), Block(), Block(kernel=5)) for _ in range(2))),
    "odd names": lambda: nn.Sequential(),
}


def facts(case: str):
    model = MODELS[case]()
    if case == "odd names":
        for name in ('"quoted"', "back\\slash\\", "\\l\\N", "new\nline", "<b>层"):
            model.add_module(name, nn.Conv2d(3, 3, 3))
    return facts_of(model, 64)


def test_a_whole_text():
    assert graph_dot(facts_of(Net(Block(), Block()), 2)) == WHOLE


@pytest.mark.parametrize("case", MODELS)
def test_boxes_and_edges_are_those_of_the_folded_graph(case):
    graph = facts(case)
    folded = fold(graph)
    lines = [line.strip() for line in graph_dot(graph).splitlines()]
    assert sorted(int(line[1 : line.index(" ")]) for line in lines if re.match(r"n\d+ \[", line)) == list(range(len(folded.units)))
    edges = [tuple(map(int, re.match(r"n(\d+) -> n(\d+)", line).groups())) for line in lines if " -> " in line]
    assert edges == [(source, target) for source, target, _ in folded.edges]
    assert sum("style=dashed" in line for line in lines if " -> " in line) == sum(gate for _, _, gate in folded.edges)
    assert sum(line.endswith("{") for line in lines) == lines.count("}")
    quotes = re.sub(r"\\.", "", "\n".join(lines))
    assert all(line.count('"') % 2 == 0 for line in quotes.splitlines())


def test_repeated_stages_hold_their_repeated_blocks():
    text = graph_dot(facts("stages"))
    outer, inner = text.index("blocks.0 … 1: 2 × Sequential"), text.index("blocks.0.0 … 1: 2 × Block")
    assert outer < inner < text.index("}", inner) < text.index("5x5 conv2d") < text.index("n0 [")


@pytest.mark.skipif(shutil.which("dot") is None, reason="needs Graphviz")
@pytest.mark.parametrize("case", ["resnet50", "gates", "stages", "odd names"])
def test_graphviz_reads_it(case):
    graph = facts(case)
    done = subprocess.run(["dot", "-Tcanon"], input=graph_dot(graph), capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert set(re.findall(r"^\s*(n\d+)\s+\[", done.stdout, re.MULTILINE)) == {f"n{n}" for n in range(len(fold(graph).units))}
