"""Tables for a terminal: all layers, and the two paths behind a layer's receptive field."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from rfcheck.analysis.layers import Layer
from rfcheck.input_size import crossed
from rfcheck.printable import printable
from rfcheck.report.terminal import LEAST, Name, console_for, empty_table, print_table, print_wrapped, text_of
from rfcheck.report.units import extents, short

if TYPE_CHECKING:
    from rich.console import JustifyMethod

    from rfcheck.analysed import Analysis
    from rfcheck.analysis.cost import Cost
    from rfcheck.report.result import Run
    from rfcheck.report.view import View


_KEY = (
    "k/s: kernel and stride, d: dilation; channels: in:out; out: size of the output map; r_in: what the layer's input sees, "
    "along the smallest and the largest path; r: what its output sees at most, all in pixels; status: ok (productive), "
    "unproductive, tail, unknown, or the role of a layer that is not judged"
)


def print_tables(run: Run, view: View, console: Console) -> None:
    """What is asked for beside the findings: all layers of every model, and explanations."""
    for result in run.results:
        if view.layers:
            console.print(f"\n{result.target}", style="bold", markup=False, highlight=False)
            print_layers(result.snapshot.layers, result.snapshot.cost, console)
        if result.target in view.explanations:
            console.print()
            console.print(Text.from_ansi(view.explanations[result.target]), soft_wrap=True)


def plain_table(*columns: tuple[str, JustifyMethod], names: Collection[str] = ("layer", "")) -> Table:
    """A table without rows.

    Args:
        columns: their heads, and how they are justified.
        names: columns whose cells may be a `Name`, which gives way where the terminal is narrow; numbers do not.
    """
    table = empty_table()
    for name, justify in columns:
        wide = name in names
        table.add_column(name, justify=justify, no_wrap=not wide, min_width=LEAST if wide else None)
    return table


def print_layers(layers: Sequence[Layer], cost: Cost, console: Console) -> None:
    """Every call that is listed as a layer, a row each; then the cost of the whole model, and what the columns mean."""
    table = plain_table(
        ("layer", "left"),
        ("kind", "left"),
        ("k/s", "right"),
        ("channels", "right"),
        ("out", "right"),
        ("r_in", "right"),
        ("r", "right"),
        ("params", "right"),
        ("FLOPs", "right"),
        ("status", "left"),
    )
    for layer in layers:
        table.add_row(
            Name(layer.name),
            layer.kind,
            _kernel(layer),
            channels(layer),
            extents(layer.out_size),
            span(layer),
            extents(layer.r_max),
            short(layer.params) if layer.params else "",
            short(layer.flops) if layer.flops else "",
            status(layer),
            style={"tail": "red", "unproductive": "yellow"}.get(status(layer)),
        )
    table.add_section()
    table.add_row("whole model", *[""] * 6, short(cost.params), short(cost.flops), "", style="bold")
    print_table(table, console)
    print_wrapped(_KEY, console, style="dim")


def channels(layer: Layer) -> str:
    """Channels in and out; nothing for a layer that makes none."""
    return "" if layer.out_channels is None else f"{layer.in_channels}:{layer.out_channels}"


def _kernel(layer: Layer) -> str:
    if layer.kernel is None:
        return ""
    dilation = "" if layer.dilation is None or set(layer.dilation) == {1} else f"d{extents(layer.dilation)}"
    return f"{extents(layer.kernel)}/{extents(layer.stride)}{dilation}"


def span(layer: Layer) -> str:
    """What the layer's input sees, along the smallest and the largest path."""
    low, high = extents(layer.r_in_min), extents(layer.r_in_max)
    return low if low == high else f"{low}-{high}"


def status(layer: Layer) -> str:
    """One word on a layer: its role outside the feature path, else how it was judged."""
    if layer.in_tail:
        return "tail"
    if layer.role != "features":
        return layer.role
    if not layer.judged:
        return ""
    return {True: "ok", False: "unproductive", None: "unknown"}[layer.productive]


def explanation(analysis: Analysis, name: str, view: View) -> str:
    """`print_explanation` as text."""
    console = console_for(view)
    print_explanation(analysis, name, console)
    return text_of(console)


def print_explanation(analysis: Analysis, name: str, console: Console) -> None:
    """The paths that give a layer its r_min and its r_max, layer by layer."""
    layer = analysis.layer(name)
    size = crossed(analysis.input_size)
    sees = f"r_min {extents(layer.r_min)}, r_max {extents(layer.r_max)}"
    console.print(
        f"{printable(layer.name)} at {size}: {sees}; its input sees {span(layer)} px", style="bold", highlight=False, markup=False
    )
    paths = {bound: analysis.path(name, bound) for bound in ("min", "max")}
    same = paths["min"] == paths["max"]
    for bound, path in paths.items():
        if same and bound == "max":
            break
        title = "the only path" if same and layer.r_min == layer.r_max else f"path of r_{bound}"
        console.print(f"\n{title} ({len(path)} layers)", highlight=False, markup=False)
        _print_path(analysis, path, bound, console)
    if same and layer.r_min != layer.r_max:
        console.print("\nthe path of r_max runs through the same layers", highlight=False)


def _print_path(analysis: Analysis, path: list[str], bound: str, console: Console) -> None:
    table = plain_table(
        ("layer", "left"), ("k", "right"), ("s", "right"), ("d", "right"), ("jump", "right"), (f"r_{bound}", "right")
    )
    for name in path:
        layer = analysis.layer(name)
        table.add_row(
            Name(name),
            extents(layer.kernel) if layer.kernel else "",
            extents(layer.stride) if layer.stride else "",
            extents(layer.dilation) if layer.dilation else "",
            extents(layer.jump),
            extents(layer.r_min if bound == "min" else layer.r_max),
        )
    print_table(table, console)
