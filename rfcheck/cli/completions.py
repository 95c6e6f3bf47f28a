"""``rfcheck completions bash``: print the script that makes a shell complete rfcheck's command line."""

from __future__ import annotations

import click

from rfcheck.cli.help import Verb

VARIABLE = "_RFCHECK_COMPLETE"
"""Environment variable in which a script says who asks what may come next: "bash_complete"."""


@click.command(cls=Verb, short_help="Print a script that completes commands in a shell.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]), metavar="bash|zsh|fish")
@click.pass_context
def completions(ctx: click.Context, shell: str) -> None:
    """Print the script that makes a shell complete verbs, options, targets, rules, limits, formats and fixes.

    A target may be a file, what is defined in it, a configured model or a catalogue model. Nothing is imported or run for that.
    """
    from rfcheck.cli.shells import script

    click.echo(script(shell, ctx.find_root().command), nl=False)
