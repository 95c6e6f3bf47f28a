"""Rules chosen on the command line: --select, --ignore, --rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rfcheck.errors import SettingsError

if TYPE_CHECKING:
    from rfcheck.config import Settings
    from rfcheck.linting.rule import Rule


def codes_of(text: str | None) -> tuple[str, ...]:
    """Codes or prefixes of codes from comma-separated text."""
    return tuple(part.strip().upper() for part in (text or "").split(",") if part.strip())


def known_rules(settings: Settings) -> list[Rule]:
    """All rules that the settings choose from.

    Raises:
        SettingsError: if no code begins with a prefix that was given.
        RuleError: if a folder or file of rules is not valid.
    """
    from rfcheck.linting.rule import all_rules

    rules = all_rules(settings.rule_folders)
    for prefix in (*settings.select, *settings.ignore):
        if not any(rule.code.startswith(prefix) for rule in rules):
            raise SettingsError(f"no rule begins with {prefix!r}; rules are {', '.join(rule.code for rule in rules)}")
    return rules
