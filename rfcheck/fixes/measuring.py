"""What a plan does to a model, by analysing the changed model: where arithmetic on the graph cannot say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from rfcheck.config import Settings
from rfcheck.errors import FixError, TraceError
from rfcheck.fixes.outcome import Outcome, outcome_of_graph
from rfcheck.graph.build import build_graph
from rfcheck.graph.trace import trace
from rfcheck.input_size import crossed

if TYPE_CHECKING:
    import networkx as nx

    from rfcheck.fixes.fix import Plan
    from rfcheck.fixes.subject import Subject


def measured(subject: Subject, plan: Plan) -> Outcome:
    """The outcome of the changed model.

    Raises:
        FixError: if the plan cannot be carried out, or the changed model does not run or returns other shapes.
    """
    try:
        replica = subject.replica()
    except Exception as error:  # whatever a module's own __deepcopy__ or __reduce__ raises
        raise FixError(f"the model cannot be copied: {type(error).__name__}: {error}") from error
    changed = plan.apply(replica)
    given = subject.graph.graph
    graph = graph_of(changed, given["input_shape"], subject.settings, given["input_axes"])
    require_same_results(subject.graph, graph)
    return outcome_of_graph(graph, subject.settings)


def graph_of(model: nn.Module, shape: tuple[int, ...], settings: Settings, held: tuple[int, ...] | None = None) -> nx.DiGraph:
    """The graph of a changed model, whose input has image axes in some dimensions; None for the usual ones.

    Raises:
        FixError: if its forward fails.
    """
    try:
        graph = build_graph(trace(model, shape), held=held)
    except TraceError as error:
        said = str(error.__cause__) if error.__cause__ is not None else str(error)
        where = f" in {error.layer}" if error.layer else ""
        raise FixError(f"the changed model's forward fails{where}: {' '.join(said.split())}") from error
    if settings.flops_by == "fvcore":
        from rfcheck.graph.fvcore_count import recount_with_fvcore

        recount_with_fvcore(graph, model)
    return graph


def require_same_results(before: nx.DiGraph, after: nx.DiGraph) -> None:
    """Refuse a change after which a model returns other shapes; only a feature map may grow, up to the size of the image.

    Raises:
        FixError: naming them.
    """
    was, now = _results(before), _results(after)
    image: tuple[int, ...] = before.graph["input_shape"]
    if len(was) != len(now) or not all(a == b or _has_grown(a, b, image) for a, b in zip(was, now, strict=True)):
        shapes = [" and ".join(crossed(shape) for shape in results) or "nothing" for results in (now, was)]
        raise FixError(f"the changed model returns {shapes[0]} instead of {shapes[1]}")


def _has_grown(was: tuple[int, ...], now: tuple[int, ...], image: tuple[int, ...]) -> bool:
    if not len(was) == len(now) == len(image) or was[:2] != now[:2]:
        return False
    return all(a <= b <= most for a, b, most in zip(was[2:], now[2:], image[2:], strict=True))


def _results(graph: nx.DiGraph) -> list[tuple[int, ...]]:
    return [graph._node[name]["shape"] for name in graph.graph["outputs"]]


def counts_by_formula(subject: Subject) -> bool:
    """Whether costs follow from the graph: counted by torch's formulas, nothing computed from weights alone."""
    no_constants = not any(constant["flops"] for constant in subject.graph.graph["constants"])
    return subject.settings.flops_by == "torch" and no_constants
