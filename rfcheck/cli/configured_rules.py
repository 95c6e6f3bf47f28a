"""Whether the rules and limits exist that a configuration file names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rfcheck.config import RuleOverride
from rfcheck.suggestions import did_you_mean

if TYPE_CHECKING:
    from rfcheck.configuration.file import ConfigFile
    from rfcheck.configuration.reading import Configuration
    from rfcheck.configuration.toml_text import Keys
    from rfcheck.linting.rule import Rule


def require_known_rules(configuration: Configuration, more_folders: Sequence[str] = ()) -> None:
    """Refuse a configuration that names what no rule has.

    Args:
        configuration: the file and its models.
        more_folders: folders with rules beside those of the file.

    Raises:
        SettingsError: naming file, line and key; if no code begins with a prefix, or a rule or a limit does not exist.
        RuleError: if a folder or file of rules is not valid.
    """
    from rfcheck.configuration.values import join_folders
    from rfcheck.linting.rule import all_rules

    rules = {rule.code: rule for rule in all_rules(join_folders(configuration.rule_folders, tuple(more_folders)))}
    for values, place in ((configuration.values, ()), *((entry.values, entry.keys) for entry in configuration.models)):
        for key in ("select", "ignore"):
            for prefix in values.get(key, ()):
                if not any(code.startswith(prefix) for code in rules):
                    raise configuration.file.key_error(
                        (*place, key), f"names {prefix!r}, but no rule begins with it; rules are {', '.join(rules)}"
                    )
        for code, override in values.get("rules", {}).items():
            _require_rule(configuration.file, code, override, rules, (*place, "rules"))


def _require_rule(file: ConfigFile, code: str, override: RuleOverride, rules: Mapping[str, Rule], place: Keys) -> None:
    if code not in rules:
        raise file.table_error((*place, code), f"there is no rule {code!r}; {_near(code, rules, 'rules are')}")
    for limit in override.limits:
        if limit not in rules[code].limits:
            raise file.table_error(
                (*place, code, limit), f"{code} has no limit {limit!r}; {_near(limit, rules[code].limits, 'it has')}"
            )


def _near(name: str, known: Mapping[str, object], listed: str) -> str:
    return did_you_mean(name.replace("-", "_"), known, f"{listed} {', '.join(known) or 'none'}")
