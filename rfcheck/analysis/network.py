"""All facts about one network at one input size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rfcheck.analysis.border import Border, find_border
from rfcheck.analysis.cost import Cost, own_cost, total_cost
from rfcheck.analysis.layers import Extents, Layer, build_layer, is_layer, per_axis
from rfcheck.analysis.receptive_field import Fields, receptive_fields
from rfcheck.analysis.resolution import last_feature_map, resolution_range
from rfcheck.analysis.roles import Role, roles
from rfcheck.config import Settings
from rfcheck.graph.orientation import image_extents, input_channels
from rfcheck.graph.records import OUTSIDE, UNCOUNTED
from rfcheck.graph.wrapping import wrapping

if TYPE_CHECKING:
    import networkx as nx


@dataclass(frozen=True, slots=True)
class FeatureMap:
    """The last feature map of a network.

    Attributes:
        name: node that makes it.
        size: positions per image axis.
        r_min: smallest receptive field of its units, in input pixels; None where unknown.
        r_max: largest receptive field of its units.
    """

    name: str
    size: tuple[int, ...]
    r_min: Extents | None
    r_max: Extents | None


@dataclass(frozen=True, slots=True)
class UnknownOperator:
    """An operator call without known meaning.

    Attributes:
        name: node name.
        operator: qualified name of the operator.
        assumption: what was assumed, or why nothing could be.
        resolved: whether receptive fields behind it are still known.
        registered: whether the operator has an entry, and only this use of it could not be followed.
        in_head: whether it stands behind the feature path, where receptive fields do not rest on it, and costs may.
    """

    name: str
    operator: str
    assumption: str
    resolved: bool
    registered: bool
    in_head: bool = False


@dataclass(frozen=True, slots=True)
class Network:
    """Facts from the graph; policy is left to the rules.

    Attributes:
        graph: the traced graph.
        input_size: image extent per axis, in pixels.
        channels: channels of the input.
        layers: every convolution, pooling, linear and recurrent call, in execution order.
        border: judgement of the judged layers.
        fields: receptive fields of every node.
        roles: role of every node.
        total: cost of the whole network.
        tail_cost: cost of the tail, without weights that the rest of the network uses too.
        last_map: the last feature map.
        resolution_range: lowest image without unproductive layers and highest that the last map sees whole, per axis.
        unknown: operators whose meaning is not known; of those in the head that have an entry, only the ones whose cost is not.
        wrapping: nodes where positions wrap round, as if the image went on beyond its border.
    """

    graph: nx.DiGraph
    input_size: tuple[int, ...]
    channels: int
    layers: tuple[Layer, ...]
    border: Border
    fields: Fields
    roles: dict[str, Role]
    total: Cost
    tail_cost: Cost
    last_map: FeatureMap | None
    resolution_range: tuple[Extents | None, Extents | None]
    unknown: tuple[UnknownOperator, ...]
    wrapping: tuple[str, ...] = ()

    def layer(self, name: str) -> Layer:
        """The layer of a name."""
        return next(layer for layer in self.layers if layer.name == name)


def examine(graph: nx.DiGraph, settings: Settings) -> Network:
    """Derive all facts from a graph.

    Args:
        graph: as made by `rfcheck.graph.build.build_graph`.
        settings: ``projection`` and ``gates`` are read.
    """
    sizes = image_extents(graph)
    fields = receptive_fields(graph, settings)
    role_of = roles(graph, fields)
    border = find_border(graph, fields, role_of, sizes)
    in_tail = set(border.tail)
    layers = tuple(
        build_layer(
            graph,
            fields,
            name,
            role_of[name],
            judged=name in border.productive,
            productive=border.productive.get(name),
            in_tail=name in in_tail,
        )
        for name, node in graph._node.items()
        if is_layer(node)
    )
    last_name = last_feature_map(graph, role_of)
    last = None if last_name is None else _feature_map(graph, fields, last_name)
    return Network(
        graph=graph,
        input_size=sizes,
        channels=input_channels(graph),
        layers=layers,
        border=border,
        fields=fields,
        roles=role_of,
        total=total_cost(graph),
        tail_cost=own_cost(graph, border.tail_region),
        last_map=last,
        resolution_range=resolution_range([x.r_in_min for x in layers if x.judged], None if last is None else last.r_max),
        unknown=tuple(_unknown_operators(graph, fields, role_of)),
        wrapping=tuple(wrapping(graph)),
    )


def _feature_map(graph: nx.DiGraph, fields: Fields, name: str) -> FeatureMap:
    own = fields[name]
    return FeatureMap(name, graph._node[name]["sizes"], per_axis(own, lambda f: f.r_min), per_axis(own, lambda f: f.r_max))


def _unknown_operators(graph: nx.DiGraph, fields: Fields, role_of: dict[str, Role]) -> list[UnknownOperator]:
    found: list[UnknownOperator] = []
    for name, text in graph.graph["assumptions"].items():
        operator, _, assumption = text.partition(": ")
        in_head = operator != OUTSIDE and all(role_of[source] == "head" for source in graph._pred[name])
        registered = not assumption.startswith("unknown operator")
        if not in_head or not registered or assumption == UNCOUNTED:
            resolved = all(field.widest is not None for field in fields[name])
            found.append(UnknownOperator(name, operator, assumption, resolved, registered, in_head))
    return found
