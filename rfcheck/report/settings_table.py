"""Settings and where each of them came from, for a terminal."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.table import Table

from rfcheck.configuration.keys import LAYERED
from rfcheck.configuration.layers import Effective, effective
from rfcheck.configuration.reading import Configuration, ModelEntry
from rfcheck.input_size import crossed
from rfcheck.quantities import parse_number
from rfcheck.report.terminal import Name, empty_table, print_table
from rfcheck.report.units import short

_ABSENT = {key.name: key.absent for key in LAYERED}


def print_settings(settings: Effective, console: Console) -> None:
    """Every setting, a row each: its key, its value, and who says so."""
    table = _table("setting", "value", "from")
    for key in rows(settings):
        table.add_row(*map(Name, (key, shown(key, settings.values[key]), settings.origins[key])))
    print_table(table, console)


def print_models(configuration: Configuration, console: Console) -> None:
    """The configured models, a row each, with what they set themselves."""
    table = _table("name", "target", "own settings")
    for entry in configuration.models:
        name = "" if entry.name == entry.target else entry.name
        table.add_row(*map(Name, (name, entry.target, ", ".join(_own(configuration, entry)))))
    print_table(table, console)


def rows(settings: Effective) -> Iterator[str]:
    """The keys that hold, in the order of the table of keys; overrides of rules at the end."""
    yield from (key.name for key in LAYERED if key.name in settings.values)
    yield from sorted(key for key in settings.values if key.startswith("rules."))


def shown(key: str, value: Any) -> str:
    """A value as it would be written on the command line."""
    if value is None or value == ():
        return _ABSENT[key]
    if key == "resolution" and isinstance(value, tuple):
        return crossed(value)
    if isinstance(value, tuple):
        return ("," if key == "input-size" else ", ").join(map(str, value))
    return _number(value) if isinstance(value, (int, float)) else str(value)


def _own(configuration: Configuration, entry: ModelEntry) -> Iterator[str]:
    settings = effective(configuration, entry, {})
    for key in rows(settings):
        if settings.origins[key] == entry.origin and not (key == "channels" and "input-size" in entry.values):
            yield f"{key} {shown(key, settings.values[key])}"


def _number(value: float) -> str:
    """A number with a suffix where nothing is lost by it."""
    if math.isinf(value):
        return "off" if value > 0 else "-inf"
    text = short(value).replace(" ", "")
    return text if parse_number(text) == value else str(value)


def _table(*columns: str) -> Table:
    table = empty_table()
    for name in columns:
        table.add_column(name)
    return table
