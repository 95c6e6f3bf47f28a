"""Rules as a SARIF log describes them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rfcheck.linting.finding import Finding
    from rfcheck.linting.rule import Rule

LEVELS = {"error": "error", "warning": "warning", "info": "note"}
"""SARIF's word for each severity."""

_SUBJECTS = {
    "RF1": "receptive-field",
    "RF2": "down-sampling",
    "RF3": "padding",
    "RF4": "cost",
    "RF5": "head",
    "RF6": "data-set",
    "RF7": "measured",
    "RF9": "analysis",
}
"""Tag of each group of rules; rules of other origin have none."""


def descriptors(findings: Iterable[Finding], folders: Sequence[str]) -> list[dict[str, Any]]:
    """A ``reportingDescriptor`` for each rule that found something, by code.

    Args:
        findings: what was found.
        folders: folders with rules beside the built-in ones.

    Raises:
        RuleError: if a folder or a rule file is not valid.
    """
    found = {finding.code: finding for finding in findings}
    rules = _rules(folders) if found else {}
    return [_described(rules[code]) if code in rules else _named(found[code]) for code in sorted(found)]


def _rules(folders: Sequence[str]) -> dict[str, Rule]:
    from rfcheck.linting.rule import built_in_rules, load_folder

    rules = {rule.code: rule for rule in built_in_rules()}
    for folder in folders:
        for rule in load_folder(Path(folder)):
            rules.setdefault(rule.code, rule)
    return rules


def _described(rule: Rule) -> dict[str, Any]:
    title, meaning = _opening(rule.body)
    return {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": title or rule.name},
        "fullDescription": {"text": meaning or title or rule.name},
        "help": {"text": rule.body, "markdown": rule.body},
        "defaultConfiguration": {"level": LEVELS[rule.severity]},
        "properties": {"tags": _tags(rule.code)},
    }


def _named(finding: Finding) -> dict[str, Any]:
    """What is known of a rule without its file."""
    return {
        "id": finding.code,
        "name": finding.name,
        "shortDescription": {"text": finding.name},
        "defaultConfiguration": {"level": LEVELS[finding.severity]},
        "properties": {"tags": _tags(finding.code)},
    }


def _opening(page: str) -> tuple[str, str]:
    """The first heading of a page, and its first paragraph on one line; empty where it has none."""
    title = meaning = ""
    for block in page.replace("\r\n", "\n").split("\n\n"):
        lines = block.strip().split("\n")
        while lines and lines[0].startswith("#"):
            title = title or lines[0].lstrip("#").strip()
            lines = lines[1:]
        meaning = " ".join(line.strip() for line in lines).strip()
        if meaning:
            break
    return title, meaning


def _tags(code: str) -> list[str]:
    return [_SUBJECTS[code[:3]]] if code[:3] in _SUBJECTS else []
