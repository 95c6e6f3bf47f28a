"""``rfcheck config``: print the settings that hold, and where each came from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rfcheck.cli.help import Verb
from rfcheck.cli.target_candidates import targets as target_candidates
from rfcheck.errors import TargetError
from rfcheck.printable import printable

if TYPE_CHECKING:
    from rfcheck.configuration.reading import Configuration, ModelEntry


@click.command(cls=Verb, short_help="Show the settings that hold, and where each came from.")
@click.argument("target", required=False, metavar="[TARGET]", shell_complete=target_candidates)
@click.option(
    "--format", "output_format", type=click.Choice(["table", "json"]), default="table", show_default=True, help="How to print."
)
@click.option("--schema", is_flag=True, help="Print the JSON schema of configuration files, for editors.")
def config(target: str | None, output_format: str, schema: bool) -> None:
    """Show the settings that hold for a target or a configured model, and where each came from.

    They are read from rfcheck.toml, or [tool.rfcheck] in pyproject.toml, in the target's folder or the nearest one above it that
    has either; without a target, in the current folder or above.
    """
    if schema:
        from rfcheck.configuration.schema import schema_text

        click.echo(schema_text(), nl=False)
        return
    from rfcheck.cli.configured_rules import require_known_rules
    from rfcheck.configuration.reading import configuration_for

    configuration = configuration_for(target)
    if configuration is not None:
        require_known_rules(configuration)
    entries = () if target is None or configuration is None else configuration.entries_for(target)
    if target is not None and not entries:
        _require_target(target, configuration)
    if output_format == "json":
        from rfcheck.report.settings_json import settings_json

        shown = configuration.models if target is None and configuration is not None else entries
        click.echo(settings_json(configuration, shown))
    else:
        _print(configuration, target, entries)


def _require_target(target: str, configuration: Configuration | None) -> None:
    """Refuse what is neither a configured model nor a target, or a file that does not exist."""
    from rfcheck.cli.requests import require_form
    from rfcheck.configuration.values import target_file

    require_form(target, configuration)
    file = target_file(target)
    if file is not None and not Path(file).is_file():
        raise TargetError(f"{file}: no such file")


def _print(configuration: Configuration | None, target: str | None, entries: tuple[ModelEntry, ...]) -> None:
    from rich.console import Console

    from rfcheck.configuration.layers import effective
    from rfcheck.report.settings_table import print_models, print_settings

    console = Console(highlight=False, soft_wrap=False)
    click.echo("\n".join(map(printable, _source(configuration, target))))
    for entry in entries:
        click.echo("\n" + printable(entry.name + (f" ({entry.target})" if entry.name != entry.target else "")))
        print_settings(effective(configuration, entry, {}), console)
    if not entries:
        click.echo()
        print_settings(effective(configuration, None, {}), console)
    if configuration is not None and target is None and configuration.models:
        click.echo()
        print_models(configuration, console)


def _source(configuration: Configuration | None, target: str | None) -> list[str]:
    """Which file holds, and which one beside it does not, a line each."""
    from rfcheck.configuration.file import overruled
    from rfcheck.configuration.values import target_file

    if configuration is None:
        file = None if target is None else target_file(target)
        folder = Path.cwd() if file is None else Path(file).absolute().parent
        return [f"No rfcheck.toml and no pyproject.toml with [tool.rfcheck] in {folder} or above; these are the defaults."]
    other = overruled(configuration.file)
    note = [] if other is None else [f"[tool.rfcheck] in the {other.name} beside it does not count."]
    return [str(configuration.file.folder / configuration.file.label), *note]
