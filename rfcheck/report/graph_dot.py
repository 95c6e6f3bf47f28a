"""The folded graph in the language of Graphviz."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rfcheck.printable import printable
from rfcheck.report.folding import Block, Folded, fold
from rfcheck.report.graph_labels import Look, block_label, box_lines, legend, look_of, tags, title

if TYPE_CHECKING:
    import networkx as nx


def graph_dot(graph: nx.DiGraph) -> str:
    """A picture of a graph for ``dot``: repeated blocks are clusters, the colours are those of the SVG picture.

    Args:
        graph: as made by `rfcheck.report.graph_facts.graph_facts`.
    """
    folded = fold(graph)
    lines = [
        f"digraph {_quoted(graph.graph['model'])} {{",
        f'  graph [label={_quoted(title(graph))}, labelloc=t, labeljust=l, fontname="Helvetica", fontsize=12, nodesep=0.3]',
        '  node [shape=box, style="rounded,filled", fontname="Helvetica", fontsize=10, margin="0.12,0.06"]',
        '  edge [color="#808080", arrowsize=0.7]',
        *_legend(legend(graph, folded)),
        *(f"  {line}" for line in _boxes(graph, folded, range(len(folded.units)), folded.blocks)),
        *(f"  {_edge(source, target, gate=gate)}" for source, target, gate in folded.edges),
        "}\n",
    ]
    return "\n".join(lines)


def _legend(looks: Sequence[Look]) -> Iterator[str]:
    yield '  subgraph "cluster_legend" {'
    yield '    label="legend"; color="#C0C0C0"; fontsize=10'
    for number, look in enumerate(looks):
        yield f"    legend{number} [label={_quoted(look.meaning)}, {_look(look)}]"
    yield "  }"


def _boxes(graph: nx.DiGraph, folded: Folded, units: Sequence[int], blocks: Sequence[Block]) -> Iterator[str]:
    """The boxes of a part of the picture, those of each repeated block in a cluster, outer blocks first."""
    inside: set[int] = set()
    for number, block in enumerate(blocks):
        if len(block.units) == 1 or inside & set(block.units):
            continue
        inside |= set(block.units)
        yield f'subgraph "cluster_{block.units[0]}_{len(block.units)}" {{'
        yield f'  label={_quoted(block_label(graph, block))}; labeljust=l; style="rounded,dashed"; color="#595959"; fontsize=10'
        within = [other for other in blocks[number + 1 :] if set(other.units) < set(block.units)]
        yield from (f"  {line}" for line in _boxes(graph, folded, block.units, within))
        yield "}"
    for place in units:
        if place not in inside:
            yield _box(graph, folded, place)


def _box(graph: nx.DiGraph, folded: Folded, place: int) -> str:
    unit = folded.units[place]
    name, *others = box_lines(graph, unit)
    marks = tags(graph, unit)
    label = "".join(f"{_escaped(line)}\\l" for line in (f"{name}   {marks}" if marks else name, *others))
    names = _quoted(", ".join(name for repetition in unit.repetitions for name in repetition))
    width = ", penwidth=2.4" if "b_min" in marks else ""
    return f'n{place} [label="{label}", tooltip={names}, {_look(look_of(graph, unit))}{width}]'


def _look(look: Look) -> str:
    style = ', style="rounded,filled,dashed"' if look.dashed else ""
    return f'fillcolor="{look.fill}", color="{look.line}"{style}'


def _edge(source: int, target: int, *, gate: bool) -> str:
    how = ' [color="#009E73", style=dashed]' if gate else ""
    return f"n{source} -> n{target}{how}"


def _escaped(text: str) -> str:
    """A text inside quotes, none of it taken as a command."""
    return printable(text).replace("\\", "\\\\").replace('"', '\\"')


def _quoted(text: str) -> str:
    return f'"{_escaped(text)}"'
