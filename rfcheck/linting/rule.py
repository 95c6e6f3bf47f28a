"""Rules: Markdown files with a YAML front matter, read, checked and compiled."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from rfcheck.config import is_limit
from rfcheck.errors import RuleError, UnknownNameError
from rfcheck.linting import facts, measurement_facts, suppression_facts
from rfcheck.linting.expressions import Expression, ExpressionError, Template, compile_expression, compile_template
from rfcheck.linting.finding import SEVERITIES, Severity
from rfcheck.linting.front_matter import FrontMatter
from rfcheck.linting.rules_folder import rules_folder
from rfcheck.plain_file import read_plain
from rfcheck.suggestions import did_you_mean

_LONGEST = 2**20
"""Bytes of a rule file; those that come with rfcheck have up to 4 KiB."""

_CODE = re.compile(r"^[A-Z]{2,}[0-9]{3}$")
_VARIABLES = {
    "model": facts.VARIABLES - {"layer"},
    "layer": facts.VARIABLES,
    "suppression": suppression_facts.VARIABLES,
    "measurement": measurement_facts.VARIABLES,
}
_ATTRIBUTES = {
    "model": facts.ATTRIBUTES,
    "layer": facts.ATTRIBUTES,
    "suppression": suppression_facts.ATTRIBUTES,
    "measurement": measurement_facts.ATTRIBUTES,
}
_REQUIRED = ("code", "name", "severity", "scope", "when", "message")
Scope = Literal["model", "layer", "suppression", "measurement"]
"""What a rule is judged for."""

_TYPES: dict[str, tuple[type, ...]] = {
    "code": (str,),
    "name": (str,),
    "severity": (str,),
    "scope": (str,),
    "when": (str,),
    "at": (str,),
    "message": (str,),
    "grows": (str,),
    "limits": (dict,),
    "fixes": (list,),
    "sources": (list,),
    "examples": (list,),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as read from its file.

    Attributes:
        code: "RF101".
        name: "unproductive-tail".
        severity: of its findings, unless overridden.
        scope: "model" if judged once, "layer" if judged for every layer, "suppression" if judged for every comment that silences,
            "measurement" if judged when a model has been trained and measured.
        when: CEL condition over the facts.
        at: CEL expression for the layer that the finding points at; None for the layer judged, or no layer.
        message: template.
        grows: CEL expression for a number that is larger the worse it is; None where there is none.
        limits: numbers that the condition and the message read, which users may override.
        fixes: names of fixes.
        sources: where the knowledge comes from.
        examples: models with what the rule finds on them; run by the test suite.
        body: the Markdown page.
        path: the file.
        built_in: whether it comes with rfcheck, and needs no bound on its steps.
    """

    code: str
    name: str
    severity: Severity
    scope: Scope
    when: Expression
    at: Expression | None
    message: Template
    grows: Expression | None
    limits: Mapping[str, float]
    fixes: tuple[str, ...]
    sources: tuple[str, ...]
    examples: tuple[Mapping[str, Any], ...]
    body: str
    path: Path
    built_in: bool = False

    @property
    def expressions(self) -> list[Expression]:
        """Everything that the rule evaluates."""
        return [self.when, *(one for one in (self.at, self.grows) if one), *self.message.expressions]


def parse_rule(path: Path, text: str, *, built_in: bool = False) -> Rule:
    """A rule from the text of its file.

    Args:
        path: of the file.
        text: what it holds.
        built_in: whether it comes with rfcheck.

    Raises:
        RuleError: naming file, line and key.
    """
    front = FrontMatter(path, text)
    values = front.values
    for key, value in values.items():
        if key not in _TYPES:
            hint = did_you_mean(str(key), _TYPES, f"known keys are {', '.join(_TYPES)}")
            raise front.error(str(key), f"unknown key; {hint}")
        if not isinstance(value, _TYPES[key]):
            wanted = {"str": "text", "dict": "a mapping", "list": "a list"}[_TYPES[key][0].__name__]
            raise front.error(key, f"must be {wanted}, got {value!r}")
    for key in _REQUIRED:
        if key not in values:
            raise RuleError(f"{path}:2: the key {key!r} is missing")
    _check_values(front)
    limits = values.get("limits", {})
    scope: Scope = values["scope"]
    attributes = _ATTRIBUTES[scope] | set(limits)
    when = _expression(front, "when", scope, attributes)
    at = _expression(front, "at", scope, attributes) if "at" in values else None
    try:
        message = compile_template(values["message"])
        for expression in message.expressions:
            _check_names(expression, scope, attributes)
    except ExpressionError as error:
        raise front.error("message", str(error)) from None
    if not front.body:
        raise RuleError(f"{path}:{text.count(chr(10)) + 1}: the page below the front matter is empty")
    return Rule(
        code=values["code"],
        name=values["name"],
        severity=values["severity"],
        scope=scope,
        when=when,
        at=at,
        message=message,
        grows=_expression(front, "grows", scope, attributes) if "grows" in values else None,
        limits=limits,
        fixes=tuple(values.get("fixes", ())),
        sources=tuple(values.get("sources", ())),
        examples=tuple(values.get("examples", ())),
        body=front.body,
        path=path,
        built_in=built_in,
    )


def _check_values(front: FrontMatter) -> None:
    values = front.values
    if not _CODE.match(values["code"]):
        raise front.error("code", f"must be capital letters and three digits, got {values['code']!r}")
    if values["severity"] not in SEVERITIES:
        raise front.error("severity", f"must be error, warning or info, got {values['severity']!r}")
    if values["scope"] not in _VARIABLES:
        raise front.error("scope", f"must be model, layer, suppression or measurement, got {values['scope']!r}")
    if values["scope"] == "suppression" and "at" in values:
        raise front.error("at", "a rule of the scope suppression points at the comment; leave the key out")
    for name, number in values.get("limits", {}).items():
        if not isinstance(name, str):
            raise front.error("limits", f"the name of a limit must be text, got {name!r}")
        if not is_limit(number):
            raise front.error("limits", f"{name} must be a number, got {number!r}")
    for key in ("fixes", "sources"):
        for text in values.get(key, ()):
            if not isinstance(text, str):
                raise front.error(key, f"must be a list of texts, got {text!r}")
    expected = f"{values['code']}-{values['name']}.md"
    if front.path.name != expected:
        raise front.error("code", f"the file must be named {expected}")


def _expression(front: FrontMatter, key: str, scope: Scope, attributes: frozenset[str]) -> Expression:
    try:
        expression = compile_expression(front.values[key])
        _check_names(expression, scope, attributes)
    except ExpressionError as error:
        raise front.error(key, str(error)) from None
    return expression


def _check_names(expression: Expression, scope: Scope, attributes: frozenset[str]) -> None:
    known = _VARIABLES[scope]
    for name in sorted(expression.variables - known):
        raise ExpressionError(f"{expression.source!r} reads {name!r}, {_hint(name, known)}")
    for name in sorted(expression.attributes - attributes):
        raise ExpressionError(f"{expression.source!r} reads '.{name}', {_hint(name, attributes)}")


def _hint(name: str, known: frozenset[str]) -> str:
    return f"which is not a fact; {did_you_mean(name, sorted(known), 'facts are ' + ', '.join(sorted(known)))}"


def load_folder(folder: Path) -> list[Rule]:
    """The rules of a folder, by code.

    Raises:
        RuleError: if the folder does not exist or holds no rule, a file is not valid, or two have one code.
    """
    if not folder.is_dir():
        raise RuleError(f"{folder}: no such folder of rules")
    rules: dict[str, Rule] = {}
    for path in sorted(folder.glob("*.md")):
        rule = parse_rule(path, _text_of(path), built_in=folder == rules_folder())
        if rule.code in rules:
            raise RuleError(f"{path}:2: code: {rule.code} is taken by {rules[rule.code].path.name}")
        rules[rule.code] = rule
    if not rules:
        raise RuleError(f"{folder}: the folder holds no rule file (*.md)")
    return list(rules.values())


def _text_of(path: Path) -> str:
    """The text of a rule file."""
    try:
        return read_plain(path, _LONGEST).decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise RuleError(f"{path}: is not UTF-8 text (byte {error.start}); save it as UTF-8") from None
    except OSError as error:
        raise RuleError(f"{path}: cannot be read: {error.strerror or error}") from None


@lru_cache(maxsize=1)
def built_in_rules() -> tuple[Rule, ...]:
    """The rules that come with rfcheck."""
    return tuple(load_folder(rules_folder()))


def all_rules(folders: Sequence[str] = ()) -> list[Rule]:
    """The built-in rules and those of further folders.

    Raises:
        RuleError: if a folder or file is not valid, or redefines a code.
    """
    rules = {rule.code: rule for rule in built_in_rules()}
    for folder in folders:
        for rule in load_folder(Path(folder)):
            if rule.code in rules:
                raise RuleError(f"{rule.path}:2: code: {rule.code} is taken by {rules[rule.code].name}; choose another")
            rules[rule.code] = rule
    return list(rules.values())


def find_rule(name: str, folders: Sequence[str] = ()) -> Rule:
    """The rule of a code or name.

    Raises:
        UnknownNameError: if there is none; names the near ones.
    """
    rules = all_rules(folders)
    for rule in rules:
        if name.upper() == rule.code or name == rule.name:
            return rule
    family = [f"{rule.code} {rule.name}" for rule in rules if rule.code.startswith(name.upper())]
    if name and family:
        raise UnknownNameError(f"no rule {name!r}, but rules that begin so: {', '.join(family)}")
    names = [rule.code for rule in rules] + [rule.name for rule in rules]
    near = difflib.get_close_matches(name, names, 3, 0.5) or [rule.code for rule in rules]
    raise UnknownNameError(f"no rule {name!r}; there is {', '.join(near)}")
