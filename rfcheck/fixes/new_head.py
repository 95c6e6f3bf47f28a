"""Replace everything behind a place by global average pooling and a linear layer, module by module.

The forward of the model stays the user's own, so what it calls as functions stays too. Behind the place, the modules and the
function calls must follow each other in one chain; each module is then dropped, turned into an identity, or takes a part of the new
head, and each function call must be harmless there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from torch import nn

from rfcheck.fixes.chain import Element, NotReplaceableError, elements_behind
from rfcheck.fixes.outer_graph import outwards
from rfcheck.fixes.parts import IDENTITY, Container, Part, free_name
from rfcheck.fixes.places import Place
from rfcheck.fixes.steps import Append, Replace, Shorten, Step
from rfcheck.fixes.subject import Subject

_HARMLESS = frozenset({"activation", "dropout", "softmax"})
_FLATTENS = ("aten::view", "aten::_unsafe_view", "aten::reshape", "aten::flatten", "aten::squeeze")
State = Literal["map", "pooled", "flat"]


@dataclass(frozen=True, slots=True)
class NewHead:
    """How to replace the head.

    Attributes:
        steps: the changes.
        removed: dotted names of modules whose parameters are gone.
        kept_modules: dotted names of modules behind the place that stay.
        kept_functions: nodes of function calls that are still made, with the numbers of elements they then act on.
        leaves_unused: whether function calls behind the place whose results the output does not depend on are still made.
        in_features: features of the new linear layer.
        classes: outputs of the new linear layer.
    """

    steps: tuple[Step, ...]
    removed: tuple[str, ...]
    kept_modules: tuple[str, ...]
    kept_functions: tuple[tuple[str, int], ...]
    leaves_unused: bool
    in_features: int
    classes: int


def new_head(subject: Subject, place: Place, classes: int) -> NewHead:
    """Plan the new head.

    Raises:
        NotReplaceableError: if modules or function calls behind the place do not allow it.
    """
    return _Planner(subject, place, classes).plan()


class _Planner:
    """One walk over what lies behind the place."""

    def __init__(self, subject: Subject, place: Place, classes: int) -> None:
        self.subject = subject
        self.graph = subject.graph
        self.place = place
        self.classes = classes
        self.open = ("", *outwards(place.module)[:-1])  # modules that the place lies inside
        self.steps: list[Step] = []
        self.removed: list[str] = []
        self.kept: list[tuple[str, int]] = []

    def plan(self) -> NewHead:
        elements, leaves_unused = elements_behind(self.graph, self.place, self.open)
        self._refuse_unused()
        head = self._head(elements)
        for path in reversed(self.open):
            self._shorten(path)
        pool = self._pool_slot(elements, head)
        state = self._walk(elements[:head], pool)
        self._put_linear(elements[head], state, pool)
        self._check_behind(elements[head + 1 :])
        axes = len(self.graph._node[self.place.node]["sizes"])
        if isinstance(pool, int) and pool >= 0:
            self._put_pool(elements[pool], axes)
        elif pool == "append":
            self.steps.append(Append(self.open[-1], self._free(self.open[-1], "pool"), _pooling(axes)))
        gone = set(self.removed)
        stay = tuple(e.module for e in elements if e.module and e.module not in gone)
        return NewHead(
            steps=tuple(self.steps),
            removed=tuple(self.removed),
            kept_modules=stay,
            kept_functions=tuple(self.kept),
            leaves_unused=leaves_unused,
            in_features=self.place.channels,
            classes=self.classes,
        )

    def _refuse_unused(self) -> None:
        """Refuse parameters that the forward pass did not read: a head for training would be left over."""
        read = {name for node in self.graph._node.values() for name in node["param_names"]}
        unused = sorted(set(self.graph.graph["parameters"]) - read)
        if unused:
            raise NotReplaceableError(f"{unused[0].rpartition('.')[0] or unused[0]} is not used in this forward pass")

    def _head(self, elements: list[Element]) -> int:
        """Which module takes the linear layer: the last that holds parameters."""
        for index in reversed(range(len(elements))):
            element = elements[index]
            if element.module and any(self.graph._node[name]["param_names"] for name in element.nodes):
                return index
        raise NotReplaceableError("no module behind the cut holds a classifier")

    def _shorten(self, path: str) -> None:
        """Drop the children of an nn.Sequential behind the place."""
        module = self.subject.modules[path]
        if not self._is_sequence(path):
            return
        names = list(module._modules)
        own = [*self.open, self.place.module]
        child = next(p for p in own if p.rpartition(".")[0] == path and p)
        position = names.index(child.rpartition(".")[2])
        if position + 1 < len(names):
            self.steps.append(Shorten(path, position + 1))
            self.removed += [f"{path}.{name}".lstrip(".") for name in names[position + 1 :]]

    def _is_sequence(self, path: str) -> bool:
        return self.subject.is_plain_sequence(path)

    def _is_dropped(self, element: Element) -> bool:
        """Whether an element is a child of an nn.Sequential that is shortened."""
        return element.module is not None and self._is_sequence(element.module.rpartition(".")[0])

    def _pool_slot(self, elements: list[Element], head: int) -> int | Literal["append", "head", "there"]:
        """Where the pooling goes: an element's index, behind a shortened nn.Sequential, into the head's module, or nowhere."""
        flatten = head
        for index, element in enumerate(elements[:head]):
            if element.module is None:
                node = self.graph._node[element.nodes[0]]
                if _pools_all(node):
                    return "there"
                if _flattens(node):
                    flatten = index
                    break
        slots = [i for i, e in enumerate(elements[:flatten]) if e.module and not self._is_dropped(e)]
        poolings = [i for i in slots if isinstance(self.subject.modules[elements[i].module or ""], _ADAPTIVE)]
        if poolings:
            return poolings[-1]
        if flatten == head:
            return "head"
        if slots:
            return slots[-1]
        if self._is_sequence(self.open[-1]):
            return "append"
        raise NotReplaceableError("the forward flattens the map right behind the cut")

    def _walk(self, elements: list[Element], pool: int | str) -> State:
        """Go through what lies before the new linear layer; returns what reaches it."""
        state: State = "pooled" if pool == "append" else "map"
        for index, element in enumerate(elements):
            if element.module is None:
                state = self._pass_function(element.nodes[0], state)
            elif index == pool:
                state = "pooled"
            elif not self._is_dropped(element):
                self.steps.append(Replace(element.module, IDENTITY))
                self.removed.append(element.module)
        return state

    def _pass_function(self, name: str, state: State) -> State:
        node = self.graph._node[name]
        sizes = self.graph._node[self.place.node]["sizes"]
        elements = self.place.channels * (math.prod(sizes) if state == "map" else 1)
        if state == "map" and _pools_all(node):
            self.kept.append((name, self.place.channels))
            return "flat" if len(node["shape"]) == 2 else "pooled"
        if node["kind"] in _HARMLESS:
            self.kept.append((name, elements))
            return state
        if state != "map" and _flattens(node):
            return "flat"
        raise NotReplaceableError(f"the forward calls {node['op'].rpartition('::')[2]} behind the cut")

    def _put_linear(self, element: Element, state: State, pool: int | str) -> None:
        assert element.module is not None
        axes = len(self.graph._node[self.place.node]["sizes"])
        parts: list[tuple[str, Part]] = []
        if pool == "head":
            parts.append(("pool", _pooling(axes)))
        if state != "flat":
            parts.append(("flatten", Part("Flatten")))
        parts.append(("linear", Part("Linear", (self.place.channels, self.classes))))
        if self._is_dropped(element):
            parent = element.module.rpartition(".")[0]
            for name, part in parts:
                self.steps.append(Append(parent, self._free(parent, name), part))
            return
        taken = {name for name, _ in self.subject.modules[element.module].named_children()}
        self.steps.append(Replace(element.module, Container(tuple((free_name(name, taken), part) for name, part in parts))))
        self.removed.append(element.module)

    def _put_pool(self, element: Element, axes: int) -> None:
        assert element.module is not None
        pooling: Any = self.subject.modules[element.module]
        if isinstance(pooling, _ADAPTIVE_MEAN) and set(_listed(pooling.output_size)) == {1}:
            return
        self.steps.insert(len(self.steps) - 1, Replace(element.module, _pooling(axes)))
        self.removed.append(element.module)

    def _check_behind(self, elements: list[Element]) -> None:
        """What follows the linear layer must leave its result as it is, or act on each class."""
        for element in elements:
            for name in element.nodes:
                node = self.graph._node[name]
                if node["kind"] in _HARMLESS:
                    self.kept.append((name, self.classes))
                elif not (_flattens(node) and len(node["shape"]) == 2) or not self._is_function(element):
                    raise NotReplaceableError(f"the forward calls {node['op'].rpartition('::')[2]} behind the classifier")

    @staticmethod
    def _is_function(element: Element) -> bool:
        return element.module is None

    def _free(self, path: str, name: str) -> str:
        return free_name(name, set(self.subject.modules[path]._modules))


_ADAPTIVE_MEAN = (nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d)
_ADAPTIVE = (*_ADAPTIVE_MEAN, nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d, nn.AdaptiveMaxPool3d)


def _listed(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)


def _pooling(axes: int) -> Part:
    return Part(f"AdaptiveAvgPool{axes}d", (1,))


def _pools_all(node: dict[str, Any]) -> bool:
    """Whether a node averages over all positions, whatever their number."""
    averages = "mean" in node["op"] or "adaptive_avg" in node["op"]
    return bool(averages and node["kind"] == "pool" and not node["spatial"] and "kernel" not in node)


def _flattens(node: dict[str, Any]) -> bool:
    return node["op"] in _FLATTENS and len(node["shape"]) == 2
