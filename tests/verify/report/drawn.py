"""What figures show, for tests: curves by their labels, shaded spans, and whether texts collide."""

from __future__ import annotations

from itertools import combinations

from matplotlib.axes import Axes
from matplotlib.figure import Figure


def curves(panel: Axes) -> dict[str, tuple[list[float], list[float]]]:
    """Horizontal and vertical values of every line."""
    return {str(line.get_label()): (list(line.get_xdata()), list(line.get_ydata())) for line in panel.get_lines()}


def upright(panel: Axes) -> dict[float, str]:
    """Places of the vertical lines across the whole panel, with their colours."""
    lines = [line for line in panel.get_lines() if list(line.get_ydata()) == [0, 1] and line.get_xdata()[0] == line.get_xdata()[1]]
    return {line.get_xdata()[0]: line.get_color() for line in lines}


def texts(panel: Axes) -> list[str]:
    return [text.get_text() for text in panel.texts]


def shown_texts(figure: Figure) -> list[object]:
    """Everything that is written: titles, labels, ticks, annotations, legends."""
    shown: list[object] = [figure._suptitle, *figure.legends]
    for panel in figure.axes:
        shown += [*panel.texts, panel.title, panel.xaxis.label, panel.yaxis.label]
        low, high = sorted(panel.get_ylim())
        shown += [label for label in panel.get_yticklabels() if low <= label.get_position()[1] <= high]
        low, high = sorted(panel.get_xlim())
        shown += [label for label in panel.get_xticklabels() if low <= label.get_position()[0] <= high]
    return [one for one in shown if one in figure.legends or (one.get_visible() and one.get_text())]


def require_room(figure: Figure) -> None:
    """No text covers another, and none leaves the figure."""
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    boxes = [(item, item.get_window_extent(renderer)) for item in shown_texts(figure)]
    for (one, box), (other, beside) in combinations(boxes, 2):
        assert not box.overlaps(beside), (one, other)
    for item, box in boxes:
        assert figure.bbox.padded(1).contains(*box.min), item
        assert figure.bbox.padded(1).contains(*box.max), item
