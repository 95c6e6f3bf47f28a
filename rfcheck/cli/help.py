"""Help pages of verbs: a synopsis, what the verb does, its options in groups, examples, and what holds for its surroundings."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any

import click

from rfcheck.calling_folder import called_from_here
from rfcheck.cli.analysing import print_error
from rfcheck.cli.options import EXIT_ERROR, EXIT_NOTHING, TIMEOUT
from rfcheck.cli.pages import ENVIRONMENT, FILES, OPTION_GROUPS, PAGES, Example, Page
from rfcheck.errors import NothingToAnalyzeError, RfcheckError
from rfcheck.patience import Patience, patient
from rfcheck.process_end import left_with, process_goes_on

OTHER = "Other options"
"""Heading of the options that are in no group."""

_COLUMN = 25
"""Width of the column of terms; longer ones have a line of their own."""


class Verb(click.Command):
    """A command whose help is the page that `PAGES` has for its name, and which ends an error with one line and an exit code."""

    @property
    def page(self) -> Page:
        """What the help says besides the description and the options."""
        return PAGES[self.name or ""]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the command line; errors know of which verb."""
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            error.ctx = error.ctx or ctx
            raise

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb."""
        arguments = sys.argv[:]
        try:
            with called_from_here(), patient(Patience(ctx.meta.get(TIMEOUT))), process_goes_on():
                return super().invoke(ctx)
        except RfcheckError as error:
            print_error(str(error), error, verbose=ctx.params.get("verbose", False))
            return EXIT_NOTHING if isinstance(error, NothingToAnalyzeError) else EXIT_ERROR
        except SystemExit as error:
            print_error(f"the code of a model left with {left_with(error)}", error, verbose=ctx.params.get("verbose", False))
            return EXIT_ERROR
        finally:
            sys.argv[:] = arguments  # a model's code sees others

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the synopsis."""
        formatter.write_usage(ctx.command_path, self.page.synopsis)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what is to be known before the options, and these group by group."""
        write_section(formatter, *self.page.terms)
        options = [option for option in self.get_params(ctx) if isinstance(option, click.Option)]
        groups = {group: [option for option in options if group_of(option) == group] for group in [*OPTION_GROUPS, OTHER]}
        used = [group for group, found in groups.items() if found]
        for group in used:
            rows = filter(None, (option.get_help_record(ctx) for option in groups[group]))
            heading = group if len(used) > 1 else "Options"
            write_section(formatter, heading, [(f"{name:<{_COLUMN}}", text) for name, text in rows])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - as click calls it
        """Write examples, exit codes, environment variables, files and where to read on."""
        page = self.page
        _write_examples(formatter, page.examples)
        write_section(formatter, "Exit codes", page.exit_codes)
        write_section(formatter, "Environment", [(name, ENVIRONMENT[name]) for name in page.environment])
        write_section(formatter, "Files", [(name, FILES[name]) for name in page.files])
        write_section(formatter, "See also", page.see_also)


def _write_examples(formatter: click.HelpFormatter, examples: Iterable[Example]) -> None:
    with formatter.section("Examples"):
        for example in examples:
            formatter.write(f"{'':{formatter.current_indent}}{example.command}\n")
            with formatter.indentation(), formatter.indentation():
                formatter.write_text(example.meaning)


def write_section(formatter: click.HelpFormatter, heading: str, rows: Iterable[Sequence[str]]) -> None:
    """Write terms and what they mean; nothing without rows."""
    listed = [(name, text) for name, text in rows]
    if listed:
        with formatter.section(heading):
            formatter.write_dl(listed, col_max=_COLUMN)


def group_of(option: click.Option) -> str:
    """The heading below which an option stands."""
    return next((group for group, names in OPTION_GROUPS.items() if set(option.opts) & set(names)), OTHER)
