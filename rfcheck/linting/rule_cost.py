"""Rules from strangers, held to a number of steps before they are evaluated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from rfcheck.linting.evaluation_cost import MOST_STEPS, size_of, steps_of
from rfcheck.linting.expressions import ExpressionError

if TYPE_CHECKING:
    from rfcheck.linting.rule import Rule


def require_bounded(rule: Rule, values: Mapping[str, Any], layers: Iterable[Any] | None = None) -> None:
    """Refuse a rule that would take too many steps on a model; those that come with rfcheck take few.

    Args:
        rule: which rule.
        values: facts by name, all that it reads.
        layers: facts on every layer, where the rule is judged for each of them.

    Raises:
        ExpressionError: naming the key of the rule that takes the steps.
    """
    if rule.built_in:
        return
    facts = {name: size_of(value) for name, value in values.items()}
    times = 1
    if layers is not None:
        every = list(layers)
        times = max(len(every), 1)
        facts["layer"] = size_of(every).element or size_of(None)
    keys = [("when", [rule.when]), ("at", [rule.at] if rule.at else []), ("message", rule.message.expressions)]
    for key, expressions in keys:
        for expression in expressions:
            try:
                steps = times * steps_of(expression.source, facts)
            except ValueError as error:
                raise ExpressionError(
                    f"{key}: {expression.source!r} has no bound on its steps: {error}; write it simpler"
                ) from None
            if steps > MOST_STEPS:
                raise ExpressionError(
                    f"{key}: {expression.source!r} may take {steps:.0e} steps on this model, at most {MOST_STEPS:.0e} are taken; "
                    "put fewer macros and sums one inside the other"
                )
