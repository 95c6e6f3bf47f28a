"""The Markdown report on the page of a GitHub Actions job, beside the annotations."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rfcheck.printable import printable

if TYPE_CHECKING:
    from rfcheck.report.result import Run
    from rfcheck.report.view import View

VARIABLE = "GITHUB_STEP_SUMMARY"
"""Environment variable in which GitHub Actions names the file to append to."""


def append_step_summary(run: Run, view: View, environ: Mapping[str, str]) -> None:
    """Append the Markdown report to the summary of the job; outside GitHub Actions, do nothing.

    A file that cannot be written is named on standard error and is no failure: the annotations say the same.

    Args:
        run: what was found.
        view: how to show it.
        environ: environment variables.
    """
    name = environ.get(VARIABLE)
    if not name:
        return
    from rfcheck.report.formats import render

    try:
        with Path(name).open("a", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            file.write(f"{render('markdown', run, view)}\n")
    except OSError as error:
        reason = error.strerror or str(error)
        click.echo(f"warning: the job summary cannot be written to {printable(name)} ({VARIABLE}): {reason}", err=True)
