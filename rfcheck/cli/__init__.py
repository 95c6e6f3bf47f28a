"""The command line: one file a verb; the default verb is check."""

from __future__ import annotations

import sys
from typing import Any

import click

from rfcheck import __version__
from rfcheck.cli.check import check
from rfcheck.cli.compare import compare
from rfcheck.cli.fix import fix
from rfcheck.cli.rule import rule
from rfcheck.cli.sweep import sweep
from rfcheck.errors import RfcheckError

INTERRUPTED = 130


class _DefaultVerb(click.Group):
    """A group whose first argument may be a target: then the verb is check."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        own = {"--help", "-h", "--version"}
        if args and args[0] not in self.commands and args[0] not in own:
            args = ["check", *args]
        return super().parse_args(ctx, args)

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_usage("rfcheck", "[check] TARGET... --resolution 32 [OPTIONS]", "Usage: ")
        self.format_help_text(ctx, formatter)
        with click.Context(check, info_name="check", parent=ctx) as inner:
            check.format_options(inner, formatter)
        self.format_commands(ctx, formatter)
        self.format_epilog(ctx, formatter)


@click.group(
    cls=_DefaultVerb,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 no findings, 1 findings at or above --fail-on, 2 an error, 3 nothing to analyse.",
)
@click.version_option(__version__, prog_name="rfcheck", message="%(prog)s %(version)s")
def cli() -> None:
    """Find the layers of a convolutional network that cannot help at the resolution it will be fed.

    A TARGET is a Python file (model.py), a name in one (model.py:Net, model.py:build(num_classes=10)), a name in a module
    (package.module:Net), or a catalogue model (torchvision:resnet18, timm:resnet50). Analysing a target runs its code.
    """


cli.add_command(check)
cli.add_command(compare)
cli.add_command(fix)
cli.add_command(rule)
cli.add_command(sweep)


def main(args: list[str] | None = None) -> Any:
    """Run the command line and leave with its exit code."""
    try:
        code = cli.main(args=args, prog_name="rfcheck", standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("interrupted", err=True)
        code = INTERRUPTED
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except RfcheckError as error:
        click.echo(f"error: {error}", err=True)
        code = 2
    except Exception as error:
        if {"--verbose", "-v"} & set(sys.argv[1:] if args is None else args):
            raise
        click.echo(f"error: rfcheck itself failed: {type(error).__name__}: {error}; --verbose shows where", err=True)
        code = 2
    sys.exit(code if isinstance(code, int) else 0)
