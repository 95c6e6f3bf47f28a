"""Places where a network can be cut: one tensor carries everything, and it is the output of a module."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rfcheck.fixes.outer_graph import outwards
from rfcheck.fixes.subject import Subject

if TYPE_CHECKING:
    import networkx as nx

_POINTWISE = frozenset({"norm", "activation", "dropout"})


@dataclass(frozen=True, slots=True)
class Place:
    """The output of a module through which all information passes.

    Attributes:
        node: the node that makes it.
        module: dotted name of the outermost module that ends here, with its last call.
        index: position of the node in execution order.
        channels: channels of the tensor.
    """

    node: str
    module: str
    index: int
    channels: int


def places(subject: Subject) -> list[Place]:
    """All places on the feature path with a plain map (1, C, *positions), in execution order; none lies inside a block."""
    graph = subject.graph
    order = {name: i for i, name in enumerate(graph._node)}
    last_of = _last_nodes(graph)
    found: list[Place] = []
    farthest = 0  # the latest node that reads something made so far, before the current node
    for name, node in graph._node.items():
        index = order[name]
        if farthest <= index and index and subject.network.roles[name] == "features":
            module = _ending_module(node["module"], name, last_of, graph.graph["calls"])
            if module and not _is_inside(module, subject.blocks) and tuple(node["shape"][2:]) == node["sizes"]:
                found.append(Place(name, module, index, node["shape"][1]))
        farthest = max([farthest, *(order[reader] for reader in graph._adj[name])])
    last_output = min(order[name] for name in graph.graph["outputs"])
    return [place for place in found if place.index < last_output]


def _last_nodes(graph: nx.DiGraph) -> dict[str, str]:
    """Per module, the last node inside it."""
    last: dict[str, str] = {}
    for name, node in graph._node.items():
        path = node["module"]
        while path:
            last[path] = name
            path = path.rpartition(".")[0]
    return last


def _is_inside(module: str, blocks: Collection[str]) -> bool:
    while module := module.rpartition(".")[0]:
        if module in blocks:
            return True
    return False


def _ending_module(path: str, node: str, last_of: dict[str, str], calls: dict[str, int]) -> str:
    """The outermost module whose last node this is; "" where there is none. Only the innermost may be called several times."""
    outermost = path if path and last_of[path] == node else ""
    while path and last_of[path] == node:
        if calls.get(path) == 1:
            outermost = path
        path = path.rpartition(".")[0]
    return outermost


def functions_behind(subject: Subject, place: Place) -> int:
    """How many norms and activations right behind a place are called as functions between modules."""
    graph = subject.graph
    count = 0
    opened = ("", *outwards(place.module)[:-1])
    for name in list(graph._node)[place.index + 1 :]:
        node = graph._node[name]
        if node["kind"] not in _POINTWISE or node["module"] not in opened or len(graph._pred[name]) > 1:
            break
        count += 1
    return count


def may_have_other_names(subject: Subject, place: Place) -> bool:
    """Whether code may hold the tensor of a place without having it from the module that ends there.

    A module that changes what it is given, as an in-place activation does, returns the very tensor that its caller has already. A
    plain nn.Sequential forgets what it hands on; any other forward between the two may use either.
    """
    graph = subject.graph
    origin = place.node
    while graph._node[origin]["op"].endswith("_") and len(graph._pred[origin]) == 1:
        (origin,) = graph._pred[origin]
    made_in: str = graph._node[origin]["module"]
    if origin == place.node or made_in == place.module or made_in.startswith(f"{place.module}."):
        return False
    around = ["", *outwards(place.module)[:-1]]
    shared = [path for path in around if not path or f"{made_in}.".startswith(f"{path}.")][-1]
    between = [path for path in around if path == shared or path.startswith(f"{shared}.".lstrip("."))]
    return not all(subject.is_plain_sequence(path) for path in between)


def place_after(subject: Subject, layer: str) -> Place | None:
    """The end of the block that a layer lies in: the first place at or behind it, with the norms and activations that follow."""
    nodes = list(subject.graph._node.values())
    first = _index(subject, layer)
    behind = [place for place in places(subject) if place.index >= first]
    if not behind:
        return None
    end = behind[0]
    for place in behind[1:]:
        if any(node["kind"] not in _POINTWISE for node in nodes[end.index + 1 : place.index + 1]):
            break
        end = place
    return end


def place_before(subject: Subject, layer: str) -> Place | None:
    """The last place before a layer; None where the network begins with the layer's block."""
    first = _index(subject, layer)
    return max((place for place in places(subject) if place.index < first), key=lambda place: place.index, default=None)


def _index(subject: Subject, layer: str) -> int:
    return list(subject.graph._node).index(layer)
