"""What the shell may offer where a target is asked for: files, what they define, catalogue models, configured models."""

from __future__ import annotations

import ast
import contextlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rfcheck.cli.file_candidates import paths
from rfcheck.errors import RfcheckError
from rfcheck.plain_file import read_plain

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_ENDINGS = (".py", ".pt2", ".onnx")


def targets(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001 - as click calls it
    """Targets that begin like this one."""
    from click.shell_completion import CompletionItem

    place, colon, begun = incomplete.partition(":")
    if colon:
        return [CompletionItem(f"{place}:{name}", help=kind) for name, kind in _inside(place) if name.startswith(begun)]
    named = [(name, kind) for name, kind in _elsewhere() if name.startswith(incomplete)]
    return [
        *(CompletionItem(path) for path in paths(incomplete, lambda name: name.endswith(_ENDINGS))),
        *(CompletionItem(name, help=kind) for name, kind in named),
    ]


def _inside(place: str) -> Iterator[tuple[str, str | None]]:
    """What may follow the colon, and what kind of thing it is."""
    from rfcheck.target.catalogues import CATALOGUES, catalogue_names

    if place in CATALOGUES:
        for name in catalogue_names(place):
            yield name, None
    elif place.endswith(".py"):
        yield from defined_in(place)


def defined_in(file: str) -> Iterator[tuple[str, str]]:
    """Public classes, functions and results of calls at the top of a Python file, with what they are; none where it cannot be read.

    Args:
        file: its path.
    """
    try:
        body = ast.parse(read_plain(Path(file).expanduser())).body
    except (OSError, SyntaxError, ValueError, RecursionError):
        return
    for node in body:
        for name, kind in _defined_by(node):
            if not name.startswith("_"):
                yield name, kind


def _defined_by(node: ast.stmt) -> list[tuple[str, str]]:
    if isinstance(node, ast.ClassDef):
        return [(node.name, "class")]
    if isinstance(node, ast.FunctionDef):
        return [(node.name, "function")]
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
        return [(target.id, "value") for target in node.targets if isinstance(target, ast.Name)]
    return []


def _elsewhere() -> Iterator[tuple[str, str]]:
    """Targets that are not in a file, or have a name of their own: configured models and catalogues."""
    from rfcheck.configuration.reading import configuration_for
    from rfcheck.target.catalogues import CATALOGUES

    with contextlib.suppress(RfcheckError, OSError):
        configuration = configuration_for(None)
        for entry in configuration.models if configuration is not None else ():
            if entry.name != entry.target:
                yield entry.name, f"configured: {entry.target}"
    for catalogue in CATALOGUES:
        with contextlib.suppress(ImportError, ValueError):
            if importlib.util.find_spec(catalogue) is not None:
                yield f"{catalogue}:", "catalogue"
