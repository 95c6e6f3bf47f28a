"""How a model takes an input size: with the channels first, with them last, or without a dimension for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING

from torch import nn

from rfcheck.errors import InputSizeError, TraceError
from rfcheck.graph.build import build_graph
from rfcheck.graph.feasibility import Trials
from rfcheck.graph.lazy import has_lazy, materialized
from rfcheck.graph.operators import Convolution, meaning_of
from rfcheck.graph.trace import Trace, trace
from rfcheck.input_size import AfterBatch, InputSize, convolution_axes, crossed, image_axes, input_shape
from rfcheck.process_end import left_with
from rfcheck.remedies import with_remedy
from rfcheck.span import Span

if TYPE_CHECKING:
    import networkx as nx


def graph_at(
    model: nn.Module, input_size: InputSize, channels: int, sources: Mapping[str, tuple[Span, ...]], *, locate: bool
) -> tuple[nn.Module, nx.DiGraph]:
    """The graph of a model at an input size, read as (C, *axes) if the model takes that, else in the other ways that there are.

    Args:
        model: left as it is.
        input_size: as in `rfcheck.analyze`.
        channels: where the input size does not say.
        sources: for every module, the code that made it.
        locate: whether to take note of the lines of the user's code that call functions.

    Returns:
        The model, which is a copy with shapes if it has lazy modules, and its graph.

    Raises:
        InputSizeError: if the input size has another number of axes than the model.
        TraceError: if the forward pass fails however the size is read.
    """

    def graph(shape: tuple[int, ...]) -> tuple[nn.Module, nx.DiGraph]:
        own = _settled(model, shape) if has_lazy(model) else model
        recorded = trace(own, shape, locate=locate)
        if len(shape) - 2 < image_axes(model) and _is_unbatched(recorded):
            raise TraceError(f"the forward pass takes an input of {crossed(shape)} for one image without a batch")
        return own, build_graph(recorded, sources)

    first: Exception
    shape: tuple[int, ...] = ()
    try:
        shape = input_shape(model, input_size, channels)
        return graph(shape)
    except InputSizeError as error:
        if not _is_plain(input_size):
            raise
        first = error
    except TraceError as error:
        if error.needs_data:
            raise
        first = error
    for other in dict.fromkeys(_other_shapes(model, input_size, shape)):
        if other == shape:
            continue
        try:
            own, found = graph(other)
        except TraceError:
            continue
        if _fits(found, shape):
            return own, found
    if isinstance(first, TraceError):
        _require_axes(model, input_size)
        raise with_remedy(first, model, shape) from first.__cause__
    raise first


def _is_plain(input_size: InputSize) -> bool:
    """Whether an input size holds positive whole numbers, and only how many of them is wrong."""
    return isinstance(input_size, (tuple, list)) and all(type(value) is int and value > 0 for value in input_size)


def read_shape(model: nn.Module, input_size: InputSize, channels: int, wanted: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of the input that a size stands for: a wanted one if it can be read so, else that of the usual reading.

    Raises:
        InputSizeError: if the size can be read in no way.
    """
    try:
        first = input_shape(model, input_size, channels)
    except InputSizeError:
        if wanted in _other_shapes(model, input_size, ()):
            return wanted
        raise
    return wanted if wanted in _other_shapes(model, input_size, first) else first


def _settled(model: nn.Module, shape: tuple[int, ...]) -> nn.Module:
    """A copy of a lazy model in which every module has its shapes.

    Raises:
        TraceError: if its forward fails at this shape.
    """
    try:
        return materialized(model, shape)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # whatever the forward raises, on the meta device or because of it
        first = error
    try:
        return materialized(model, shape, "cpu")
    except KeyboardInterrupt:
        raise
    except BaseException:
        what = f"the forward pass that gives lazy modules their shapes fails at input {crossed(shape[1:])}"
        raise TraceError(f"{what}: {left_with(first)}") from first


def _other_shapes(model: nn.Module, input_size: InputSize, first: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """What else an input size may mean, the likely first."""
    values = (input_size,) * image_axes(model) if isinstance(input_size, int) else tuple(input_size)
    if not isinstance(input_size, AfterBatch):
        if values[0] == 1 and len(values) > 1:
            yield values
        yield (1, *values)
    if len(first) > 2:
        _, channels, *extents = first
        if channels == 1:
            yield (1, *extents)
        yield (1, *extents, channels)
        if len(first) == 5:
            yield (1, first[2], channels, *first[3:])


def _fits(graph: nx.DiGraph, first: tuple[int, ...]) -> bool:
    """Whether a model takes an input of another shape than the usual one as that was meant, and gives one result for one image."""
    shape, held = graph.graph["input_shape"], graph.graph["input_axes"]
    results = [graph._node[name]["shape"] for name in graph.graph["outputs"]]
    if any(len(result) > 1 and result[0] != 1 for result in results):
        return False
    channels = [dimension for dimension in range(1, len(shape)) if dimension not in held]
    if len(first) == len(shape) and shape != first:
        return [shape[dimension] for dimension in channels] == [first[1]]
    return True


def _is_unbatched(recorded: Trace) -> bool:
    """Whether a convolution took what it received for one image without a batch: torch puts a dimension in front of it."""
    records = recorded.recording.records
    for before, record in pairwise(records):
        if isinstance(meaning_of(record.func), Convolution) and not isinstance(before.func, str):
            is_new = before.func._opname == "unsqueeze" and before.call is record.call and before.args[1] == 0
            return is_new and record.tensors[0].value == before.outputs[0].value
    return False


def _require_axes(model: nn.Module, input_size: InputSize) -> None:
    """Refuse a size that was given in full and has another number of extents than the model's first convolution has axes.

    Raises:
        InputSizeError: with the size to write.
    """
    axes = convolution_axes(model)
    if axes is None or not isinstance(input_size, AfterBatch) or len(input_size) == axes + 1:
        return
    names = {0: "no image extent", 1: "one image extent", 2: "two image extents", 3: "three image extents"}
    likely = list(_likely_sizes(model, input_size, axes))
    trials = Trials(model)
    wanted = next((size for size in likely if trials.works((1, *size))), likely[-1])
    has = names.get(len(input_size) - 1, f"{len(input_size) - 1} image extents")
    reads = names[axes].partition(" ")[0]
    raise InputSizeError(f"--input-size {_listed(input_size)} has {has}, the model reads {reads}: write {_listed(wanted)}")


def _likely_sizes(model: nn.Module, given: tuple[int, ...], axes: int) -> Iterator[tuple[int, ...]]:
    """What somebody may mean who gives too few or too many extents, the likely first.

    Channels are those of the first convolution that has any, or those that are given, or three of one number alone.
    """
    known = next((n for module in model.modules() if isinstance(n := getattr(module, "in_channels", None), int)), given[0])
    readings = [(known, given[1:]), (known, given)] if given[0] in (known, *range(1, 5)) else [(known, given), (known, given[1:])]
    readings.append((given[0], given[1:]) if len(given) > 1 else (3, given))
    for channels, extents in readings:
        if extents:
            yield (channels, *([*extents, *[extents[-1]] * axes][:axes] if len(extents) < axes else extents[-axes:]))


def _listed(sizes: tuple[int, ...]) -> str:
    return ",".join(map(str, sizes))
