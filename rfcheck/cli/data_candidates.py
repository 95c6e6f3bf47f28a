"""What the shell may offer for ``--data``: sources, folders behind a colon, and functions of a Python file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rfcheck.cli.file_candidates import paths
from rfcheck.cli.target_candidates import defined_in

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


def data_sources(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001 - as click calls it
    """Sources of images that begin like this one."""
    from click.shell_completion import CompletionItem

    from rfcheck.verify.data.sources import SOURCES

    place, colon, begun = incomplete.partition(":")
    if colon and place in SOURCES:
        found = paths(begun, lambda _: False) if SOURCES[place].takes_path else []
        return [CompletionItem(f"{place}:{path}") for path in found]
    if colon:
        functions = (name for name, kind in defined_in(place) if kind == "function")
        return [CompletionItem(f"{place}:{name}", help="function") for name in functions if name.startswith(begun)]
    names = [f"{name}:" if source.takes_path else name for name, source in SOURCES.items()]
    files = paths(incomplete, lambda name: name.endswith(".py")) if incomplete else []
    return [CompletionItem(name) for name in [*(name for name in names if name.startswith(incomplete)), *files]]
