"""How operators gather that pool by windows of random place, or undo a pooling."""

from __future__ import annotations

import math

from rfcheck.graph.calls import Call, Gathered, mismatch
from rfcheck.graph.operators import Adaptive, RandomWindow, Unpool, Window, meaning_of
from rfcheck.graph.reach import Position, Reach, from_table, shortest, transposed
from rfcheck.graph.reading import Reading
from rfcheck.graph.records import TensorArg
from rfcheck.graph.windows import per_axis, slide, windows_of

_LARGEST = Window("kernel_size", "stride", "dilation", "padding")
_MOVED = ("clone", "_to_copy", "detach", "alias", "view", "squeeze", "unsqueeze")


def random_windows(_: RandomWindow, call: Call) -> Gathered:
    """Windows that lie at random within one position of even spacing."""
    x = call.images[0]
    wanted = per_axis(call.arg("output_size"), 2 if "2d" in call.record.func._schema.name else 3)
    kernel = per_axis(call.arg("kernel_size"), len(wanted))
    sizes = x.shape[len(x.shape) - len(wanted) :]
    reaches = [_spaced(*one) for one in zip(sizes, wanted, kernel, strict=True)]
    ones = (1,) * len(wanted)
    attributes = {"kernel": kernel, "stride": kernel, "dilation": ones, "padding": (0,) * len(wanted), "transposed": False}
    return slide(call, x, reaches, "pool", attributes)


def _spaced(size: int, wanted: int, kernel: int) -> Reach:
    """Output q begins between floor(q a) and floor(q a) + 1, where a = (size - kernel) / (wanted - 1); the last at the end."""
    first: list[Position] = []
    last: list[Position] = []
    room = size - kernel
    for q in range(wanted - 1):
        start, rest = divmod(q * room, wanted - 1)
        first.append(start)
        last.append(start + kernel - 1 + (1 if rest else 0))
    first.append(room)
    last.append(size - 1)
    return shortest(Reach(wanted, max(round(wanted * room / max(wanted - 1, 1)), 1), tuple(first), tuple(last), finite=True))


def unpool(_: Unpool, call: Call) -> Gathered:
    """Each value returns into the window that it was the largest of; the windows are those of the pooling that made the indices."""
    pooled = _pooling_of(call, call.arg("indices"))
    if pooled is None:
        return call.unknown("undoes a pooling whose windows are not known", "unpool")
    source = pooled.images[0]
    backs = _backs(pooled)
    held = Reading(pooled.layout(source))
    by_axis = {
        digit.axis: one
        for index, one in enumerate(backs)
        if (digit := held.single_digit(len(source.shape) - len(backs) + index)) is not None
    }
    readings: list[tuple[TensorArg, Reading]] = []
    for tensor in call.images:
        reading = Reading(call.layout(tensor))
        for dim, size in enumerate(call.out_shape):
            digit = reading.single_digit(dim)
            if digit is not None and digit.axis in by_axis:
                reading.resize(dim, by_axis[digit.axis], size)
            elif size != tensor.shape[dim]:
                return call.unknown("undoes a pooling of positions that cannot be followed", "unpool")
        readings.append((tensor, reading))
    result = readings[0][1].layout
    edges = [call.edge(tensor, reading, result) for tensor, reading in readings]
    return Gathered([result], edges, "unpool", note=mismatch(edges))


def _backs(pooled: Call) -> list[Reach]:
    """For each pooled dimension, which windows a position lies in."""
    meaning = meaning_of(pooled.record.func)
    if isinstance(meaning, Window):
        return [transposed(*taps) for taps in windows_of(meaning, pooled)]
    wanted = per_axis(pooled.arg("output_size"), int(pooled.record.func._opname[-2]))
    sizes = pooled.images[0].shape[-len(wanted) :]
    return [_back_of_adaptive(*one) for one in zip(sizes, wanted, strict=True)]


def _back_of_adaptive(size: int, wanted: int) -> Reach:
    """Position p lies in window q if it is not before floor(q size / wanted), and before ceil((q + 1) size / wanted)."""
    common = math.gcd(size, wanted)
    first = [p * wanted // size for p in range(size // common)]
    last = [-(-(p + 1) * wanted // size) - 1 for p in range(size // common)]
    return from_table(first, last, wanted // common)


def _pooling_of(call: Call, indices: TensorArg) -> Call | None:
    """The pooling that indices come from, unless more was done with them than moving them."""
    maker = call.maker(indices)
    while maker is not None and getattr(maker.record.func, "_opname", "") in _MOVED:
        maker = maker.maker(maker.images[0])
    meaning = None if maker is None else meaning_of(maker.record.func)
    return maker if meaning == _LARGEST or isinstance(meaning, Adaptive) else None
