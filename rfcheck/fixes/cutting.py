"""End a model at a place, with global average pooling and a linear layer of the original number of classes."""

from __future__ import annotations

import math
from collections.abc import Collection

from rfcheck.analysis.head import output_classes
from rfcheck.errors import FixError
from rfcheck.fixes.arithmetic import add_head, prefix_graph
from rfcheck.fixes.chain import NotReplaceableError
from rfcheck.fixes.dry_run import dry_run
from rfcheck.fixes.fix import Fix, Plan, Skipped, proposed
from rfcheck.fixes.measuring import counts_by_formula, measured
from rfcheck.fixes.new_head import NewHead, new_head
from rfcheck.fixes.outcome import Outcome, outcome_of_graph
from rfcheck.fixes.outer_graph import outwards
from rfcheck.fixes.places import Place, functions_behind
from rfcheck.fixes.subject import Subject
from rfcheck.fixes.surgery import plan_cut


def cut_at(subject: Subject, place: Place, name: str, description: str) -> Fix | Skipped:
    """The fix that ends a model at a place, or why there is none.

    Modules are replaced where the forward allows it; else the graph of torch.fx is cut.

    Args:
        subject: the model.
        place: whose tensor the new head reads.
        name: of the fix.
        description: what it changes, in one sentence.
    """
    classes = output_classes(subject.graph)
    if classes is None:
        return Skipped(name, f"the head is not recognised: {_seen_at_the_end(subject)}")
    try:
        plan, after = _by_modules(subject, place, classes)
    except NotReplaceableError as by_modules:
        axes = len(subject.network.input_size)
        try:
            plan = Plan(
                surgery=plan_cut(subject.model, place.module, functions_behind(subject, place), place.channels, classes, axes)
            )
            after = measured(subject, plan)
        except FixError as by_graph:
            return Skipped(name, f"modules cannot be replaced ({by_modules}), and the graph cannot be cut ({by_graph})")
    return proposed(subject, name, plan, after, description, safe=False)


def _seen_at_the_end(subject: Subject) -> str:
    graph = subject.graph
    outputs = graph.graph["outputs"]
    shapes = ", ".join("x".join(map(str, graph._node[name]["shape"])) for name in outputs[:3])
    operators = ", ".join(node["op"].rpartition("::")[2] for node in list(graph._node.values())[-4:])
    returned = "one tensor" if len(outputs) == 1 else f"{len(outputs)} tensors"
    return f"the model returns {returned} ({shapes}), not classes; its last operators are {operators}"


def _by_modules(subject: Subject, place: Place, classes: int) -> tuple[Plan, Outcome]:
    head = new_head(subject, place, classes)
    plan = Plan(head.steps)
    if subject.graph.graph["traced_with"] != "meta":  # the forward needs data, or looks at values
        try:
            return plan, measured(subject, plan)
        except FixError as error:
            raise NotReplaceableError(str(error)) from error
    failure = dry_run(subject, place, head)
    if failure is not None:
        raise NotReplaceableError(failure)
    if head.leaves_unused or not counts_by_formula(subject) or _shares_parameters(subject):
        return plan, measured(subject, plan)
    return plan, _predicted(subject, place, head)


def _shares_parameters(subject: Subject) -> bool:
    named = sum(1 for _ in subject.model.named_parameters(remove_duplicate=False))
    return named != len(subject.graph.graph["parameters"])


def _predicted(subject: Subject, place: Place, head: NewHead) -> Outcome:
    """The outcome of the graph up to the place with the new head behind it."""
    graph = prefix_graph(subject.graph, place.node)
    removed = frozenset(head.removed)
    kept = {n: size for n, size in graph.graph["parameters"].items() if not _is_under(n, removed)}
    linear = (head.in_features + 1) * head.classes
    graph.graph["parameters"] = {**kept, "": linear}
    functions = 0
    pools = False
    for name, elements in head.kept_functions:
        node = subject.graph._node[name]
        functions += node["bytes"] * elements // math.prod(node["shape"])
        pools = pools or node["kind"] == "pool"
    pooled = 0 if pools else head.in_features * subject.itemsize
    add_head(
        graph,
        place.node,
        classes=head.classes,
        flops=head.in_features * head.classes,
        allocated=functions + pooled + head.classes * subject.itemsize,
    )
    return outcome_of_graph(graph, subject.settings)


def _is_under(parameter: str, modules: Collection[str]) -> bool:
    return any(module in modules for module in outwards(parameter.rpartition(".")[0]))
