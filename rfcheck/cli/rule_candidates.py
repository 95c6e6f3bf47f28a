"""What the shell may offer where rules, their limits or fixes are asked for, read from rule files without compiling them."""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rfcheck.errors import RfcheckError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_FILE_NAME = re.compile(r"(?P<code>[A-Z]{2,}[0-9]{3})-(?P<name>.+)\.md")


@dataclass(frozen=True, slots=True)
class _RuleFile:
    """A file whose name is that of a rule."""

    code: str
    name: str
    path: Path

    def front_matter(self) -> Mapping[str, Any]:
        """The keys and values before the page; none where they cannot be read."""
        import yaml

        with contextlib.suppress(OSError, ValueError, yaml.YAMLError):
            _, front, _ = self.path.read_text(encoding="utf-8").split("---\n", 2)
            values = yaml.safe_load(front)
            return values if isinstance(values, dict) else {}
        return {}


def rules(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001 - as click calls it
    """Rules by code, or by name if one is begun."""
    known = _known(ctx)
    by_code = _items(((rule.code, rule.name) for rule in known), incomplete.upper())
    return by_code or _items(((rule.name, rule.code) for rule in known), incomplete)


def rule_codes(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001 - as click calls it
    """Codes of rules, one after the other, with commas between them."""
    return _listed(((rule.code, rule.name) for rule in _known(ctx)), incomplete.upper())


def limits(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001 - as click calls it
    """Limits of rules, up to the number."""
    code, dot, rest = incomplete.partition(".")
    found: list[tuple[str, str]] = []
    for rule in _known(ctx):
        of_rule = rule.front_matter().get("limits")
        for name, value in of_rule.items() if isinstance(of_rule, dict) else ():
            found.append((f"{rule.code}.{name}=", f"{rule.name}; default: {'off' if value == math.inf else value}"))
    return _items(found, code.upper() + dot + rest)


def fixes(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001 - as click calls it
    """Fixes that rules name, one after the other, with commas between them."""
    reasons: dict[str, list[str]] = {}
    for rule in _known(ctx):
        for name in rule.front_matter().get("fixes") or ():
            reasons.setdefault(str(name), []).append(rule.code)
    return _listed(((name, f"for {', '.join(codes)}") for name, codes in sorted(reasons.items())), incomplete)


def _known(ctx: click.Context) -> list[_RuleFile]:
    """The built-in rules, those of configured folders and those of --rules."""
    from rfcheck.configuration.reading import configuration_for
    from rfcheck.linting.rules_folder import rules_folder

    folders = [rules_folder()]
    with contextlib.suppress(RfcheckError, OSError):
        configuration = configuration_for(None)
        folders += map(Path, configuration.rule_folders if configuration is not None else ())
    folders += map(Path, ctx.params.get("rule_folders") or ctx.params.get("folders") or ())
    return [rule for folder in dict.fromkeys(folders) for rule in _in_folder(folder)]


def _in_folder(folder: Path) -> Iterator[_RuleFile]:
    for path in sorted(folder.glob("*.md")):
        match = _FILE_NAME.fullmatch(path.name)
        if match is not None:
            yield _RuleFile(match["code"], match["name"], path)


def _listed(known: Iterable[tuple[str, str]], incomplete: str) -> list[CompletionItem]:
    """What may stand at the end of a list with commas, with what stands before it; nothing twice."""
    before, comma, begun = incomplete.rpartition(",")
    left = ((value, text) for value, text in known if value not in before.split(","))
    return _items(left, begun, before + comma)


def _items(known: Iterable[tuple[str, str]], begun: str, before: str = "") -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    return [CompletionItem(before + value, help=text) for value, text in known if value.startswith(begun)]
