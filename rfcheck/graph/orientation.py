"""Which dimensions of the input hold image axes, and which one the channels: the first layers tell."""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rfcheck.graph.axes import Digit, Dim, Layout, digits_of, plain, size_of
from rfcheck.graph.operators import Attention, Convolution, Linear, Matmul, Rearrange, Recurrent, Reduce, Window, meaning_of

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


def features_from_last(
    records: Sequence[OpRecord], layouts: Mapping[int, Layout], shape: Sequence[int], held: Sequence[int]
) -> str | None:
    """What takes the whole last image axis for its features before anything runs along an axis: "linear" or "recurrent" layer.

    Args:
        records: of the forward pass.
        layouts: of every value, by its number.
        shape: of the input.
        held: dimensions that are taken for image axes.
    """
    for record in records:
        meaning, layout = meaning_of(record.func), _layout_of_first(record, layouts)
        if isinstance(meaning, (Linear, Matmul, Recurrent)) and layout and layout[-1] == (Digit(len(held) - 1, shape[-1], 1),):
            return "recurrent" if isinstance(meaning, Recurrent) else "linear"
        if isinstance(meaning, (Convolution, Window, Recurrent, Attention)):
            return None
    return None


def dimensions_run_along(records: Sequence[OpRecord], layouts: Mapping[int, Layout]) -> tuple[int, ...]:
    """The dimensions of the input that the first layer runs along which runs along the second one, where channels usually are.

    Args:
        records: of the forward pass.
        layouts: of every value, by its number, where every dimension behind the batch is taken for an image axis.

    Returns:
        Dimensions in ascending order; empty where the first layer that runs along anything runs along others.
    """
    for record in records:
        meaning, layout = meaning_of(record.func), _layout_of_first(record, layouts)
        if layout is None or not isinstance(meaning, (Convolution, Recurrent, Attention, Reduce, Matmul)):
            continue
        digits = [digit for dimension in _run_along(meaning, record, layout, layouts) for digit in digits_of(dimension)]
        along = sorted({digit.axis + 1 for digit in digits if digit.size > 1})  # one position may be anywhere
        if along[:1] == [1]:
            return tuple(along)
        if along and not isinstance(meaning, (Reduce, Matmul)):  # sums over features are no layers of their own
            return ()
    return ()


def _layout_of_first(record: OpRecord, layouts: Mapping[int, Layout]) -> Layout | None:
    """The layout of the first argument that depends on the image."""
    return next((layouts.get(tensor.value) for tensor in record.tensors if tensor.value is not None), None)


def _run_along(meaning: object, record: OpRecord, layout: Layout, layouts: Mapping[int, Layout]) -> Sequence[Dim]:
    """The dimensions of what an operator reads along which its outputs see others."""
    if isinstance(meaning, Convolution):
        return layout[2:]
    if isinstance(meaning, Attention):
        return [layout[meaning.tokens]] if len(layout) >= abs(meaning.tokens) else []
    if isinstance(meaning, Recurrent):
        return layout[:-1]  # the batch holds no digits
    if isinstance(meaning, Matmul):  # of weights of attention with what they weigh
        _, *second = [layouts.get(tensor.value) for tensor in record.tensors if tensor.value is not None]
        return [one[-2] for one in second[:1] if one is not None and len(one) > 1]
    dims = next((given for given in (*record.args[1:2], *record.kwargs.values()) if type(given) in (int, list, tuple)), ())
    gone = {dim % len(layout) for dim in ([dims] if isinstance(dims, int) else dims) if type(dim) is int}
    return [dimension for at, dimension in enumerate(layout) if at in gone]


def image_extents(graph: nx.DiGraph) -> tuple[int, ...]:
    """Extents of the input along its image axes."""
    shape = graph.graph["input_shape"]
    return tuple(shape[dimension] for dimension in graph.graph["input_axes"])


def input_channels(graph: nx.DiGraph) -> int:
    """Channels of the input; 0 where it has no dimension for them."""
    shape, held = graph.graph["input_shape"], graph.graph["input_axes"]
    found = [shape[dimension] for dimension in range(1, len(shape)) if dimension not in held]
    return max(found, default=0)


def rows_returned(records: Sequence[OpRecord], returned: Sequence[int], layouts: Mapping[int, Layout]) -> int:
    """How many results a model returns for one image in the place of the batch, where they are of parts of it; else 0.

    Args:
        records: of the forward pass.
        returned: values that it returns.
        layouts: of every value, by its number.
    """
    torn = {record.outputs[0].shape[0] for record in records if record.outputs and _tears_apart(record)}
    for layout in filter(None, map(layouts.get, returned)):
        if len(layout) == 2 and not digits_of(layout[1]):
            rows = size_of(layout[0])
            if rows > 1 and (rows in torn or size_of(digits_of(layout[0])) > 1):
                return rows
    return 0


def _tears_apart(record: OpRecord) -> bool:
    """Whether a view makes rows of one image that end in the middle of its dimensions."""
    made = record.outputs[0].shape
    if not isinstance(meaning_of(record.func), Rearrange) or len(made) != 2 or not record.tensors:
        return False
    given = record.tensors[0].shape
    if len(given) < 3 or given[0] != 1 or math.prod(given) != math.prod(made):
        return False
    return made[1] not in itertools.accumulate(reversed(given), operator.mul)


def how_results_come(graph: nx.DiGraph) -> str | None:
    """A sentence on a model that returns several results for one image, as x.view(-1, 784) does at another size than it is for."""
    rows = graph.graph["rows"]
    if not rows:
        return None
    return f"output: {rows} rows for one image: the first dimension holds parts of it, as x.view(-1, ...) makes of other sizes"


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
    taker = graph.graph.get("channels_by")
    taken = f"{taker} layer takes its features" if taker else "convolution takes its channels"
    return f"{read}, since the first {taken} from dimension {place}"
