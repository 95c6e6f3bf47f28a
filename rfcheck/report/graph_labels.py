"""What the pictures of a graph say of each box, and how they colour it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rfcheck.graph.naming import operator_name
from rfcheck.input_size import crossed
from rfcheck.report.result import plural

if TYPE_CHECKING:
    import networkx as nx

    from rfcheck.report.folding import Block, Folded, Unit

_LONGEST = 44


@dataclass(frozen=True, slots=True)
class Look:
    """How a box is drawn.

    Attributes:
        meaning: what it stands for, in the legend.
        fill: colour of the inside.
        line: colour of the edge.
        dashed: whether the edge is dashed.
    """

    meaning: str
    fill: str
    line: str
    dashed: bool = False


LOOKS = {
    "productive": Look("productive layer", "#D3E7F5", "#0072B2"),
    "unproductive": Look("unproductive, not in the tail", "#FBE6BC", "#B37A00"),
    "tail": Look("tail", "#F6D3CB", "#CC3311"),
    "unknown": Look("not known whether productive", "#FFFFFF", "#AA4499", dashed=True),
    "gate": Look("weights of a gate", "#D9F0E7", "#009E73", dashed=True),
    "head": Look("head", "#E4E4E4", "#595959", dashed=True),
    "": Look("other operator", "#FFFFFF", "#595959"),
}
"""By state, or by role where that is not "features"; colours stay apart for colour-blind readers."""


def look_of(graph: nx.DiGraph, unit: Unit) -> Look:
    """How a box is drawn: as the layer in it is judged, else by its role."""
    node = graph.nodes[unit.name]
    return LOOKS[node["state"] or ("" if node["role"] == "features" else node["role"])]


def legend(graph: nx.DiGraph, folded: Folded) -> list[Look]:
    """The looks that occur, in the order of the table."""
    used = {look_of(graph, unit) for unit in folded.units}
    return [look for look in LOOKS.values() if look in used]


def title(graph: nx.DiGraph) -> str:
    """The model, its input, and its border layers."""
    facts = graph.graph
    keys = {"b_min": "border_min", "b_max": "border_max"}
    borders = [f"{symbol} {_middle_left_out(facts[key])}" for symbol, key in keys.items() if facts[key]]
    return ", ".join([f"{facts['model']} at {crossed(facts['input_shape'][1:])}", *(borders or ["no border layer"])])


def box_lines(graph: nx.DiGraph, unit: Unit) -> tuple[str, str, str]:
    """Name, operators, and what comes out: its size, r_min and r_max, from the first repetition to the last."""
    first, last = graph.nodes[unit.name], graph.nodes[unit.last_name]
    names = _range(unit.name, unit.last_name)
    operators = [_operator(graph.nodes[name]) for name in unit.repetitions[0]]
    r = [f"{key} {_extents(first[key], last[key])}" for key in ("r_min", "r_max")]
    out = first["out_size"] if first["spatial"] else first["shape"][1:]
    name = names if len(names) <= _LONGEST else _middle_left_out(unit.name)
    return name, _cut(", ".join(operators)), " · ".join([f"out {crossed(out)}", *r])


def tags(graph: nx.DiGraph, unit: Unit) -> str:
    """How often a box is repeated, and whether a border layer is in it: "×3 b_min"."""
    names = {name for repetition in unit.repetitions for name in repetition}
    borders = [symbol for symbol, key in (("b_min", "border_min"), ("b_max", "border_max")) if graph.graph[key] in names]
    return " ".join([f"×{len(unit.repetitions)}"] * (len(unit.repetitions) > 1) + borders)


def block_label(graph: nx.DiGraph, block: Block) -> str:
    """Names of the first and last block, their class, and how many there are."""
    kind = graph.graph["modules"].get(block.first, "")
    return f"{_range(block.first, block.last)}: {block.count} × {kind}".rstrip()


def _range(first: str, last: str) -> str:
    """Two names, what they begin with alike said once: "layer1.0 … 5"; one where they are the same."""
    if first == last:
        return first
    alike = 0
    ones, others = first.split("."), last.split(".")
    while alike < min(len(ones), len(others)) - 1 and ones[alike] == others[alike]:
        alike += 1
    return f"{first} … {'.'.join(others[alike:])}"


def _operator(node: dict[str, Any]) -> str:
    if node["kind"] == "input":
        return plural(node["shape"][1], "channel")
    name = operator_name(node["op"], len(node.get("kernel") or ()))
    if not node.get("kernel"):
        return f"{name} {node['in_channels']}→{node['out_channels']}" if node.get("in_channels") else name
    stride = "" if set(node["stride"]) == {1} else f"/{_same(node['stride'])}"
    dilation = "" if set(node.get("dilation") or [1]) == {1} else f" d{_same(node['dilation'])}"
    transposed = "transposed " if node.get("transposed") else ""
    text = f"{crossed(node['kernel'])}{stride}{dilation} {transposed}{name}"
    if not node.get("in_channels"):
        return text
    groups = f" g{node['groups']}" if node.get("groups", 1) != 1 else ""
    return f"{text} {node['in_channels']}→{node['out_channels']}{groups}"


def _same(values: Sequence[Any]) -> str:
    return str(values[0]) if len(set(values)) == 1 else crossed(values)


def _extents(first: Sequence[Any] | None, last: Sequence[Any] | None) -> str:
    texts = ["?" if values is None else _same([v if isinstance(v, str) else f"{v:g}" for v in values]) for values in (first, last)]
    return texts[0] if texts[0] == texts[1] else "…".join(texts)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _middle_left_out(name: str) -> str:
    half = _LONGEST // 2
    return name if len(name) <= _LONGEST else f"{name[: half - 1]}…{name[-half:]}"
