"""What the shell may offer for ``--output``: formats, and files behind an equals sign."""

from __future__ import annotations

import click

from rfcheck.cli.file_candidates import paths
from rfcheck.report.formats import FORMATS


def outputs(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001 - as click calls it
    """Formats, or files for one."""
    name, equals, begun = incomplete.partition("=")
    if equals:
        return [f"{name}={path}" for path in paths(begun, lambda _: True)]
    return [name for name in FORMATS if name.startswith(incomplete)]
