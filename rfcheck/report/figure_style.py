"""What all figures share: colours, sizes of text, how a panel looks, and the way into a file."""

from __future__ import annotations

import io
import re
import textwrap
import warnings
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from rfcheck.report.units import short

BLUE, ORANGE, GREEN, RED, DARK, GREY = "#0072B2", "#E69F00", "#009E73", "#CC3311", "#333333", "#595959"
"""Colours that stay apart for colour-blind readers (Okabe and Ito; red by Tol)."""

TEXT, SMALL = 9.0, 8.0
"""Sizes of text in points."""

_TITLE_LETTER = 0.085
"""Inches of a letter of a title."""
_DPI = 200
_SHOWN_DPI = 100
"""Pixels per inch at which a notebook shows a figure; it holds more for screens that show more."""
_FILES: Any = ["default", {"svg.hashsalt": "rfcheck"}]
_UNDATED = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}

Inputs = ParamSpec("Inputs")
Drawn = TypeVar("Drawn")


class NotebookFigure(Figure):
    """A figure that a notebook shows as an image, whether or not pyplot is imported."""

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        shown = {"width": round(self.get_figwidth() * _SHOWN_DPI), "height": round(self.get_figheight() * _SHOWN_DPI)}
        return figure_bytes(self, "png"), shown


def plain_style(draw: Callable[Inputs, Drawn]) -> Callable[Inputs, Drawn]:
    """Draw with matplotlib's own defaults, whatever the style of the user's other figures is."""

    @wraps(draw)
    def drawn(*args: Inputs.args, **kwargs: Inputs.kwargs) -> Drawn:
        with style.context("default"):
            return draw(*args, **kwargs)

    return drawn


def new_figure(width: float, height: float) -> Figure:
    """An empty figure that pyplot knows nothing of.

    Args:
        width: in inches.
        height: in inches.
    """
    figure = NotebookFigure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def add_title(figure: Figure, text: str) -> None:
    """A title above all panels, as it is written, on as many lines as the width of the figure makes necessary."""
    most = int(0.96 * figure.get_figwidth() / _TITLE_LETTER)
    lines = textwrap.wrap(text, most, break_on_hyphens=False)
    figure.suptitle("\n".join(lines), fontsize=TEXT + 1, x=0.02, ha="left").set_parse_math(False)


def figure_bytes(figure: Figure, ending: str) -> bytes:
    """A figure as a file; the same figure gives the same bytes.

    Args:
        figure: what to write.
        ending: "png", "svg" or "pdf".
    """
    stream = io.BytesIO()
    with style.context(_FILES), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)  # a box stands in for it
        figure.savefig(stream, format=ending, dpi=_DPI, metadata=_UNDATED.get(ending))
    return stream.getvalue()


def decorate(panel: Axes) -> None:
    """Thin lines at the left and below, a light grid behind the data."""
    panel.spines[["top", "right"]].set_visible(False)
    panel.tick_params(labelsize=SMALL, width=0.6, length=3)
    panel.grid(axis="y", color="0.9", linewidth=0.6)
    panel.set_axisbelow(True)
    for side in ("left", "bottom"):
        panel.spines[side].set_linewidth(0.6)


def shortened(name: str, most: int = 26) -> str:
    """A name with its middle left out where it has more letters than the most."""
    half = most // 2
    return name if len(name) <= most else f"{name[: half - 1]}…{name[-half:]}"


def round_count(count: float) -> str:
    """A count on an axis: "1.5 M", and "2 M" rather than "2.00 M"."""
    return re.sub(r"\.?0+(?= )", "", short(count)) if "." in short(count) else short(count)
