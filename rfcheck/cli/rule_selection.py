"""Rules chosen and changed on the command line: --select, --ignore, --limit, --classes, --rules, --fail-on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from rfcheck.cli.file_candidates import folders
from rfcheck.cli.limits import limit_overrides
from rfcheck.cli.rule_candidates import limits as limit_candidates
from rfcheck.cli.rule_candidates import rule_codes
from rfcheck.configuration.values import join_folders
from rfcheck.errors import SettingsError

if TYPE_CHECKING:
    from rfcheck.config import Settings
    from rfcheck.linting.rule import Rule


def rule_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that choose and change rules to a verb."""
    severities = click.Choice(["error", "warning", "info", "never"])
    limit, folder = "Change a limit: RF401.max_flops=100M; repeatable.", "Folder with further rules; repeatable."
    classes = "Number of classes of the task.  [default: from the model's output]"
    fails = "Mildest severity that makes the exit code 1."
    options = (
        click.option(
            "--select", metavar="CODES", shell_complete=rule_codes, help="Rules to run, by prefix, comma-separated: RF1,RF301."
        ),
        click.option(
            "--ignore",
            metavar="CODES",
            shell_complete=rule_codes,
            help="Rules to leave out, by prefix; the longer prefix wins over --select.",
        ),
        click.option("--limit", "limits", multiple=True, metavar="RULE.LIMIT=NUMBER", shell_complete=limit_candidates, help=limit),
        click.option("--classes", type=int, metavar="N", help=classes),
        click.option("--rules", "rule_folders", multiple=True, metavar="FOLDER", shell_complete=folders, help=folder),
        click.option("--fail-on", type=severities, help=f"{fails}  [default: warning]"),
    )
    for option in reversed(options):
        command = option(command)
    return command


def rule_settings(
    select: str | None,
    ignore: str | None,
    limits: tuple[str, ...],
    classes: int | None,
    rule_folders: tuple[str, ...],
    more_folders: tuple[str, ...] = (),
) -> dict[str, Any]:
    """The settings that these options stand for, by name.

    Args:
        select: of --select.
        ignore: of --ignore.
        limits: of --limit.
        classes: of --classes.
        rule_folders: of --rules.
        more_folders: with rules that a limit may name too.

    Raises:
        SettingsError: if a limit is not one of a rule, or not a number.
    """
    return {
        "select": codes_of(select),
        "ignore": codes_of(ignore),
        "rules": limit_overrides(limits, join_folders(more_folders, rule_folders)),
        "classes": classes,
        "rule_folders": rule_folders,
    }


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
