"""The layers of a network: every convolution, pooling, linear and recurrent call, with what is known of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rfcheck.analysis.padding import live_taps
from rfcheck.analysis.receptive_field import Fields, NodeField
from rfcheck.analysis.roles import Role

if TYPE_CHECKING:
    import networkx as nx

Extents = tuple[float, ...]
"""Receptive fields per image axis in input pixels; ``math.inf`` where unbounded."""

KINDS = ("conv", "pool", "linear", "recurrent")


@dataclass(frozen=True, slots=True)
class Layer:
    """One call of a convolution, pooling, linear or recurrent layer. All per-axis values are in the order of the image axes.

    Attributes:
        name: node name; the module's dotted name where the module is this one operator.
        kind: "conv", "pool", "linear" or "recurrent".
        role: "features", "gate" (in the weight branch of a gate) or "head" (behind a global operator).
        module_type: class of the module that made the call.
        kernel: taps; None where the layer has no window.
        stride: positions between windows.
        dilation: positions between taps.
        padding: positions added before the first.
        groups: channel groups.
        in_channels: channels read.
        out_channels: channels made.
        in_size: positions of the input map; 1 on an axis that it does not hold.
        out_size: positions of the output map.
        jump: input pixels between neighbouring output units; a fraction after up-sampling. None where unknown.
        r_min: smallest receptive field of the output over all paths, in input pixels. None where unknown.
        r_max: largest receptive field of the output.
        r_in_min: smallest receptive field of the input, over the predecessors.
        r_in_max: largest receptive field of the input.
        live_taps: share of the kernel's taps that read at least one real pixel; None without a window.
        flops: multiply-accumulates.
        params: parameters that the call reads.
        judged: whether productivity is asked of it: convolutions, and linear layers applied per position, on the feature path.
        productive: False if its input already sees more than the image on every axis; None where not judged or unknown.
        in_tail: whether it belongs to the tail.
        source: file and line that made it; None where unknown.
    """

    name: str
    kind: str
    role: Role
    module_type: str
    kernel: tuple[int, ...] | None
    stride: tuple[int, ...] | None
    dilation: tuple[int, ...] | None
    padding: tuple[int, ...] | None
    groups: int | None
    in_channels: int | None
    out_channels: int | None
    in_size: tuple[int, ...]
    out_size: tuple[int, ...]
    jump: Extents | None
    r_min: Extents | None
    r_max: Extents | None
    r_in_min: Extents | None
    r_in_max: Extents | None
    live_taps: float | None
    flops: int
    params: int
    judged: bool
    productive: bool | None
    in_tail: bool
    source: tuple[str, int] | None = None


def is_layer(node: Mapping[str, Any]) -> bool:
    """Whether a node is listed as a layer."""
    return node["kind"] in KINDS


def is_judged(node: Mapping[str, Any], role: Role) -> bool:
    """Whether productivity is asked of a node (design vocabulary: judged layer)."""
    return role == "features" and (node["kind"] == "conv" or (node["kind"] == "linear" and not node["over_positions"]))


def per_axis(fields: tuple[NodeField, ...], quantity: Callable[[NodeField], float | None]) -> Extents | None:
    """One quantity for every axis; None if it is unknown on any."""
    values = [quantity(field) for field in fields]
    known = tuple(value for value in values if value is not None)
    return known if len(known) == len(values) else None


def r_in(graph: nx.DiGraph, fields: Fields, name: str) -> tuple[Extents | None, Extents | None]:
    """Smallest and largest receptive field of a node's input, over its predecessors; weights of a gate do not count."""
    incoming = graph._pred[name]
    sources = [s for s, edge in incoming.items() if not edge["gate"]] or list(incoming)
    lows = [per_axis(fields[s], lambda f: f.r_min) for s in sources]
    highs = [per_axis(fields[s], lambda f: f.r_max) for s in sources]
    return _extreme(lows, min), _extreme(highs, max)


def _extreme(extents: list[Extents | None], choose: Callable[..., float]) -> Extents | None:
    if len(extents) == 1:
        return extents[0]
    known = [e for e in extents if e is not None]
    return tuple(choose(values) for values in zip(*known, strict=True)) if len(known) == len(extents) else None


def build_layer(
    graph: nx.DiGraph, fields: Fields, name: str, role: Role, *, judged: bool, productive: bool | None, in_tail: bool
) -> Layer:
    """Everything known of one layer."""
    node = graph._node[name]
    own = fields[name]
    low, high = r_in(graph, fields, name)
    has_window = "kernel" in node
    source = node.get("source")
    return Layer(
        name=name,
        kind=node["kind"],
        role=role,
        module_type=node["module_type"],
        kernel=node.get("kernel"),
        stride=node.get("stride"),
        dilation=node.get("dilation"),
        padding=node.get("padding"),
        groups=node.get("groups"),
        in_channels=node.get("in_channels"),
        out_channels=node.get("out_channels"),
        in_size=node["in_sizes"],
        out_size=node["sizes"],
        jump=per_axis(own, lambda f: None if f.widest is None else f.widest.jump),
        r_min=per_axis(own, lambda f: f.r_min),
        r_max=per_axis(own, lambda f: f.r_max),
        r_in_min=low,
        r_in_max=high,
        live_taps=live_taps(node) if has_window else None,
        flops=node["flops"],
        params=node["params"],
        judged=judged,
        productive=productive,
        in_tail=in_tail,
        source=(source[0].path, source[0].line) if source else None,
    )
