"""The command line: one file a verb; the default verb is check."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import click

from rfcheck import __version__
from rfcheck.cli.check import check
from rfcheck.cli.clean import clean
from rfcheck.cli.compare import compare
from rfcheck.cli.completions import VARIABLE as COMPLETION
from rfcheck.cli.completions import completions
from rfcheck.cli.config import config
from rfcheck.cli.default_verb import BROKEN_PIPE, DefaultVerb
from rfcheck.cli.fix import fix
from rfcheck.cli.graph import graph
from rfcheck.cli.leaving import leave
from rfcheck.cli.options import EXIT_ERROR
from rfcheck.cli.rule import rule
from rfcheck.cli.signs import substitute_signs
from rfcheck.cli.sweep import sweep
from rfcheck.cli.usage_errors import usage_sentence
from rfcheck.cli.verify import verify
from rfcheck.printable import printable

INTERRUPTED = 128 + signal.SIGINT


@click.group(cls=DefaultVerb, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="rfcheck", message="%(prog)s %(version)s", help="Show the version and exit.")
def cli() -> None:
    """Find the layers of a convolutional network that cannot help at the resolution it will be fed.

    Where no verb is given, it is check, whose options are listed here; the other verbs have a --help of their own. Without a
    TARGET, the models that the configuration lists are checked. Analysing Python code runs it, as importing it does.
    """


for _verb in (check, clean, compare, completions, config, fix, graph, rule, sweep, verify):
    cli.add_command(_verb)


def main(args: list[str] | None = None) -> Any:
    """Run the command line and leave with its exit code."""
    if COMPLETION in os.environ:
        from rfcheck.cli.shells import answer

        candidates = answer(os.environ[COMPLETION], cli)
        click.echo(candidates or "", nl=candidates is not None)
        sys.exit(candidates is None)
    _stand_in_for_closed_streams()
    substitute_signs()
    words = sys.argv[1:] if args is None else args
    code: Any = BROKEN_PIPE
    try:
        code = _run(args, words)
        sys.stdout.flush()
    except BrokenPipeError:
        _write_nowhere()
    code = code if isinstance(code, int) else 0
    if args is None:
        leave(code)
    sys.exit(code)


def _run(args: list[str] | None, words: list[str]) -> Any:
    """Run the command line; returns its exit code, or what else a verb returns."""
    try:
        Path.cwd()
    except FileNotFoundError:
        click.echo("error: the current folder does not exist any more; change to another one", err=True)
        return EXIT_ERROR
    try:
        return cli.main(args=args, prog_name="rfcheck", standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except click.UsageError as error:
        click.echo(f"error: {printable(usage_sentence(error))}", err=True)
        return error.exit_code
    except Exception as error:
        if {"--verbose", "-v"} & set(words):
            raise
        click.echo(
            f"error: rfcheck itself failed: {type(error).__name__}: {printable(str(error))}; --verbose shows where", err=True
        )
        return EXIT_ERROR


def _stand_in_for_closed_streams() -> None:
    """Let a program that was started with a closed output write nowhere, as if it went to /dev/null."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115 - for as long as the process runs


def _write_nowhere() -> None:
    """Let what is left to write vanish, so that Python does not fail over it while it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
