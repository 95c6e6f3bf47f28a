"""The layer sequence as a line of bars: r against I, the border marked."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from rfcheck.analysis.layers import Layer

_BARS = "▁▂▃▄▅▆▇"
_FULL = "█"
_UNKNOWN = "?"
BORDER = "│"


@dataclass(frozen=True, slots=True)
class Cell:
    """One column of the picture.

    Attributes:
        char: a bar, or the mark of the border.
        state: "productive", "unproductive", "tail", "unknown" or "border".
        marked: whether the column is pointed at.
    """

    char: str
    state: str
    marked: bool = False


def layer_bars(layers: Sequence[Layer], sizes: tuple[int, ...], marked: Collection[str], width: int) -> list[Cell]:
    """A column per judged layer: how much of the image its input sees at least; a full block sees more than all of it.

    Where there are more layers than columns, neighbours share a column that shows the largest of them.

    Args:
        layers: all layers, in execution order.
        sizes: image extent per axis.
        marked: names of layers to point at; a layer that is not judged is pointed at where it would stand.
        width: columns at most.
    """
    judged = [layer for layer in layers if layer.judged]
    if not judged:
        return []
    pointed = _judged_in_place(layers, marked)
    per_column = -(-len(judged) // max(width - 2, 1))  # one for the border, one for a column cut by it
    border = next((i for i, layer in enumerate(judged) if layer.in_tail), None)
    cells: list[Cell] = []
    start = 0
    while start < len(judged):
        if start == border:
            cells.append(Cell(BORDER, "border"))
        end = min(start + per_column, len(judged))
        if border is not None and start < border < end:
            end = border
        group = judged[start:end]
        widest = max(group, key=lambda layer: _seen(layer, sizes) or 0.0)
        cells.append(Cell(_bar(widest, sizes), _state(group), any(layer.name in pointed for layer in group)))
        start = end
    return cells


def _judged_in_place(layers: Sequence[Layer], marked: Collection[str]) -> set[str]:
    """For every marked layer a judged one: itself, or the next behind it, or the last."""
    pointed: set[str] = set()
    waiting = False
    last = ""
    for layer in layers:
        waiting = waiting or layer.name in marked
        if layer.judged:
            last = layer.name
            if waiting:
                pointed.add(layer.name)
                waiting = False
    return pointed | {last} if waiting else pointed


def _seen(layer: Layer, sizes: tuple[int, ...]) -> float | None:
    """Share of the image that the layer's input sees at least, on the axis where that is least."""
    if layer.r_in_min is None:
        return None
    return min(r / size for r, size in zip(layer.r_in_min, sizes, strict=True))


def _bar(layer: Layer, sizes: tuple[int, ...]) -> str:
    seen = _seen(layer, sizes)
    if seen is None:
        return _UNKNOWN
    return _FULL if seen > 1 else _BARS[min(int(seen * len(_BARS)), len(_BARS) - 1)]


def _state(group: Sequence[Layer]) -> str:
    if any(layer.in_tail for layer in group):
        return "tail"
    if any(layer.productive is False for layer in group):
        return "unproductive"
    return "unknown" if any(layer.productive is None for layer in group) else "productive"
