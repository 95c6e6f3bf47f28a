"""What ``--limit RF401.max_flops=100M`` says: limits of rules, changed for one run."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from rfcheck.config import RuleOverride
from rfcheck.errors import SettingsError, UnknownNameError
from rfcheck.quantities import parse_limit
from rfcheck.suggestions import did_you_mean


def limit_overrides(texts: Iterable[str], rule_folders: Sequence[str]) -> dict[str, RuleOverride]:
    """Overrides by rule code, from RULE.LIMIT=NUMBER; the last of several for one limit counts.

    Raises:
        SettingsError: if a text has another form, names a rule or limit that does not exist, or holds no number.
    """
    limits: dict[str, dict[str, float]] = {}
    for text in texts:
        code, name, value = _parsed(text, rule_folders)
        limits.setdefault(code, {})[name] = value
    return {code: RuleOverride(limits=values) for code, values in limits.items()}


def _parsed(text: str, rule_folders: Sequence[str]) -> tuple[str, str, float]:
    from rfcheck.linting.rule import find_rule

    place, equals, number = (part.strip() for part in text.partition("="))
    rule_name, dot, limit = place.partition(".")
    if not (equals and dot and rule_name and limit):
        raise SettingsError(f"--limit {text!r}: write RULE.LIMIT=NUMBER, like RF401.max_flops=100M")
    try:
        rule = find_rule(rule_name, rule_folders)
    except UnknownNameError as error:
        raise SettingsError(f"--limit {text!r}: {error}") from None
    if limit not in rule.limits:
        hint = did_you_mean(limit, rule.limits, f"it has {', '.join(rule.limits) or 'none'}")
        raise SettingsError(f"--limit {text!r}: {rule.code} has no limit {limit!r}; {hint}")
    return rule.code, limit, _number(text, number)


def _number(text: str, number: str) -> float:
    """The number of a limit; "off" for a limit that nothing exceeds."""
    value = parse_limit(number)
    if math.isnan(value):
        raise SettingsError(f"--limit {text!r}: {number!r} is not a number; write one like 0.5, 100e6, 100M or off")
    return value
