"""What units at the border of a map read where padding copies the map's own units: replicate and reflect padding.

Receptive fields are followed as if the image went on beyond its border, and a copy of a unit then reads no more than the unit
that it stands for. That holds while all units read the same pattern. Behind a transposed convolution or up-sampling they do not:
the copied unit may read something where the one beyond the border would read nothing. Such networks are followed once more as
they are, unit by unit, within the image.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rfcheck.graph.orientation import image_extents
from rfcheck.graph.reach import Reach, spans
from rfcheck.graph.records import INPUT

if TYPE_CHECKING:
    import networkx as nx

Span = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Lowest and highest pixel that each unit along an axis reads; inf and -inf where it reads none."""

Edges = Sequence[tuple[str, Mapping[str, Any]]]


def copied_extents(graph: nx.DiGraph, counted: Mapping[str, Edges], axis: int) -> dict[str, float]:
    """Per node, the extent in pixels of the widest unit along one axis, within the image; unknown nodes are left out.

    Args:
        graph: as made by `rfcheck.graph.build.build_graph`.
        counted: per node, the edges that count.
        axis: image axis.
    """
    size = image_extents(graph)[axis]
    pixels = np.arange(size, dtype=np.float64)
    known: dict[str, Span | None] = {INPUT: (pixels, pixels)}
    extents: dict[str, float] = {}
    for name, edges in counted.items():
        span = known[name] = _gathered(graph, name, edges, axis, known)
        if span is not None:
            extents[name] = max(float(np.max(span[1] - span[0], initial=-math.inf)) + 1, 0.0)
    return extents


def _gathered(graph: nx.DiGraph, name: str, edges: Edges, axis: int, known: Mapping[str, Span | None]) -> Span | None:
    node = graph._node[name]
    units: int = node["sizes"][axis]
    first, last = np.full(units, math.inf), np.full(units, -math.inf)
    for source, edge in edges:
        before = known[source]
        for reads in edge["reads"]:
            if before is None or reads is None:
                return None
            low, high = _through(reads[axis], before, units, node.get("copies", {}).get(axis))
            first, last = np.minimum(first, low), np.maximum(last, high)
    return first, last


def _through(reach: Reach, before: Span, units: int, copies: tuple[str, int, int] | None) -> Span:
    """What units read through a map, or through padding that copies."""
    low, high = before
    size = len(low)
    if reach.is_global:
        return np.full(units, low.min()), np.full(units, high.max())
    starts, ends = spans(reach, units)
    if copies is not None:
        mode, ahead, behind = copies
        place = _copied(np.arange(units) - ahead, units - ahead - behind, mode) + ahead
        starts, ends = starts[place], ends[place]
    first, last = np.full(units, math.inf), np.full(units, -math.inf)
    for tap in range(0, int(np.max(ends - starts, initial=-1.0)) + 1, reach.step):
        read = starts + tap
        real = (read <= ends) & (read >= 0) & (read < size)
        index = np.where(real, read, 0).astype(np.int64)
        first = np.minimum(first, np.where(real, low[index], math.inf))
        last = np.maximum(last, np.where(real, high[index], -math.inf))
    return first, last


def _copied(places: NDArray[np.int64], size: int, mode: str) -> NDArray[np.int64]:
    """The unit of the map that padding puts at each place."""
    if mode == "replicate" or size == 1:
        return np.clip(places, 0, size - 1)
    folded: NDArray[np.int64] = np.abs(places) % (2 * size - 2)
    return np.where(folded < size, folded, 2 * size - 2 - folded)
