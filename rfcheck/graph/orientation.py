"""Which dimensions of the input hold image axes, and which one the channels: the first convolution tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rfcheck.graph.axes import Digit, Layout, digits_of, plain
from rfcheck.graph.operators import Convolution, meaning_of

if TYPE_CHECKING:
    import networkx as nx

    from rfcheck.graph.records import OpRecord

_NAMES = {1: "L", 2: "HW", 3: "DHW"}


def input_layout(shape: Sequence[int], held: Sequence[int]) -> Layout:
    """The layout of an input: dimension ``held[i]`` holds image axis i, the others hold no positions."""
    axis_of = {dimension: axis for axis, dimension in enumerate(held)}
    return tuple((Digit(axis_of[d], size, 1),) if d in axis_of else plain(size) for d, size in enumerate(shape))


@dataclass(frozen=True, slots=True)
class FirstConvolution:
    """How the first convolution that sees positions takes the dimensions of the input.

    Attributes:
        axes: how many dimensions it runs along.
        channels: dimensions of the input, of those taken for image axes, that it takes for channels as a whole.
    """

    axes: int
    channels: frozenset[int]


def first_convolution(
    records: Sequence[OpRecord], layouts: Mapping[int, Layout], shape: Sequence[int], held: Sequence[int]
) -> FirstConvolution | None:
    """The first convolution that sees positions; None where there is none.

    Args:
        records: of the forward pass.
        layouts: of every value, by its number.
        shape: of the input.
        held: dimensions that are taken for image axes.
    """
    for record in records:
        if not isinstance(meaning_of(record.func), Convolution) or not record.tensors:
            continue
        value = record.tensors[0].value
        layout = None if value is None else layouts.get(value)
        if layout is None or len(layout) < 3 or not any(digits_of(dimension) for dimension in layout):
            continue
        whole = {Digit(axis, shape[dimension], 1): dimension for axis, dimension in enumerate(held)}
        if len(layout[1]) != 1 or not (len(held) == len(shape) - 1 or any(not digits_of(one) and one for one in layout[2:])):
            whole = {digit: dimension for digit, dimension in whole.items() if digit.size > 1}  # one position may be anywhere
        return FirstConvolution(len(layout) - 2, frozenset(whole[digit] for digit in digits_of(layout[1]) if digit in whole))
    return None


def image_extents(graph: nx.DiGraph) -> tuple[int, ...]:
    """Extents of the input along its image axes."""
    shape = graph.graph["input_shape"]
    return tuple(shape[dimension] for dimension in graph.graph["input_axes"])


def input_channels(graph: nx.DiGraph) -> int:
    """Channels of the input; 0 where it has no dimension for them."""
    shape, held = graph.graph["input_shape"], graph.graph["input_axes"]
    found = [shape[dimension] for dimension in range(1, len(shape)) if dimension not in held]
    return max(found, default=0)


def how_it_was_read(graph: nx.DiGraph) -> str | None:
    """A sentence on an input whose dimensions are not (N, C, *axes)."""
    shape, held = graph.graph["input_shape"], graph.graph["input_axes"]
    if held == tuple(range(2, len(shape))):
        return None
    names = iter(_NAMES.get(len(held), "ABCDEFG"))
    found = [dimension for dimension in range(1, len(shape)) if dimension not in held]
    channels = max(found, key=lambda dimension: shape[dimension], default=0)
    letters = ["N"]
    for dimension in range(1, len(shape)):
        letters.append(next(names) if dimension in held else "C" if dimension == channels else "1")
    read = f"input: {'x'.join(map(str, shape))} is read as ({', '.join(letters)})"
    if "C" not in letters:
        return f"{read}, without a dimension for channels"
    place = letters.index("C")
    return f"{read}, since the first convolution takes its channels from dimension {place}"
