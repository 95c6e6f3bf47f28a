"""Layers that changed between two models, as a table for a terminal."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import groupby

from rich.table import Table

from rfcheck.analysis.layers import Layer
from rfcheck.report.comparison import LayerChange
from rfcheck.report.tables import channels, span, status
from rfcheck.report.terminal import LEAST, Name, empty_table
from rfcheck.report.units import extents

ARROW = "→"
_WRAPPED = ("before", "after", "status")
_COLUMNS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("k/s", ("kind", "kernel", "stride", "dilation", "groups", "padding")),
    ("channels", ("in_channels", "out_channels")),
    ("size", ("out_size", "in_size")),
    ("r_in", ("r_in_min", "r_in_max")),
    ("r", ("r_max",)),
    ("status", ("productive", "in_tail")),
)
"""Columns of the changed layers, and the fields of which each tells."""


def layer_changes_table(changes: Sequence[LayerChange], limit: int | None) -> tuple[Table, int]:
    """A row per changed layer, or per run of neighbours that changed in the same way; columns that tell nothing are left out.

    Args:
        changes: in execution order.
        limit: rows at most; None for all.

    Returns:
        The table, and how many rows are left out.
    """
    rows = folded_rows(changes)
    used = [column for column in range(len(_COLUMNS)) if any(cells[column] for _, cells in rows)]
    table = narrowing_table("layer", *(_COLUMNS[column][0] for column in used))
    for name, cells in rows[:limit]:
        table.add_row(Name(name), *(cells[column] for column in used))
    return table, len(rows) - table.row_count


def narrowing_table(first: str, *others: str) -> Table:
    """Texts in the first column, which gives way where the terminal is narrow, and the last; numbers between them."""
    table = empty_table()
    table.add_column(first, min_width=LEAST)
    for name in others:
        table.add_column(name, justify="left" if name == "status" else "right", no_wrap=name not in _WRAPPED)
    return table


def folded_rows(changes: Sequence[LayerChange]) -> list[tuple[str, tuple[str, ...]]]:
    """A name and the cells of `_COLUMNS` per changed layer; neighbours with the same cells share a row."""
    numbered = [(change.position - index, _cells(change), change.after.name) for index, change in enumerate(changes)]
    rows: list[tuple[str, tuple[str, ...]]] = []
    for (_, cells), group in groupby(numbered, key=lambda item: item[:2]):
        names = [name for _, _, name in group]
        rows.append((names[0] if len(names) == 1 else f"{names[0]} ... {names[-1]} ({len(names)})", cells))
    return rows


def _cells(change: LayerChange) -> tuple[str, ...]:
    """Before and after in every column that tells of a changed field."""
    changed = set(change.fields)
    return tuple(_cell(change, title, changed.intersection(fields)) for title, fields in _COLUMNS)


def _cell(change: LayerChange, title: str, changed: Collection[str]) -> str:
    if not changed:
        return ""
    before, after = (_shown(layer, title, changed) for layer in (change.before, change.after))
    return f"{before or '-'}{ARROW}{after or '-'}"


def _shown(layer: Layer, title: str, changed: Collection[str]) -> str:
    """A layer in one column: of its sizes that of the output, and its padding, only where nothing else changed."""
    if title == "k/s":
        window = f"p{_sizes(layer.padding)}" if set(changed) == {"padding"} else _window(layer)
        return f"{layer.kind} {window}".rstrip() if "kind" in changed else window
    if title == "channels":
        return channels(layer)
    if title == "size":
        return extents(layer.out_size) if "out_size" in changed else f"in {extents(layer.in_size)}"
    if title == "r_in":
        return span(layer)
    return extents(layer.r_max) if title == "r" else status(layer)


def _window(layer: Layer) -> str:
    if layer.kernel is None:
        return ""
    dilation = "" if layer.dilation is None or set(layer.dilation) == {1} else f"d{_sizes(layer.dilation)}"
    groups = "" if layer.groups in (None, 1) else f"g{layer.groups}"
    return f"{_sizes(layer.kernel)}/{_sizes(layer.stride)}{dilation}{groups}"


def _sizes(values: tuple[int, ...] | None) -> str:
    return "-" if values is None else extents(values)
