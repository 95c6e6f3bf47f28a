"""The judged layers as bars in a notebook: what the input of each sees against the image."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from rfcheck.analysis.layers import Extents, Layer
from rfcheck.report.units import extents
from rfcheck.report.xml_text import xml_text

_COLOURS = {"productive": "#2f8fc9", "unproductive": "#d9930f", "tail": "#dd5540", "unknown": "#8c8c8c"}
"""Colours that stay apart for colour-blind readers and show on light and on dark ground."""

_HEIGHT, _LABEL = 90, 14
_WIDTH, _NARROWEST, _WIDEST = 640, 2.0, 24.0
_LETTER = 6.5
"""Width of a letter at 11 px, about."""
_ABOVE, _BELOW = 9, 4
"""What a letter at 11 px needs above and below its baseline."""


def bars_svg(layers: Sequence[Layer], input_size: tuple[int, ...], border_min: str | None, border_max: str | None) -> str:
    """A bar per judged layer on a logarithmic scale, solid up to r_in_min and pale up to r_in_max; "" if there is none.

    A solid bar that ends above the dashed line sees more than the image on every axis: the layer is unproductive.

    Args:
        layers: all layers, in execution order.
        input_size: I, in pixels per image axis.
        border_min: name of b_min; None if there is none.
        border_max: name of b_max; None if there is none.
    """
    judged = [layer for layer in layers if layer.judged]
    named = (("b_min", border_min), ("b_max", border_max))
    if not judged:
        return ""
    width = min(max(_WIDTH / len(judged), _NARROWEST), _WIDEST)
    lows = [_seen(layer.r_in_min, input_size) for layer in judged]
    highs = [_seen(layer.r_in_max, input_size) for layer in judged]
    finite = [1.0, *(seen for seen in (*lows, *highs) if seen is not None and not math.isinf(seen))]
    bottom, top = math.log(min(finite)) - 0.3, math.log(max(finite)) + 0.3

    def height(seen: float | None) -> float:
        return 0.0 if seen is None else _HEIGHT * min((math.log(seen) - bottom) / (top - bottom), 1.0)

    names = [layer.name for layer in judged]
    borders = [(f"{symbol} {name}", (names.index(name) + 0.5) * width) for symbol, name in named if name is not None]
    end = len(judged) * width
    image = f"I = {extents(input_size)}"
    whole = max(x + 8 + _LETTER * len(text) for text, x in ((image, end), *borders))
    tall = _HEIGHT + max(_LABEL * len(borders), 2 * _BELOW)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {whole:.0f} {tall}" width="{whole:.0f}"'
        ' style="max-width: 100%; height: auto; display: block" fill="currentColor" font-size="11" font-family="sans-serif">'
    ]
    for place, (layer, low, high) in enumerate(zip(judged, lows, highs, strict=True)):
        parts.extend(_bar(layer, place * width, max(width - 1, 1.0), height(low), height(high)))
    parts += [_border(text, x, row) for row, (text, x) in enumerate(borders, 1)]
    line = _HEIGHT - height(1.0)
    parts.append(
        f'<path d="M0 {line:.1f}H{end + 4:.0f}" stroke="currentColor" stroke-dasharray="5 3"/>'
        f'<text x="{end + 8:.0f}" y="{max(line + 4, _ABOVE):.1f}">{image}</text>'
    )
    return "".join([*parts, "</svg>"])


def _seen(r: Extents | None, input_size: tuple[int, ...]) -> float | None:
    """Share of the image that is seen, on the axis where that is least."""
    return None if r is None else min(extent / size for extent, size in zip(r, input_size, strict=True))


def _bar(layer: Layer, x: float, width: float, low: float, high: float) -> Iterator[str]:
    state = "tail" if layer.in_tail else {True: "productive", False: "unproductive", None: "unknown"}[layer.productive]
    yield f'<g fill="{_COLOURS[state]}">'
    yield f"<title>{xml_text(layer.name)}: sees {extents(layer.r_in_min)} to {extents(layer.r_in_max)} px, {state}</title>"
    yield f'<rect x="{x:.1f}" y="{_HEIGHT - high:.1f}" width="{width:.1f}" height="{high:.1f}" fill-opacity="0.35"/>'
    yield f'<rect x="{x:.1f}" y="{_HEIGHT - low:.1f}" width="{width:.1f}" height="{low:.1f}"/>'
    yield "</g>"


def _border(text: str, x: float, row: int) -> str:
    """A tick under a layer, and its name to the right of it."""
    y = _HEIGHT + row * _LABEL - 3
    return f'<path d="M{x:.1f} {_HEIGHT}V{y}" stroke="currentColor"/><text x="{x + 4:.1f}" y="{y}">{xml_text(text)}</text>'
