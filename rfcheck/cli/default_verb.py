"""The group of verbs, whose first word may be a target: then the verb is check."""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rfcheck.cli.help import write_section
from rfcheck.errors import RfcheckError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

DEFAULT = "check"
BROKEN_PIPE = 128 + 13
"""What a shell says of a tool that wrote to a pipe which nobody reads any more."""

_OWN_OPTIONS = ("--help", "-h", "--version")


class DefaultVerb(click.Group):
    """A group of verbs, of which one need not be named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Name the default verb where none is named."""
        if not args:
            args = [] if ctx.resilient_parsing else [DEFAULT]
        elif args[0] not in self.commands and args[0] not in _OWN_OPTIONS:
            if not ctx.resilient_parsing and not args[0].startswith("-"):
                self._refuse_misspelt(ctx, args[0])
            args = [DEFAULT, *args]
        return super().parse_args(ctx, args)

    def _refuse_misspelt(self, ctx: click.Context, word: str) -> None:
        """Refuse a word that looks like a verb and stands for no target."""
        known = {**{name: name for name in self.commands}, "help": "--help", "version": "--version"}
        near = difflib.get_close_matches(word, known, 1, 0.7)
        if near and not Path(word).exists() and word not in _configured_names():
            raise click.UsageError(f"no verb {word!r}; did you mean {known[near[0]]}?", ctx)

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Read the command line, and print the help or the version if it asks for them."""
        with _quiet_where_nobody_reads():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb."""
        with _quiet_where_nobody_reads():
            return super().invoke(ctx)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Verbs, and what may follow the one that need not be named."""
        verb = self.commands[DEFAULT]
        found = super().shell_complete(ctx, incomplete)
        with click.Context(verb, info_name=DEFAULT, parent=ctx) as inner:
            found += verb.shell_complete(inner, incomplete)
            if not incomplete.startswith("-"):
                found += verb.params[0].shell_complete(inner, incomplete)
        return list({item.value: item for item in found}.values())

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write both synopses."""
        formatter.write_usage(ctx.command_path, "[check] [TARGET]... [OPTIONS]")
        formatter.write_usage(ctx.command_path, "VERB [OPTIONS]", prefix="       ")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the verbs, and the options of the default one."""
        write_section(formatter, "Verbs", [(name, command.short_help or "") for name, command in sorted(self.commands.items())])
        with click.Context(self.commands[DEFAULT], info_name=DEFAULT, parent=ctx) as inner:
            self.commands[DEFAULT].format_options(inner, formatter)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what the page of the default verb says below its options."""
        self.commands[DEFAULT].format_epilog(ctx, formatter)


@contextlib.contextmanager
def _quiet_where_nobody_reads() -> Iterator[None]:
    """End as other tools do where nobody reads the output any more; click by itself would leave with what stands for findings."""
    try:
        yield
    except BrokenPipeError:
        raise click.exceptions.Exit(BROKEN_PIPE) from None


def _configured_names() -> set[str]:
    """Names of configured models; none where the configuration cannot be read."""
    from rfcheck.configuration.reading import configuration_for

    with contextlib.suppress(RfcheckError, OSError):
        configuration = configuration_for(None)
        return {entry.name for entry in configuration.models} if configuration is not None else set()
    return set()
