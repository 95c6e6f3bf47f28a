"""A comparison as text for a terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby

from rich.console import Console
from rich.table import Table
from rich.text import Text

from rfcheck.input_size import input_text
from rfcheck.linting.finding import Finding
from rfcheck.printable import printable
from rfcheck.report.comparison import Comparison, Pair
from rfcheck.report.layer_changes_table import ARROW, layer_changes_table, narrowing_table
from rfcheck.report.result import plural
from rfcheck.report.terminal import Name, print_table, print_wrapped
from rfcheck.report.units import extents, percent, short
from rfcheck.report.versions import Analyzed, ModelChange, Versions, verdict

SHOWN = 20
"""Rows and names of layers that are printed unless all are asked for."""

_MARGIN = "  "


def print_versions(versions: Versions, fail_on: str, console: Console, *, all_layers: bool = False) -> None:
    """Print what changed in every model, then a verdict; one line per model in which nothing changed.

    Args:
        versions: what was compared.
        fail_on: mildest severity of a new finding that makes the second version worse, or "never".
        console: where to print; its width wraps the text.
        all_layers: whether to print all changed layers, not only the first.
    """
    for model in versions.models:
        _print_model(model, console, all_layers)
    for result in versions.removed:
        print_wrapped(f"only before: {result.target}", console)
        _print_gone(result.analysis.findings, console)
    for result in versions.added:
        print_wrapped(f"only after: {result.target}", console)
        _print_new(result.analysis.findings, console)
    if not versions.is_empty:
        if versions.removed or versions.added:
            console.print()
        print_wrapped(verdict(versions, fail_on), console, style="bold")


def _print_model(model: ModelChange, console: Console, all_layers: bool) -> None:
    network = model.after.analysis.network
    size = input_text(network.channels, network.input_size)
    comparison = model.comparison
    if comparison.is_empty:
        kept = f"; {plural(len(comparison.kept), 'finding')} in both" if comparison.kept else ""
        line = f"{_title(model.before, model.after)} at {size}: nothing changed{kept}"
        console.print(printable(line), markup=False, highlight=False, soft_wrap=True)
        return
    print_wrapped(f"{_title(model.before, model.after)} at {size}", console, style="bold")
    console.print()
    print_table(_totals_table(comparison), console)
    console.print()
    _print_layers(comparison, console, all_layers)
    _print_gone(comparison.gone, console)
    _print_new(comparison.new, console)
    if comparison.kept:
        print_wrapped(f"{plural(len(comparison.kept), 'finding')} in both", console, indent=_MARGIN)
    if comparison.gone or comparison.new or comparison.kept:
        console.print()


def _title(before: Analyzed, after: Analyzed) -> str:
    return f"{before.target} {ARROW} {after.target}"


def _totals_table(comparison: Comparison) -> Table:
    totals = comparison.totals
    table = narrowing_table("", "before", "after", "change")
    table.add_row(*_number_row("FLOPs", totals.flops, short))
    table.add_row(*_number_row("parameters", totals.params, short))
    table.add_row(*_number_row("activations", totals.activation_bytes, lambda count: short(count, "B")))
    table.add_row(*_number_row("unproductive layers", totals.unproductive_layers, str))
    table.add_row(*_number_row("layers in the tail", totals.tail_layers, str))
    for name, pair in (
        ("r_max of the last map, px", totals.r_max),
        ("no unproductive layer from, px", totals.lowest_resolution),
        ("last map sees whole up to, px", totals.highest_resolution),
    ):
        table.add_row(Name(name), extents(pair.before), extents(pair.after), percent_of_extents(pair))
    for name, border in (("b_min", comparison.border_min), ("b_max", comparison.border_max)):
        table.add_row(Name(name), Name(border.before or "-"), Name(border.after or "-"), _move(border))
    return table


def _number_row(name: str, pair: Pair[int], text: Callable[[int], str]) -> tuple[Name, str, str, str]:
    return Name(name), text(pair.before), text(pair.after), percent(pair.before, pair.after)


def _move(border: Pair[str | None]) -> str:
    if not border.changed:
        return ""
    return "new" if border.before is None else "gone" if border.after is None else "moved"


def percent_of_extents(pair: Pair[tuple[float, ...] | None]) -> str:
    """The change of extents that are finite and the same on every axis."""
    sides = [set(values or ()) for values in (pair.before, pair.after)]
    if any(len(side) != 1 or float("inf") in side for side in sides):
        return ""
    return percent(sides[0].pop(), sides[1].pop())


def _print_layers(comparison: Comparison, console: Console, all_layers: bool) -> None:
    """Names of added and removed layers, then a table of the changed ones."""
    limit = None if all_layers else SHOWN
    for word, layers in (("removed", comparison.removed), ("added", comparison.added)):
        if layers:
            names = ", ".join(layer.name for layer in layers[:limit])
            more = f" and {len(layers) - limit} more" if limit is not None and len(layers) > limit else ""
            print_wrapped(f"{word} {plural(len(layers), 'layer')}: {names}{more}", console, indent=_MARGIN)
            console.print()
    if not comparison.changed:
        return
    table, left = layer_changes_table(comparison.changed, limit)
    print_wrapped(f"changed {plural(len(comparison.changed), 'layer')}:", console, indent=_MARGIN)
    print_table(table, console)
    if left:
        print_wrapped(f"and {plural(left, 'more row')}; --layers shows all", console, indent=_MARGIN)
    console.print()


def _print_gone(findings: Sequence[Finding], console: Console) -> None:
    """A line per rule, with the layers that it no longer finds."""
    for code, group in groupby(sorted(findings, key=lambda f: f.code), key=lambda f: f.code):
        fixed = list(group)
        layers = ", ".join(finding.layer for finding in fixed if finding.layer)
        print_wrapped(
            f"fixed {code} {fixed[0].name} [{fixed[0].severity}] {layers}".rstrip(), console, _MARGIN, _MARGIN * 2, "green"
        )


def _print_new(findings: Sequence[Finding], console: Console) -> None:
    """Every finding with its message."""
    for finding in findings:
        title = Text(f"{_MARGIN}new {finding.code} {finding.name} [{finding.severity}]", style="red")
        title.append(f" {printable(finding.layer)}" if finding.layer else "", style="bold")
        console.print(title, soft_wrap=True)
        print_wrapped(finding.message, console, indent=_MARGIN * 2)
