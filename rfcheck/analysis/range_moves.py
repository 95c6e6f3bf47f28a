"""Where the range of resolutions moves: it holds for the graph at one size, and a model may be another graph at others."""

from __future__ import annotations

import math
from collections.abc import Iterator

from torch import nn

from rfcheck.analysis.layers import Extents
from rfcheck.analysis.network import Network, examine
from rfcheck.config import Settings
from rfcheck.graph.build import build_graph
from rfcheck.graph.trace import trace_on_meta
from rfcheck.input_size import crossed

_LARGEST = 2**14


def range_moves(model: nn.Module, network: Network, settings: Settings) -> Iterator[str]:
    """Sentences on those ends of the range that the graph at this very size has elsewhere; an end is traced once, without data.

    Args:
        model: the one analysed, left as it is.
        network: its facts at the analysed size.
        settings: of the analysis.
    """
    if network.graph.graph["traced_with"] != "meta":
        return
    ends = ("no layer is unproductive from {} px on", "the last map sees up to {} px")
    for end, (text, claimed) in enumerate(zip(ends, network.resolution_range, strict=True)):
        size = None if claimed is None else _whole(claimed)
        if claimed is None or size is None or size == network.input_size:
            continue
        there = _range_at(model, network, settings, size)
        if there is not None and there[end] != claimed and not _mixes_up_axes(there[end]):
            here, moved = text.format(_text(claimed)), text.format(_text(there[end]))
            yield f"range: {here} by the graph at {crossed(network.input_size)}, but by that at {crossed(size)} {moved}"


def _whole(extents: Extents) -> tuple[int, ...] | None:
    """Extents in whole pixels; None where one is not bounded or too large to be traced."""
    if any(math.isinf(extent) or not 1 <= extent <= _LARGEST for extent in extents):
        return None
    return tuple(math.ceil(extent) for extent in extents)


def _range_at(
    model: nn.Module, network: Network, settings: Settings, size: tuple[int, ...]
) -> tuple[Extents | None, Extents | None] | None:
    """The range by the graph at another size; None where the forward pass fails there."""
    held: tuple[int, ...] = network.graph.graph["input_axes"]
    shape = list(network.graph.graph["input_shape"])
    for dimension, extent in zip(held, size, strict=True):
        shape[dimension] = extent
    recorded = trace_on_meta(model, tuple(shape))
    return None if recorded is None else examine(build_graph(recorded, held=held), settings).resolution_range


def _mixes_up_axes(extents: Extents | None) -> bool:
    """Whether one axis alone is unbounded, though none was: the axes of maps of a single position cannot be told apart."""
    return extents is not None and 0 < sum(map(math.isinf, extents)) < len(extents)


def _text(extents: Extents | None) -> str:
    if extents is None:
        return "an unknown number of"
    sizes = [f"{extent:g}" for extent in extents]
    return sizes[0] if len(set(sizes)) == 1 else crossed(extents)  # type: ignore[arg-type]
