"""What a network amounts to: the numbers that a fix is judged by, before and after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rfcheck.analysis.border import find_border
from rfcheck.analysis.cost import total_cost
from rfcheck.analysis.layers import Extents, per_axis, r_in
from rfcheck.analysis.receptive_field import receptive_fields
from rfcheck.analysis.resolution import last_feature_map, resolution_range
from rfcheck.analysis.roles import roles
from rfcheck.config import Settings
from rfcheck.graph.masks import release_masks
from rfcheck.graph.orientation import image_extents

if TYPE_CHECKING:
    import networkx as nx

    from rfcheck.analysis.network import Network


@dataclass(frozen=True, slots=True)
class Outcome:
    """A network in numbers, at one input size and batch size 1.

    Attributes:
        tail_layers: layers of the tail.
        unproductive_layers: judged layers that cannot add context, those of the tail included.
        productive_layers: judged layers that can.
        flops: multiply-accumulates.
        params: parameters.
        activation_bytes: bytes of all tensors that a forward pass allocates.
        r_max: largest receptive field of the last feature map, in pixels per axis; None where unknown.
        resolution_range: lowest image without an unproductive layer and highest that the last map sees whole, in pixels per axis.
    """

    tail_layers: int
    unproductive_layers: int
    productive_layers: int
    flops: int
    params: int
    activation_bytes: int
    r_max: Extents | None
    resolution_range: tuple[Extents | None, Extents | None]


def outcome_of_network(network: Network) -> Outcome:
    """The outcome of a network that was examined already."""
    productive = list(network.border.productive.values())
    return Outcome(
        tail_layers=len(network.border.tail),
        unproductive_layers=productive.count(False),
        productive_layers=productive.count(True),
        flops=network.total.flops,
        params=network.total.params,
        activation_bytes=network.total.activation_bytes,
        r_max=None if network.last_map is None else network.last_map.r_max,
        resolution_range=network.resolution_range,
    )


def outcome_of_graph(graph: nx.DiGraph, settings: Settings) -> Outcome:
    """The outcome of a graph, as `outcome_of_network` has it of the network that would be examined from it.

    A graph that was derived from a traced one is judged anew: a gate may hold most of what is left of the model.
    """
    release_masks(graph)
    fields = receptive_fields(graph, settings)
    role_of = roles(graph, fields)
    border = find_border(graph, fields, role_of, image_extents(graph))
    productive = list(border.productive.values())
    last = last_feature_map(graph, role_of)
    r_max = None if last is None else per_axis(fields[last], lambda field: field.r_max)
    cost = total_cost(graph)
    return Outcome(
        tail_layers=len(border.tail),
        unproductive_layers=productive.count(False),
        productive_layers=productive.count(True),
        flops=cost.flops,
        params=cost.params,
        activation_bytes=cost.activation_bytes,
        r_max=r_max,
        resolution_range=resolution_range([r_in(graph, fields, name)[0] for name in border.judged], r_max),
    )
