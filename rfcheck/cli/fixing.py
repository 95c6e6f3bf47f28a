"""``--fix``, ``--unsafe-fixes`` and ``--diff``: changes in the source files before they are linted."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import click

from rfcheck.cli.model_arguments import require_used
from rfcheck.cli.options import EXIT_CLEAN, EXIT_ERROR, EXIT_FINDINGS, EXIT_NOTHING
from rfcheck.cli.requests import Request
from rfcheck.errors import FixError, NothingToAnalyzeError, RfcheckError
from rfcheck.printable import printable


def fix_requests(
    requests: Sequence[Request], names: Sequence[str] = (), *, unsafe: bool, diff: bool, width: int, skip_empty: bool
) -> int:
    """Make the changes that the targets' findings ask for, or print them; what was done is said on standard error.

    Targets that are no Python files are passed over where others are. What cannot be analysed is left to the linting that follows;
    where changes are only printed, none does, and it is said here.

    Args:
        requests: what is to be linted.
        names: of the fixes to make; those that findings ask for if empty.
        unsafe: whether to make changes that alter what a model computes, too.
        diff: whether to print the changes instead of making them.
        width: of the terminal, in columns.
        skip_empty: whether to pass over files that hold no model, silently.

    Returns:
        EXIT_CLEAN; EXIT_FINDINGS if changes were printed; EXIT_ERROR if a file cannot be edited. Where changes are only printed,
        EXIT_ERROR also if a file cannot be analysed, and EXIT_NOTHING if none holds a model.
    """
    codes: set[int] = set()
    _require_arguments_used(requests)
    for request in _with_a_file(requests):
        try:
            codes.add(_fix(request, requests, names, unsafe=unsafe, diff=diff, width=width))
        except RfcheckError as error:
            is_empty = isinstance(error, NothingToAnalyzeError)
            if isinstance(error, FixError) or (diff and not (is_empty and skip_empty)):
                click.echo(f"error: {printable(str(error))}", err=True)
                codes.add(EXIT_NOTHING if is_empty else EXIT_ERROR)
    return next((code for code in (EXIT_ERROR, EXIT_FINDINGS, EXIT_CLEAN, EXIT_NOTHING) if code in codes), EXIT_CLEAN)


def _with_a_file(requests: Sequence[Request]) -> Sequence[Request]:
    """The requests that name Python files; all of them if none does."""
    from rfcheck.target.spec import parse_target

    found = [request for request in requests if parse_target(request.target).kind == "file"]
    for request in requests if found else ():
        if request not in found:
            click.echo(f"{printable(request.target)}: no fixes: they are made in Python files only", err=True)
    return found or requests


def _require_arguments_used(requests: Sequence[Request]) -> None:
    """Refuse arguments that no model takes before a file is changed."""
    if not any(request.arguments for request in requests):
        return
    from rfcheck.target.isolation import own_imports
    from rfcheck.target.load import load_targets
    from rfcheck.target.obvious import Given

    labels: list[str] = []
    for request in requests:
        with suppress(RfcheckError), own_imports():  # what cannot be loaded is said when it is fixed or linted
            given = Given.of(request.size, request.settings, request.arguments)
            labels += [target.label for target in load_targets(request.target, given=given)]
    require_used(requests[0].arguments, labels)


def _fix(request: Request, requests: Sequence[Request], names: Sequence[str], *, unsafe: bool, diff: bool, width: int) -> int:
    from rfcheck.cli.source_elsewhere import of_the_same_file
    from rfcheck.cli.source_fixing import fix_sources
    from rfcheck.report.source_diff import source_diff
    from rfcheck.report.source_fixing import fixing_text

    others = of_the_same_file(request, requests)
    fixing = fix_sources(
        request.target,
        request.size,
        request.settings,
        unsafe=unsafe,
        diff=diff,
        names=names,
        others=others,
        arguments=request.arguments,
    )
    is_shown = diff and fixing.after != fixing.before
    if is_shown:
        click.echo(source_diff(fixing.path, fixing.before, fixing.after), nl=False)
    click.echo(fixing_text(fixing, width), err=True, nl=False)
    return EXIT_FINDINGS if is_shown else EXIT_CLEAN
