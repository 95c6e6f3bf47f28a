"""The rules about measurements, applied: RF7xx and those of the user's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from rfcheck.analysis.layers import Layer
from rfcheck.config import Settings
from rfcheck.linting.engine import evaluate, limits_of
from rfcheck.linting.finding import Finding
from rfcheck.linting.measurement_facts import verdict_fact
from rfcheck.linting.rule import Rule, all_rules, find_rule
from rfcheck.linting.selection import is_selected
from rfcheck.span import Span
from rfcheck.verify.verdict.evidence import Opinion

TAIL_PATTERN = "RF701"
SATURATION = "RF702"
PLATEAU = "RF703"
PREDICTION = "RF704"


def limits(code: str, settings: Settings) -> dict[str, float]:
    """The limits of a built-in rule as the user has them.

    Raises:
        RuleError: if an override names what the rule does not have.
    """
    return limits_of(find_rule(code), settings)


def measurement_findings(
    facts: Mapping[str, Any],
    judged: Sequence[tuple[Finding, Opinion]],
    layers: Sequence[Layer],
    settings: Settings,
) -> tuple[Finding, ...]:
    """What the rules of the scope "measurement" find.

    Args:
        facts: by name, all but ``verdict``.
        judged: the findings of the linter with what the evidence says of them; a rule that reads ``verdict`` is judged for
            each, and its finding points where theirs does.
        layers: that findings may point at.
        settings: selection, severities, limits and folders of rules.

    Raises:
        RuleError: if a rule fails on the facts, or an override names what it does not have.
    """
    sources = {layer.name: layer.source for layer in layers}
    found: list[Finding] = []
    for rule in all_rules(settings.rule_folders):
        if rule.scope != "measurement" or not is_selected(rule.code, settings):
            continue
        if _reads_verdict(rule):
            found.extend(one for finding, opinion in judged for one in _about(rule, facts, finding, opinion, settings))
        else:
            found.extend(_located(one, sources) for one in evaluate(rule, facts, settings))
    return tuple(found)


def _reads_verdict(rule: Rule) -> bool:
    return any("verdict" in expression.variables for expression in rule.expressions)


def _about(rule: Rule, facts: Mapping[str, Any], finding: Finding, opinion: Opinion, settings: Settings) -> list[Finding]:
    fact = verdict_fact(finding.code, finding.name, finding.layer, opinion.status, opinion.evidence, measured=opinion.measured)
    found = evaluate(rule, {**facts, "verdict": fact}, settings)
    return [replace(one, layer=finding.layer, chain=finding.chain) for one in found]


def _located(finding: Finding, sources: Mapping[str, tuple[str, int] | None]) -> Finding:
    source = sources.get(finding.layer or "")
    return finding if source is None else replace(finding, chain=(Span(*source),))
