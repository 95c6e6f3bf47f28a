"""Fixed variants next to the original, for a terminal: accuracy with differences, then costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console

from rfcheck.report.result import plural
from rfcheck.report.tables import plain_table
from rfcheck.report.terminal import Name, print_table, print_wrapped
from rfcheck.report.units import short
from rfcheck.verify.report.points import change_in_percent, duration, p_value, percent_with_interval, points_with_interval

if TYPE_CHECKING:
    from rfcheck.verify.conclusions import VariantResult

_STYLES = {"better": "green", "worse": "red"}


def print_variants(results: Sequence[VariantResult], console: Console) -> None:
    """Accuracies and differences to the original with intervals, then FLOPs, parameters and time per image with their changes.

    Args:
        results: the original first.
        console: where to print.
    """
    _print_accuracies(results, console)
    console.print()
    _print_costs(results, console)
    console.print()
    for result in results:
        if result.variant.description:
            print_wrapped(f"{result.variant.name}: {result.variant.description}", console, "  ", "    ")
    seeds = len(results[0].accuracies)
    source = f"paired over {plural(seeds, 'seed')}" if seeds > 1 else "over the test images"
    key = f"accuracy in percent of the test images and difference in points, with 95% intervals {source}; p: McNemar's exact test"
    print_wrapped(f"{key} on the test images of the first seed; time: of a forward pass per image", console, style="dim")


def _print_accuracies(results: Sequence[VariantResult], console: Console) -> None:
    table = plain_table(
        ("variant", "left"),
        ("accuracy", "right"),
        ("difference", "right"),
        ("p", "right"),
        ("change", "left"),
        names=("variant", "change"),
    )
    for result in results:
        table.add_row(
            result.variant.name,
            percent_with_interval(result.mean),
            "" if result.difference is None else points_with_interval(result.difference),
            p_value(result.p_value),
            Name(result.change or ""),
            style=_STYLES.get(result.change or ""),
        )
    print_table(table, console)


def _print_costs(results: Sequence[VariantResult], console: Console) -> None:
    table = plain_table(
        ("variant", "left"),
        ("FLOPs", "right"),
        ("", "right"),
        ("params", "right"),
        ("", "right"),
        ("time", "right"),
        ("", "right"),
        names=("variant",),
    )
    original = results[0]
    for result in results:
        table.add_row(
            result.variant.name,
            short(result.variant.flops),
            change_in_percent(original.variant.flops, result.variant.flops),
            short(result.variant.params),
            change_in_percent(original.variant.params, result.variant.params),
            duration(result.seconds_per_image),
            change_in_percent(original.seconds_per_image, result.seconds_per_image),
        )
    print_table(table, console)
