"""The graph that torch.fx makes of a model's outer forwards; the modules that they call stay whole.

Only the forwards that have to change are followed, so blocks may do what torch.fx cannot follow.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass

from torch import fx, nn

from rfcheck.errors import FixError
from rfcheck.fixes.snippet import Snippet

_DEFINITION = '''\
class Outer(fx.Tracer):
    """Follows the forwards of some modules; what they call stays whole."""

    def __init__(self, opened=()):
        super().__init__()
        self.opened = opened

    def is_leaf_module(self, module, path):
        return path not in self.opened


def outer_graph(model, opened, **defaults):
    """The graph of a model in evaluation, without auxiliary heads."""
    outer = [model, *(model.get_submodule(path) for path in opened)]
    modes = [module.training for module in outer]
    for module in outer:
        module.training = False
    graph = Outer(opened).trace(model, defaults or None)
    for module, mode in zip(outer, modes):
        module.training = mode
    return graph


def as_module(model, graph):
    """A module that runs a graph of a model, with the modules that it still calls."""
    made = fx.GraphModule(model, graph, type(model).__name__)
    made.graph.eliminate_dead_code()
    made.delete_all_unused_submodules()
    made.recompile()
    for name, module in made.named_modules():
        module.training = model.get_submodule(name).training
    return made'''


@dataclass(frozen=True, slots=True)
class OuterForwards:
    """Which forwards of a model torch.fx is to follow.

    Attributes:
        opened: dotted names of the modules whose forward is followed, besides that of the model.
        defaults: arguments of the model's forward that are None unless given; torch.fx would take them for tensors.
    """

    opened: tuple[str, ...]
    defaults: tuple[str, ...]

    @classmethod
    def around(cls, model: nn.Module, opened: tuple[str, ...]) -> OuterForwards:
        """The forwards of a model and of some of its modules."""
        parameters = list(inspect.signature(model.forward).parameters.values())[1:]
        return cls(opened, tuple(parameter.name for parameter in parameters if parameter.default is None))

    def trace(self, model: nn.Module) -> fx.Graph:
        """The graph of a model in evaluation; the model stays as it is.

        Raises:
            FixError: if torch.fx cannot follow the forwards.
        """
        outer = [model, *(model.get_submodule(path) for path in self.opened)]
        modes = [module.training for module in outer]
        try:
            for module in outer:
                module.training = False  # the graph is that of evaluation, without auxiliary heads
            return _Outer(self.opened).trace(model, dict.fromkeys(self.defaults) or None)
        except Exception as error:  # torch.fx raises what the forwards raise on its proxies
            raise FixError(f"torch.fx cannot follow {type(model).__name__}.forward: {' '.join(str(error).split())}") from error
        finally:
            for module, mode in zip(outer, modes, strict=True):
                module.training = mode

    def around_change(self, lines: Sequence[str], imports: Sequence[str] = ()) -> Snippet:
        """Code that makes the graph, changes it by lines that use the variable ``graph``, and makes a model of it again."""
        defaults = "".join(f", {name}=None" for name in self.defaults)
        first, last = f"graph = outer_graph(model, {self.opened!r}{defaults})", "model = as_module(model, graph)"
        return Snippet((*imports, "from torch import fx"), (_DEFINITION,), (first, *lines, last))


def outwards(path: str) -> tuple[str, ...]:
    """A dotted name and those of the modules around it, the outermost first; the model itself is left out."""
    parts = path.split(".") if path else []
    return tuple(".".join(parts[: i + 1]) for i in range(len(parts)))


class _Outer(fx.Tracer):
    """Follows the outermost forwards only; the modules that they call stay whole."""

    def __init__(self, opened: tuple[str, ...]) -> None:
        super().__init__()
        self.opened = opened

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return module_qualified_name not in self.opened


def as_module(model: nn.Module, graph: fx.Graph) -> fx.GraphModule:
    """A module that runs a graph of a model, with the modules that it still calls under their names."""
    graph._tracer_cls = None  # a pickled model must not ask for the tracer's class
    for node in graph.nodes:
        node.type = None if isinstance(node.type, str) else node.type  # older versions of torch cannot pickle a text there
    made = fx.GraphModule(model, graph, type(model).__name__)
    made.graph.eliminate_dead_code()
    made.delete_all_unused_submodules()
    made.recompile()
    for name, module in made.named_modules():
        module.training = model.get_submodule(name).training
    return made
