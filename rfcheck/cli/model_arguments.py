"""``--args width=64``: what models are built with, wherever they take an argument of that name."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rfcheck.config import Settings
from rfcheck.errors import SettingsError

if TYPE_CHECKING:
    from rfcheck.target.load import Target


def model_arguments(texts: Sequence[str]) -> dict[str, Any]:
    """The values by name.

    Args:
        texts: "name=value", the value as Python writes it; what is no literal is a text.

    Raises:
        SettingsError: if one is not written so, or a name comes twice.
    """
    found: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip().isidentifier():
            raise SettingsError(f"--args {text}: must be a name and a value, like --args width=64")
        if name.strip() in found:
            raise SettingsError(f"--args {text}: {name.strip()} is given twice")
        found[name.strip()] = _value(value.strip())
    return found


def load_with(text: str, size: int | tuple[int, ...] | None, settings: Settings, arguments: Mapping[str, Any]) -> list[Target]:
    """The models of a target, built with arguments.

    Args:
        text: the target.
        size: of the input; None where there are several.
        settings: of the analysis.
        arguments: by name.

    Raises:
        SettingsError: if no model takes one of the arguments.
        TargetError, NothingToAnalyzeError: as `rfcheck.target.load.load_targets` does.
    """
    from rfcheck.target.load import load_targets
    from rfcheck.target.obvious import Given

    targets = load_targets(text, given=Given.of(size, settings, arguments))
    require_used(arguments, [target.label for target in targets])
    return targets


def require_used(arguments: Mapping[str, Any], labels: Iterable[str]) -> None:
    """Refuse arguments that no model took.

    Args:
        arguments: by name.
        labels: of all models, which say what they were built with.

    Raises:
        SettingsError: naming the first that none took.
    """
    written = list(labels)
    for name, value in arguments.items():
        if written and not any(f"{name}=" in label for label in written):
            raise SettingsError(f"--args {name}={value!r}: no model takes an argument {name!r}; check the name")


def _value(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return text
