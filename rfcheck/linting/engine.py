"""Facts and rules in, findings out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from rfcheck.analysis.network import Network
from rfcheck.config import RuleOverride, Settings
from rfcheck.errors import RuleError
from rfcheck.linting.expressions import ExpressionError, context_of
from rfcheck.linting.facts import Facts
from rfcheck.linting.finding import SEVERITIES, Finding, Severity
from rfcheck.linting.functions import FUNCTIONS
from rfcheck.linting.rule import Rule

_WHOLE_LAYER = re.compile(r"\blayer\b(?!\s*\.)")
"""A condition that compares the layer as a whole, not only what it reads of it."""


def lint(network: Network, rules: Sequence[Rule], settings: Settings, name: str) -> list[Finding]:
    """Apply rules to a network.

    Args:
        network: the facts.
        rules: the rules to choose from.
        settings: selection, severities, limits and the number of classes.
        name: how messages call the model.

    Returns:
        Findings in the order of the layers that they point at; those about the whole model first.

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
        if is_selected(rule, settings):
            findings.extend(_apply(rule, facts, settings.rules.get(rule.code, RuleOverride())))
    order = {layer: i for i, layer in enumerate(network.graph._node)}
    return sorted(findings, key=lambda f: (order.get(f.layer or "", -1), f.code))


def is_selected(rule: Rule, settings: Settings) -> bool:
    """Whether a rule is to run: the longer of the matching prefixes in ``select`` and ``ignore`` decides, as in ruff."""
    chosen = max((len(p) for p in settings.select if rule.code.startswith(p)), default=-1 if settings.select else 0)
    dropped = max((len(p) for p in settings.ignore if rule.code.startswith(p)), default=-1)
    return chosen > dropped


def _apply(rule: Rule, facts: Facts, override: RuleOverride) -> list[Finding]:
    severity = _severity(rule, override)
    for limit in override.limits:
        if limit not in rule.limits:
            raise RuleError(f"{rule.code} has no limit {limit!r}; it has {', '.join(rule.limits) or 'none'}")
    variables = frozenset().union(*(expression.variables for expression in rule.expressions)) - {"layer", "limits"}
    attributes = frozenset().union(*(expression.attributes for expression in rule.expressions)) | {"name"}
    context = context_of({name: facts.value(name, attributes) for name in variables})
    context.add_variable("limits", {**rule.limits, **override.limits})
    for name, function in FUNCTIONS.items():
        context.add_function(name, function)
    try:
        if rule.scope == "model":
            return [_finding(rule, context, severity, None)] if _holds(rule, context) else []
        findings: list[Finding] = []
        read = attributes if _WHOLE_LAYER.search(rule.when.source) else rule.when.attributes
        for layer in facts.network.layers:
            context.add_variable("layer", facts.layer(layer, read))
            if _holds(rule, context):
                context.add_variable("layer", facts.layer(layer, attributes))
                findings.append(_finding(rule, context, severity, layer.name))
        return findings
    except ExpressionError as error:
        raise RuleError(f"{rule.path}: rule {rule.code}: {error}") from None


def _severity(rule: Rule, override: RuleOverride) -> Severity:
    if override.severity is None:
        return rule.severity
    for severity in SEVERITIES:
        if severity == override.severity:
            return severity
    raise RuleError(f"{rule.code}: the severity must be error, warning or info, got {override.severity!r}")


def _holds(rule: Rule, context: Any) -> bool:
    verdict = rule.when.evaluate(context)
    if not isinstance(verdict, bool):
        raise ExpressionError(f"{rule.when.source!r} must be true or false, got {verdict!r}")
    return verdict


def _finding(rule: Rule, context: Any, severity: Severity, layer: str | None) -> Finding:
    if rule.at is not None:
        place = rule.at.evaluate(context)
        layer = place.get("name") if isinstance(place, dict) else place
    return Finding(rule.code, rule.name, severity, rule.message.format(context), layer, fixes=rule.fixes)
