"""Facts and rules in, findings out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from rfcheck.analysis.network import Network
from rfcheck.config import RuleOverride, Settings
from rfcheck.errors import RuleError
from rfcheck.linting.expressions import Expression, ExpressionError, context_of
from rfcheck.linting.facts import Facts
from rfcheck.linting.finding import SEVERITIES, Finding, Severity
from rfcheck.linting.functions import FUNCTIONS
from rfcheck.linting.rule import Rule
from rfcheck.linting.rule_cost import require_bounded
from rfcheck.linting.selection import is_selected
from rfcheck.span import Span

_WHOLE_LAYER = re.compile(r"\blayer\b(?!\s*\.)")
"""A condition that compares the layer as a whole, not only what it reads of it."""


def lint(
    network: Network, rules: Sequence[Rule], settings: Settings, name: str, definition: tuple[Span, ...] = ()
) -> list[Finding]:
    """Apply rules to a network.

    Args:
        network: the facts.
        rules: the rules to choose from.
        settings: selection, severities, limits and the number of classes.
        name: how messages call the model.
        definition: of the model, where findings about the whole of it point; empty where unknown.

    Returns:
        Findings by code, those of one rule in the order of the layers that they point at; those about the whole model first. Rules
        of the scopes "suppression" and "measurement" are only checked here.

    Raises:
        RuleError: if a rule fails on the facts, or an override names what the rule does not have.
    """
    known = {rule.code for rule in rules}
    for code in settings.rules:
        if code not in known:
            raise RuleError(f"an override names the rule {code!r}, which does not exist; rules are {', '.join(sorted(known))}")
    facts = Facts(network, name, settings)
    findings: list[Finding] = []
    for rule in rules:
        if is_selected(rule.code, settings):
            findings.extend(_apply(rule, facts, settings))
    nodes = {**{layer["name"]: layer for layer in network.graph.graph["constant_layers"]}, **network.graph._node}
    order = {layer: i for i, layer in enumerate(nodes)}
    located = [replace(f, chain=nodes[f.layer].get("source", ()) if f.layer in nodes else definition) for f in findings]
    return sorted(located, key=lambda f: (f.code, order.get(f.layer or "", -1)))


def evaluate(rule: Rule, values: Mapping[str, Any], settings: Settings) -> list[Finding]:
    """Judge a rule once, not for every layer.

    Args:
        rule: which rule.
        values: facts by name, all that it reads.
        settings: severities and limits.

    Returns:
        One finding, or none.

    Raises:
        RuleError: if it fails on the facts, or an override names what it does not have.
    """
    severity, limits = _overridden(rule, settings)
    context = _context(values, limits)
    try:
        require_bounded(rule, {**values, "limits": limits})
        return [_finding(rule, context, severity, None)] if _holds(rule, context) else []
    except ExpressionError as error:
        raise _failed(rule, error) from None


def limits_of(rule: Rule, settings: Settings) -> dict[str, float]:
    """The limits of a rule as the user has them.

    Raises:
        RuleError: if an override names what the rule does not have.
    """
    return _overridden(rule, settings)[1]


def _apply(rule: Rule, facts: Facts, settings: Settings) -> list[Finding]:
    severity, limits = _overridden(rule, settings)
    if rule.scope not in ("model", "layer"):
        return []
    variables = frozenset().union(*(expression.variables for expression in rule.expressions)) - {"layer", "limits"}
    attributes = frozenset().union(*(expression.attributes for expression in rule.expressions)) | {"name"}
    values = {name: facts.value(name, attributes) for name in variables}
    if rule.scope == "model":
        return evaluate(rule, values, settings)
    context = _context(values, limits)
    try:
        if not rule.built_in:
            require_bounded(rule, {**values, "limits": limits}, facts.layers(facts.network.layers, attributes))
        findings: list[Finding] = []
        read = attributes if _WHOLE_LAYER.search(rule.when.source) else rule.when.attributes
        verdicts: dict[tuple[Any, ...], bool] = {}  # most layers are alike in what a condition reads
        for layer in facts.network.layers:
            fact = facts.layer(layer, read)
            alike = tuple(fact.values()) if fact else ()
            if alike not in verdicts:
                context.add_variable("layer", fact)
                verdicts[alike] = _holds(rule, context)
            if verdicts[alike]:
                context.add_variable("layer", facts.layer(layer, attributes))
                findings.append(_finding(rule, context, severity, layer.name))
        return findings
    except ExpressionError as error:
        raise _failed(rule, error) from None


def _context(values: Mapping[str, Any], limits: Mapping[str, float]) -> Any:
    context = context_of({**values, "limits": limits})
    for name, function in FUNCTIONS.items():
        context.add_function(name, function)
    return context


def _failed(rule: Rule, error: ExpressionError) -> RuleError:
    return RuleError(f"{rule.path}: rule {rule.code}: {error}")


def _overridden(rule: Rule, settings: Settings) -> tuple[Severity, dict[str, float]]:
    """Severity and limits of a rule as the user has them."""
    override = settings.rules.get(rule.code, RuleOverride())
    for limit in override.limits:
        if limit not in rule.limits:
            raise RuleError(f"{rule.code} has no limit {limit!r}; it has {', '.join(rule.limits) or 'none'}")
    return _severity(rule, override), {**rule.limits, **override.limits}


def _severity(rule: Rule, override: RuleOverride) -> Severity:
    if override.severity is None:
        return rule.severity
    for severity in SEVERITIES:
        if severity == override.severity:
            return severity
    raise RuleError(f"{rule.code}: the severity must be error, warning or info, got {override.severity!r}")


def _holds(rule: Rule, context: Any) -> bool:
    verdict = _evaluated("when", rule.when, context)
    if not isinstance(verdict, bool):
        raise ExpressionError(f"when: {rule.when.source!r} must be true or false, got {verdict!r}")
    return verdict


def _evaluated(key: str, expression: Expression, context: Any) -> Any:
    """The value of an expression; errors name the key of the rule that holds it."""
    try:
        return expression.evaluate(context)
    except ExpressionError as error:
        raise ExpressionError(f"{key}: {error}") from None


def _finding(rule: Rule, context: Any, severity: Severity, layer: str | None) -> Finding:
    if rule.at is not None:
        place = _evaluated("at", rule.at, context)
        layer = place.get("name") if isinstance(place, dict) else place
        if layer is not None and not isinstance(layer, str):
            raise ExpressionError(f"at: {rule.at.source!r} must be a layer or its name, got {layer!r}")
    try:
        message = rule.message.format(context)
    except ExpressionError as error:
        raise ExpressionError(f"message: {error}") from None
    return Finding(rule.code, rule.name, severity, message, layer, fixes=rule.fixes, extent=_extent(rule, context))


def _extent(rule: Rule, context: Any) -> float | None:
    """How bad it is, for comparisons with the same finding of another run."""
    if rule.grows is None:
        return None
    value = _evaluated("grows", rule.grows, context)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ExpressionError(f"grows: {rule.grows.source!r} must be a number, got {value!r}")
    return float(value)
