"""What a plan does to a model, by analysing the changed model: where arithmetic on the graph cannot say."""

from __future__ import annotations

from rfcheck.analysis.head import output_classes
from rfcheck.errors import FixError, TraceError
from rfcheck.fixes.fix import Plan
from rfcheck.fixes.outcome import Outcome, outcome_of_graph
from rfcheck.fixes.subject import Subject
from rfcheck.graph.build import build_graph
from rfcheck.graph.trace import trace


def measured(subject: Subject, plan: Plan, classes: int | None = None) -> Outcome:
    """The outcome of the changed model.

    Args:
        subject: the model.
        plan: the change.
        classes: outputs that the changed model must have; None for any.

    Raises:
        FixError: if the plan cannot be carried out, or the forward of the changed model fails.
    """
    try:
        replica = subject.replica()
    except Exception as error:  # whatever a module's own __deepcopy__ or __reduce__ raises
        raise FixError(f"the model cannot be copied: {type(error).__name__}: {error}") from error
    changed = plan.apply(replica)
    try:
        graph = build_graph(trace(changed, subject.graph.graph["input_shape"]))
    except TraceError as error:
        said = str(error.__cause__) if error.__cause__ is not None else str(error)
        where = f" in {error.layer}" if error.layer else ""
        raise FixError(f"the changed model's forward fails{where}: {' '.join(said.split())}") from error
    if classes is not None and output_classes(graph) != classes:
        raise FixError("the forward does not return what the new head computes")
    if subject.settings.flops_by == "fvcore":
        from rfcheck.graph.fvcore_count import recount_with_fvcore

        recount_with_fvcore(graph, changed)
    return outcome_of_graph(graph, subject.settings)


def counts_by_formula(subject: Subject) -> bool:
    """Whether costs follow from the graph: counted by torch's formulas, nothing computed from weights alone."""
    no_constants = not any(constant["flops"] for constant in subject.graph.graph["constants"])
    return subject.settings.flops_by == "torch" and no_constants
