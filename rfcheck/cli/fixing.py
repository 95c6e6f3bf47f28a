"""``--fix``, ``--unsafe-fixes`` and ``--diff``: changes in the source files before they are linted."""

from __future__ import annotations

from collections.abc import Sequence

import click

from rfcheck.cli.options import EXIT_CLEAN, EXIT_ERROR, EXIT_FINDINGS
from rfcheck.cli.requests import Request
from rfcheck.errors import FixError


def fix_requests(requests: Sequence[Request], *, unsafe: bool, diff: bool, width: int) -> int:
    """Make the changes that the targets' findings ask for, or print them; what was done is said on standard error.

    Args:
        requests: what is to be linted.
        unsafe: whether to make changes that alter what a model computes, too.
        diff: whether to print the changes instead of making them.
        width: of the terminal, in columns.

    Returns:
        EXIT_CLEAN; EXIT_FINDINGS if changes were printed; EXIT_ERROR if a file cannot be edited.

    Raises:
        RfcheckError: if a target cannot be analysed.
    """
    from rfcheck.cli.source_fixing import fix_sources
    from rfcheck.report.source_diff import source_diff
    from rfcheck.report.source_fixing import fixing_text

    code = EXIT_CLEAN
    for request in requests:
        try:
            fixing = fix_sources(request.target, request.size, request.settings, unsafe=unsafe, diff=diff)
        except FixError as error:
            click.echo(f"error: {error}", err=True)
            code = EXIT_ERROR
            continue
        if diff and fixing.after != fixing.before:
            click.echo(source_diff(fixing.path, fixing.before, fixing.after), nl=False)
            code = code or EXIT_FINDINGS
        click.echo(fixing_text(fixing, width), err=True, nl=False)
    return code
