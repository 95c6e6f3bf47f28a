"""Change the graph that torch.fx makes of a model's outer forwards, where modules cannot simply be replaced."""

from __future__ import annotations

from dataclasses import dataclass

from torch import fx, nn

from rfcheck.errors import FixError
from rfcheck.fixes.outer_graph import OuterForwards, as_module, outwards
from rfcheck.fixes.parts import Container, Part, free_name
from rfcheck.fixes.snippet import Snippet
from rfcheck.fixes.steps import made


@dataclass(frozen=True, slots=True)
class Cut:
    """End a model behind a module, with a new head.

    Attributes:
        place: dotted name of the module whose output is kept, that of its last call.
        functions: calls of functions right behind it that stay too.
        forwards: those around the place.
        name: of the new head in the model.
        head: the new head.
    """

    place: str
    functions: int
    forwards: OuterForwards
    name: str
    head: Container

    def apply(self, model: nn.Module) -> nn.Module:
        """The changed model, a torch.fx.GraphModule with the names of the original.

        Raises:
            FixError: if torch.fx cannot follow the forwards around the cut.
        """
        like = next((p for p in model.parameters() if p.dtype.is_floating_point), None)
        graph = self.forwards.trace(model)
        calls = [node for node in graph.nodes if node.op == "call_module" and node.target == self.place]
        if not calls:
            raise FixError(f"torch.fx does not see {self.place} in {type(model).__name__}.forward")
        cut = calls[-1]
        for _ in range(self.functions):
            (cut,) = cut.users
        model.add_module(self.name, self.head.make(like).train(model.training))
        with graph.inserting_after(cut):
            logits = graph.call_module(self.name, (cut,))
        for end in [node for node in graph.nodes if node.op == "output"]:
            if len(end.all_input_nodes) != 1:
                raise FixError(f"{type(model).__name__}.forward returns several tensors")
            end.args = fx.node.map_arg(end.args, lambda _: logits)  # whatever holds the result stays
        return as_module(model, graph)

    def snippet(self, model: nn.Module) -> Snippet:
        """Code that makes the change to a variable ``model``."""
        lines = [f'calls = [node for node in graph.nodes if node.op == "call_module" and node.target == "{self.place}"]']
        lines.append("cut = calls[-1]")
        if self.functions:
            lines += [f"for _ in range({self.functions}):", "    (cut,) = cut.users"]
        lines.append(f'model.add_module("{self.name}", {made(self.head, model)})')
        lines += ["with graph.inserting_after(cut):", f'    logits = graph.call_module("{self.name}", (cut,))']
        lines.append('(end,) = (node for node in graph.nodes if node.op == "output")')
        lines.append("end.args = fx.node.map_arg(end.args, lambda _: logits)")
        return self.forwards.around_change(lines, ("from collections import OrderedDict", "from torch import nn"))


def plan_cut(model: nn.Module, place: str, functions: int, channels: int, classes: int, axes: int) -> Cut:
    """Plan to end a model behind a module with global average pooling and a linear layer."""
    parts = (
        ("pool", Part(f"AdaptiveAvgPool{axes}d", (1,))),
        ("flatten", Part("Flatten")),
        ("linear", Part("Linear", (channels, classes))),
    )
    name = free_name("new_head", {name for name, _ in model.named_children()})
    return Cut(place, functions, OuterForwards.around(model, outwards(place)[:-1]), name, Container(parts))


@dataclass(frozen=True, slots=True)
class Bypass:
    """Leave out calls of poolings that are functions, or modules called several times.

    Attributes:
        forwards: those that make the calls.
        functions: which of their calls of pooling functions to leave out, counted from 0 in execution order.
        modules: dotted names of pooling modules, and which of the calls of each to leave out.
    """

    forwards: OuterForwards
    functions: tuple[int, ...]
    modules: tuple[tuple[str, tuple[int, ...]], ...]

    def apply(self, model: nn.Module) -> nn.Module:
        """The changed model, a torch.fx.GraphModule with the names of the original.

        Raises:
            FixError: if torch.fx cannot follow the forwards, or does not see the calls.
        """
        graph = self.forwards.trace(model)
        gone = _picked(pooling_functions(graph), self.functions)
        for path, calls in self.modules:
            gone += _picked([node for node in graph.nodes if node.op == "call_module" and node.target == path], calls)
        for node in gone:
            node.replace_all_uses_with(node.all_input_nodes[0])
            graph.erase_node(node)
        return as_module(model, graph)

    def snippet(self, _: nn.Module) -> Snippet:
        """Code that makes the change to a variable ``model``."""
        lines = ["gone = []"]
        if self.functions:
            lines += f"calls = {_POOLING_FUNCTIONS}".splitlines()
            lines.append(f"gone += [calls[i] for i in {list(self.functions)}]")
        for path, calls in self.modules:
            lines.append(f'calls = [node for node in graph.nodes if node.op == "call_module" and node.target == "{path}"]')
            lines.append(f"gone += [calls[i] for i in {list(calls)}]")
        lines += ["for node in gone:", "    node.replace_all_uses_with(node.all_input_nodes[0])", "    graph.erase_node(node)"]
        return self.forwards.around_change(lines)


_POOLING_FUNCTIONS = """\
[
    node for node in graph.nodes
    if node.op == "call_function" and node.name.startswith(("max_pool", "avg_pool"))
]"""


def pooling_functions(graph: fx.Graph) -> list[fx.Node]:
    """The calls of pooling functions with a window, in a graph of torch.fx."""
    return [node for node in graph.nodes if node.op == "call_function" and node.name.startswith(("max_pool", "avg_pool"))]


def _picked(nodes: list[fx.Node], indices: tuple[int, ...]) -> list[fx.Node]:
    if indices and max(indices) >= len(nodes):
        raise FixError("torch.fx does not see the calls of poolings that the forward makes")
    return [nodes[index] for index in indices]
