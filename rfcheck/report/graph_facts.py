"""The graph of operators with all that is known of each, as plain data that any format can hold."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from typing import TYPE_CHECKING, Any, Literal

import networkx as nx

from rfcheck.analysis.layers import per_axis, r_in

if TYPE_CHECKING:
    from rfcheck.analysed import Analysis
    from rfcheck.analysis.network import Network

State = Literal["productive", "unproductive", "tail", "unknown", ""]
"""How an operator was judged; everything that the tail's cost counts is "tail", all else that is not judged is ""."""

_OWN_NAMES = {"sizes": "out_size", "in_sizes": "in_size", "bytes": "activation_bytes"}
_LEFT_OUT = ("parameters", "calls", "constants", "constant_layers")


def graph_facts(analysis: Analysis) -> nx.DiGraph:
    """A graph of the same nodes and edges, in execution order, whose attributes are text, numbers, lists and maps.

    Node attributes are those of the traced graph, and ``role``, ``state``, ``judged``, ``r_min``, ``r_max``, ``r_in_min`` and
    ``r_in_max`` per image axis in input pixels: "inf" where unbounded, None where unknown. Edge attributes are ``gate`` and
    ``reads``, for each way the operator reads that input what it reads along each axis. Graph attributes name the model, its input,
    the classes of its modules and its border layers.
    """
    network = analysis.network
    facts = nx.DiGraph()
    for name, node in network.graph.nodes.items():
        own = {_OWN_NAMES.get(key, key): value for key, value in node.items()}
        facts.add_node(name, **plain({**own, **_judgement(network, name)}))
    for source, target, edge in network.graph.edges.data():
        facts.add_edge(source, target, **plain(edge))
    kept = {key: value for key, value in network.graph.graph.items() if key not in _LEFT_OUT}
    facts.graph.update(
        plain(
            {
                "model": analysis.name,
                "border_min": network.border.b_min,
                "border_max": network.border.b_max,
                **kept,
                "modules": {path: type(module).__name__ for path, module in analysis.model.named_modules()},
            }
        )
    )
    return facts


def _judgement(network: Network, name: str) -> dict[str, Any]:
    fields = network.fields[name]
    low, high = r_in(network.graph, network.fields, name) if network.graph.pred[name] else (None, None)
    return {
        "role": network.roles[name],
        "state": _state(network, name),
        "judged": name in network.border.productive,
        "r_min": per_axis(fields, lambda field: field.r_min),
        "r_max": per_axis(fields, lambda field: field.r_max),
        "r_in_min": low,
        "r_in_max": high,
    }


def _state(network: Network, name: str) -> State:
    if name in network.border.tail_region:
        return "tail"
    if name not in network.border.productive:
        return ""
    productive = network.border.productive[name]
    return "unknown" if productive is None else "productive" if productive else "unproductive"


def plain(value: Any) -> Any:
    """Text, numbers, truth values, lists and maps only; unbounded numbers are "inf"."""
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return plain(value._asdict())
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)
