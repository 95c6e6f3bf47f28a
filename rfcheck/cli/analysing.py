"""Analyse one target from the command line, and say what went wrong."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

import click

from rfcheck.config import Settings
from rfcheck.errors import TraceError

if TYPE_CHECKING:
    from rfcheck.api import Analysis
    from rfcheck.target.load import Target


def analyze_target(target: Target, size: int | tuple[int, ...], settings: Settings) -> Analysis:
    """Analyse one target; where its forward needs data that a model built without data does not have, build it again with data."""
    from rfcheck.api import analyze_named
    from rfcheck.target.source import quiet_output

    model, on_meta = target.build()
    name = target.label.rpartition(":")[2] or type(model).__name__
    try:
        if on_meta and settings.flops_by == "fvcore":
            model, on_meta = target.build_with_data(), False
        with quiet_output():
            return analyze_named(model, size, settings, name)
    except TraceError as error:
        if not on_meta or not error.needs_data:
            raise
        model = target.build_with_data()
        with quiet_output():
            return analyze_named(model, size, settings, name)


def print_error(message: str, error: BaseException, *, verbose: bool) -> None:
    """One line on standard error; with the traceback if it is asked for."""
    click.echo(f"error: {message}", err=True)
    if verbose:
        click.echo("".join(traceback.format_exception(error)), err=True, nl=False)
