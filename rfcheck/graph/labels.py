"""Labels of the entries of a tensor through operators: which input of a concatenation each entry comes from."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from rfcheck.graph.calls import Gathered
from rfcheck.graph.records import OpRecord
from rfcheck.graph.slicing import clamped

if TYPE_CHECKING:
    import numpy as np

_APART = ("elementwise", "activation", "dropout", "join", "multiply", "pool", "resample")
_MOST_LABELS = 1 << 16
PADDING = -1
"""The label of entries that come from no input."""


def moved(record: OpRecord, gathered: Gathered, labels: np.ndarray, name: str, before: tuple[int, ...]) -> list[np.ndarray] | None:
    """The labels of each result; None where inputs are mixed, or not followed."""
    after = [out.shape for out in record.outputs]
    if gathered.kind in _APART and len(after[0]) == len(before):
        varying = [d for d, n in enumerate(labels.shape) if n > 1]
        return [labels] if all(after[0][d] == before[d] for d in varying) else None
    if gathered.kind == "norm" and after[0] == before:  # statistics add no context
        return [labels] * len(after)
    if gathered.kind == "conv":
        kernel, stride = record.args[1].shape, gathered.attributes["stride"]
        inside = all(n == 1 or (d > 1 and kernel[d] == 1 and set(stride) == {1}) for d, n in enumerate(labels.shape))
        return [labels] if inside and len(kernel) == labels.ndim else _by_channel(gathered, labels)
    if gathered.kind == "rearrange":
        return _rearranged(record, labels, name, before, after)
    return None


def _by_channel(gathered: Gathered, labels: np.ndarray) -> list[np.ndarray] | None:
    """What a convolution makes of channels each of whose groups comes from one input."""
    groups, made = gathered.attributes["groups"], gathered.attributes["out_channels"]
    if labels.ndim < 2 or labels.size != labels.shape[1] or labels.size != gathered.attributes["in_channels"]:
        return None
    read = labels.reshape(groups, -1)
    if (read != read[:, :1]).any():
        return None
    return [read[:, :1].repeat(made // groups).reshape([-1 if d == 1 else 1 for d in range(labels.ndim)])]


def _rearranged(
    record: OpRecord, labels: np.ndarray, name: str, before: tuple[int, ...], after: list[tuple[int, ...]]
) -> list[np.ndarray] | None:
    args, count = record.args, len(before)
    if name in ("permute",):
        return [labels.transpose([d % count for d in args[1]])]
    if name == "transpose":
        return [labels.swapaxes(args[1], args[2])]
    if name in ("view", "_unsafe_view", "reshape", "squeeze", "unsqueeze", "alias"):
        viewed = _viewed(labels, before, after[0])
        return None if viewed is None else [viewed]
    if name in ("split", "split_with_sizes", "chunk", "unsafe_split", "unsafe_chunk", "unbind", "slice", "narrow", "select"):
        return _taken(record, labels, name, before, after)
    arranged = _ARRANGED.get(name)
    return None if arranged is None else arranged(labels, args)


def _rolled(labels: np.ndarray, args: Sequence[Any]) -> list[np.ndarray] | None:
    import numpy as np

    shifts, dims = (_listed(args[1]), _listed(args[2])) if len(args) > 2 else ((), ())
    return [np.roll(labels, shifts, dims)] if dims else None


def _flipped(labels: np.ndarray, args: Sequence[Any]) -> list[np.ndarray] | None:
    import numpy as np

    return [np.flip(labels, _listed(args[1]))]


def _padded(labels: np.ndarray, args: Sequence[Any]) -> list[np.ndarray] | None:
    """Padding along dimensions where labels vary makes entries that come from no input, or crops."""
    import numpy as np

    for index in range(len(args[1]) // 2):
        dim, (before, after) = labels.ndim - 1 - index, args[1][2 * index : 2 * index + 2]
        if labels.shape[dim] > 1:
            labels = labels[(slice(None),) * dim + (slice(max(-before, 0), labels.shape[dim] - max(-after, 0)),)]
            around = [(max(before, 0), max(after, 0)) if d == dim else (0, 0) for d in range(labels.ndim)]
            labels = np.pad(labels, around, constant_values=PADDING)
    return [labels]


def _copied_at_the_border(labels: np.ndarray, args: Sequence[Any]) -> list[np.ndarray] | None:
    return [labels] if all(n == 1 for n in labels.shape[-(len(args[1]) // 2) :]) else None


def _repeated(labels: np.ndarray, args: Sequence[Any]) -> list[np.ndarray] | None:
    import numpy as np

    labels = labels.reshape((1,) * (len(args[1]) - labels.ndim) + labels.shape)
    return [np.tile(labels, [times if n > 1 else 1 for times, n in zip(args[1], labels.shape, strict=True)])]


def _chosen(labels: np.ndarray, args: Sequence[Any]) -> list[np.ndarray] | None:
    """Entries chosen by a constant index along one dimension."""
    dims = [args[1]] if len(args) > 2 else [d for d, index in enumerate(args[1]) if index is not None]
    index = args[2] if len(args) > 2 else args[1][dims[0]] if dims else None
    if len(dims) != 1 or index is None or index.data is None or index.is_mask or len(index.shape) != 1:
        return None
    return [labels if labels.shape[dims[0]] == 1 else labels.take(index.data.numpy(), dims[0])]


def _shuffled(labels: np.ndarray, args: Sequence[Any]) -> list[np.ndarray] | None:
    """The channels of each group in turn."""
    if labels.size != labels.shape[1]:
        return None
    return [labels.reshape(args[1], -1).T.reshape(labels.shape)]


def _listed(value: Any) -> tuple[int, ...]:
    return (value,) if isinstance(value, int) else tuple(value)


_ARRANGED: dict[str, Callable[[np.ndarray, Sequence[Any]], list[np.ndarray] | None]] = {
    "roll": _rolled,
    "flip": _flipped,
    "constant_pad_nd": _padded,
    **dict.fromkeys(("reflection_pad1d", "reflection_pad2d", "replication_pad1d", "replication_pad2d"), _copied_at_the_border),
    "repeat": _repeated,
    "index": _chosen,
    "index_select": _chosen,
    "channel_shuffle": _shuffled,
    "native_channel_shuffle": _shuffled,
}


def _taken(
    record: OpRecord, labels: np.ndarray, name: str, before: tuple[int, ...], after: list[tuple[int, ...]]
) -> list[np.ndarray] | None:
    """Slices and single entries along a dimension."""
    args = record.args
    place = 2 if "split" in name or "chunk" in name else 1
    dim = (args[place] if len(args) > place else record.kwargs.get("dim", 0)) % len(before)
    single = name in ("select", "unbind")
    start, step = 0, 1
    if name in ("slice", "narrow", "select") and len(args) > 2:
        start = clamped(args[2] or 0, before[dim])
    if name == "slice" and len(args) > 4:
        step = args[4]
    made: list[np.ndarray] = []
    for shape in after:
        size = 1 if single else shape[dim]
        part = labels if labels.shape[dim] == 1 else labels.take(range(start, start + size * step, step), dim)
        start += size * step
        made.append(part.take(0, dim) if single else part)
    return made


def _viewed(labels: np.ndarray, before: tuple[int, ...], after: tuple[int, ...]) -> np.ndarray | None:
    """Labels in another shape: run by run of dimensions that hold the same entries, written out only where they vary."""
    import numpy as np

    made: list[int] = []
    full: list[int] = []
    i = j = 0
    while i < len(before) or j < len(after):
        old, new = before[i : i + 1], after[j : j + 1]
        i, j = i + len(old), j + len(new)
        while math.prod(old) != math.prod(new):
            if math.prod(old) < math.prod(new):
                old, i = (*old, before[i]), i + 1
            else:
                new, j = (*new, after[j]), j + 1
        varies = any(n > 1 for n in labels.shape[len(full) : len(full) + len(old)])
        full.extend(old if varies else (1,) * len(old))
        made.extend(new if varies else (1,) * len(new))
    if math.prod(full) > _MOST_LABELS:
        return None
    result: Any = np.broadcast_to(labels, full).reshape(made)
    keep = tuple(slice(0, 1) if (result == result.take([0], d)).all() else slice(None) for d in range(result.ndim))
    return np.asarray(result[keep])
