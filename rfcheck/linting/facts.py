"""The facts that rules see: plain numbers, strings, lists and maps, made only as far as a rule asks for them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from rfcheck.analysis.border import exceeds
from rfcheck.analysis.cost import Cost, cost_of, own_cost, used_outside
from rfcheck.analysis.head import flattened_head, output_classes
from rfcheck.analysis.padding import padding_share
from rfcheck.analysis.paths import depth, is_convolutional, main_path
from rfcheck.analysis.relating import related
from rfcheck.analysis.subsampling import unread_share
from rfcheck.input_size import crossed
from rfcheck.linting.layer_facts import AXIS_NAMES, LAYER_FACTS, sized

if TYPE_CHECKING:
    from rfcheck.analysis.layers import Extents, Layer
    from rfcheck.analysis.network import Network
    from rfcheck.config import Settings


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


class Facts:
    """Facts about one network.

    Args:
        network: what was measured.
        name: how the model is called in messages.
        settings: what decided the numbers; without a number of classes it is taken from a model that returns one vector.
    """

    def __init__(self, network: Network, name: str, settings: Settings) -> None:
        self.network = network
        self.name = name
        self.settings = settings
        self.classes = output_classes(network.graph) if settings.classes is None else settings.classes
        self._by_name = {layer.name: layer for layer in network.layers}

    def value(self, variable: str, attributes: frozenset[str]) -> Any:
        """One fact, layers in it reduced to the attributes that are read."""
        if variable in _LAYERS:
            return self.layers(_LAYERS[variable](self), attributes)
        if variable in _BORDERS:
            return self.layer(_BORDERS[variable](self), attributes)
        if variable == "flattened_head":
            return self.flattened_head(attributes)
        return _WHOLES[variable](self)

    def layer(self, layer: Layer | None, attributes: frozenset[str]) -> dict[str, Any] | None:
        """A layer as a map of the attributes that are read; null where there is none."""
        if layer is None:
            return None
        fact = {name: LAYER_FACTS[name](layer) for name in attributes if name in LAYER_FACTS}
        fact.update((name, _IN_NETWORK[name](self, layer)) for name in attributes if name in _IN_NETWORK)
        return fact

    def layers(self, layers: Iterable[Layer], attributes: frozenset[str]) -> list[dict[str, Any] | None]:
        """Several layers."""
        return [self.layer(layer, attributes) for layer in layers]

    def named(self, name: str | None) -> Layer | None:
        """The layer of a name."""
        return None if name is None else self._by_name[name]

    @property
    def tail(self) -> list[Layer]:
        """The layers of the tail."""
        return [self._by_name[name] for name in self.network.border.tail]

    @property
    def unproductive(self) -> list[Layer]:
        """Unproductive layers outside the tail."""
        return [layer for layer in self.network.layers if layer.productive is False and not layer.in_tail]

    @cached_property
    def passed(self) -> list[Layer]:
        """Productive layers whose largest path already sees more than the image on every axis."""
        sizes = self.network.input_size
        return [x for x in self.network.layers if x.productive and x.r_in_max is not None and exceeds(x.r_in_max, sizes)]

    @cached_property
    def one_sided(self) -> list[Layer]:
        """Judged layers whose input sees more than the image on some axes, but not on all."""
        judged = (layer for layer in self.network.layers if layer.judged and layer.productive)
        return [layer for layer in judged if self._any_over(layer.r_in_min)]

    def _any_over(self, r: Extents | None) -> bool:
        return r is not None and any(a > b for a, b in zip(r, self.network.input_size, strict=True))

    @cached_property
    def main_path(self) -> frozenset[str]:
        """The nodes on the path of the largest receptive field to the last feature map."""
        return frozenset(main_path(self.network.graph, self.network.fields, self.network.roles))

    def padding_share(self, layer: Layer) -> float:
        """Share of a window's reads that fall on zero padding."""
        return padding_share(self.network.graph._node[layer.name]) if layer.kernel is not None else 0.0

    def unread_share(self, layer: Layer) -> float:
        """Share of the positions before a layer of the main path that nothing reads, because its windows leave gaps."""
        return unread_share(self.network.graph, layer.name) if layer.name in self.main_path else 0.0

    def depth(self) -> dict[str, Any]:
        """How many judged layers follow each other, and whether positions meet in windows only."""
        network = self.network
        judged = network.border.judged
        return {"layers": depth(network.graph, judged), "convolutional": is_convolutional(network.graph, network.roles, judged)}

    def flattened_head(self, attributes: frozenset[str]) -> dict[str, Any] | None:
        """The linear layer over flattened positions, as a layer, with the map that it reads."""
        head = flattened_head(self.network.graph, self.network.roles)
        layer = None if head is None else self.layer(self.named(head.linear), attributes)
        if head is None or layer is None:
            return None
        return {**layer, "map": head.map, "size": crossed(head.positions), "positions": math.prod(head.positions)}

    def cost(self, cost: Cost) -> dict[str, Any]:
        """A cost with its shares of the whole."""
        total = self.network.total
        return {
            "params": cost.params,
            "flops": cost.flops,
            "activation_bytes": cost.activation_bytes,
            "params_share": _share(cost.params, total.params),
            "flops_share": _share(cost.flops, total.flops),
        }

    def cost_of_layers(self, layers: Iterable[Layer]) -> dict[str, Any]:
        """Cost of some layers, without weights that others use too."""
        return self.cost(own_cost(self.network.graph, [layer.name for layer in layers]))

    def own_params_share(self, layer: Layer) -> float:
        """Share of the parameters that a layer reads and nothing does that is productive, or outside the tail and no layer."""
        network = self.network
        return _share(cost_of(network.graph, [layer.name], self._used_productively).params, network.total.params)

    @cached_property
    def _used_productively(self) -> frozenset[str]:
        """The parameters that anything but the unproductive layers and the tail reads."""
        border = self.network.border
        idle = [name for name, productive in border.productive.items() if productive is False]
        return used_outside(self.network.graph, {*idle, *border.tail_region})

    def cost_of_unknown(self) -> dict[str, Any]:
        """Cost of everything whose receptive field is not known, and of the operators to blame."""
        unknown = {op.name for op in self.network.unknown if not op.in_head}
        blind = [n for n, fields in self.network.fields.items() if n in unknown or any(f.widest is None for f in fields)]
        return self.cost(cost_of(self.network.graph, blind))

    def constants(self) -> list[dict[str, Any]]:
        """Calls of layers that read nothing that depends on the image."""
        return [{"name": layer["name"]} for layer in self.network.graph.graph["constant_layers"]]

    def cost_of_constants(self) -> dict[str, Any]:
        """Cost of these calls."""
        layers = self.network.graph.graph["constant_layers"]
        sizes = self.network.graph.graph["parameters"]
        names = {name for layer in layers for name in layer["param_names"]}
        return self.cost(Cost(sum(layer["flops"] for layer in layers), sum(sizes.get(name, 0) for name in names), 0))

    def features(self) -> dict[str, Any]:
        """Cost of the feature path."""
        return self.cost(cost_of(self.network.graph, [n for n, role in self.network.roles.items() if role == "features"]))

    def input(self) -> dict[str, Any]:
        """The input: its extent per axis by name, as a list and as text."""
        sizes = self.network.input_size
        names = AXIS_NAMES.get(len(sizes), ())
        text = crossed(sizes) if len(sizes) > 1 else f"{sizes[0]}-long"
        return {"size": list(sizes), "text": text, "channels": self.network.channels, **dict(zip(names, sizes, strict=False))}

    def last_map(self) -> dict[str, Any] | None:
        """The last feature map, and whether it, or what relates positions behind it, sees the whole input."""
        last = self.network.last_map
        if last is None:
            return None
        network = self.network
        r = last.r_max
        seen = related(network.graph, network.fields, network.roles, last.name)
        return {
            "name": last.name,
            "size": crossed(last.size),
            "r_max": sized(r),
            "known": r is not None,
            "seen_share": 1.0 if seen is None else min(min(a / b, 1.0) for a, b in zip(seen, network.input_size, strict=True)),
        }

    def stem(self) -> dict[str, Any]:
        """The first two down-sampling points, and the tail that would be left without them; unknown where there is no tail."""
        from rfcheck.fixes.remove_stem import stem_of, tail_without_stem

        points = stem_of(self.network) if self.network.border.tail else []
        without = tail_without_stem(self.network, points, self.settings)
        operators = [point.nodes[0] for point in points]
        return {
            "known": without is not None,
            "name": operators[0] if operators else "",
            "operators": " and ".join(operators),
            "tail_without": 0 if without is None else without,
        }

    def unknown(self) -> list[dict[str, Any]]:
        """Operators without known meaning, on which receptive fields rest."""
        return [
            {
                "name": op.name,
                "operator": op.operator,
                "assumption": op.assumption,
                "resolved": op.resolved,
                "registered": op.registered,
            }
            for op in self.network.unknown
            if not op.in_head
        ]


_LAYERS: dict[str, Callable[[Facts], Iterable[Layer]]] = {
    "layers": lambda facts: facts.network.layers,
    "tail": lambda facts: facts.tail,
    "unproductive": lambda facts: facts.unproductive,
    "passed": lambda facts: facts.passed,
    "one_sided": lambda facts: facts.one_sided,
}

_BORDERS: dict[str, Callable[[Facts], Layer | None]] = {
    "border_min": lambda facts: facts.named(facts.network.border.b_min),
    "border_max": lambda facts: facts.named(facts.network.border.b_max),
}

_WHOLES: dict[str, Callable[[Facts], Any]] = {
    "input": lambda facts: facts.input(),
    "model": lambda facts: {"name": facts.name, **facts.cost(facts.network.total), "judged": len(facts.network.border.judged)},
    "tail_cost": lambda facts: facts.cost(facts.network.tail_cost),
    "passed_cost": lambda facts: facts.cost_of_layers(facts.passed),
    "one_sided_cost": lambda facts: facts.cost_of_layers(facts.one_sided),
    "features_cost": lambda facts: facts.features(),
    "last_map": lambda facts: facts.last_map(),
    "stem": lambda facts: facts.stem(),
    "classes": lambda facts: facts.classes,
    "depth": lambda facts: facts.depth(),
    "unknown": lambda facts: facts.unknown(),
    "constants": lambda facts: facts.constants(),
    "constants_cost": lambda facts: facts.cost_of_constants(),
    "unknown_cost": lambda facts: facts.cost_of_unknown(),
}

_IN_NETWORK: dict[str, Callable[[Facts, Layer], Any]] = {
    "flops_share": lambda facts, x: _share(x.flops, facts.network.total.flops),
    "params_share": lambda facts, x: _share(x.params, facts.network.total.params),
    "own_params_share": Facts.own_params_share,
    "padding_share": Facts.padding_share,
    "unread_share": Facts.unread_share,
}

VARIABLES = frozenset({*_LAYERS, *_BORDERS, *_WHOLES, "flattened_head", "layer", "limits"})
"""Names that a rule may read."""

ATTRIBUTES = (
    frozenset({*LAYER_FACTS, *_IN_NETWORK})
    | {"size", "text", "channels", "length", "depth", "height", "width", "activation_bytes", "seen_share"}
    | {"operator", "assumption", "resolved", "registered", "layers", "convolutional", "map", "positions"}
    | {"operators", "tail_without"}
)
"""Names that a rule may read from facts, besides its own limits."""
