"""``rfcheck rule RF101``: print the page of a rule."""

from __future__ import annotations

import math
import sys

import click

from rfcheck.cli.file_candidates import folders as folder_candidates
from rfcheck.cli.help import Verb
from rfcheck.cli.rule_candidates import rules
from rfcheck.printable import printable


@click.command(cls=Verb, short_help="Explain a rule, or list all.")
@click.argument("code", required=False, metavar="[CODE]", shell_complete=rules)
@click.option(
    "--rules",
    "folders",
    multiple=True,
    metavar="FOLDER",
    shell_complete=folder_candidates,
    help="Folder with further rules; repeatable.",
)
def rule(code: str | None, folders: tuple[str, ...]) -> None:
    """Explain a rule, by code (RF101) or name; without one, list all."""
    from rfcheck.linting.rule import all_rules, find_rule

    if code is None:
        for listed in all_rules(folders):
            click.echo(f"{listed.code}  {listed.name}  [{listed.severity}]")
        return
    found = find_rule(code, folders)
    click.echo(f"{found.code} {found.name} [{found.severity}]\n")
    body = "\n".join(map(printable, found.body.splitlines()))
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.markdown import Markdown

        Console().print(Markdown(body))
    else:
        click.echo(body)
    if found.limits:
        click.echo("\nLimits: " + ", ".join(f"{name} = {_shown(value)}" for name, value in found.limits.items()))
    if found.sources:
        click.echo("Sources: " + "; ".join(map(printable, found.sources)))


def _shown(limit: float) -> str:
    return "off" if math.isinf(limit) else f"{limit:g}"
