"""Which dimensions of the input hold the image axes: those behind the channels, unless the model itself reads it in another way."""

from __future__ import annotations

from rfcheck.graph.calls import Gathered
from rfcheck.graph.gathering import Gathering, gathered
from rfcheck.graph.orientation import dimensions_run_along, features_from_last, first_convolution
from rfcheck.graph.trace import Trace


def gathered_along(trace: Trace, held: tuple[int, ...] | None) -> tuple[Gathering, list[Gathered], str | None]:
    """What every call of a recorded pass does to positions along the image axes.

    Args:
        trace: the recorded pass.
        held: the dimensions of the input that hold an image axis, in the order of the axes; None for those behind the channels,
            unless the first convolution takes its channels from one of these.

    Returns:
        The walk over the records, what it says of each, and the layer by which the channels were found to come last, if one was.
    """
    if held is not None:
        return *gathered(trace, held), None
    held = tuple(range(2, len(trace.shape)))
    gathering, calls = gathered(trace, held)
    first = first_convolution(trace.recording.records, gathering.layouts, trace.shape, held)
    if not held or (first is not None and (first.channels or first.axes > len(held))):
        return *gathered(trace, _without_channels(trace) or held), None
    taker = features_from_last(trace.recording.records, gathering.layouts, trace.shape, held)
    along = _run_along(trace) if taker else ()
    return (*gathered(trace, along), taker) if along else (gathering, calls, None)


def _without_channels(trace: Trace) -> tuple[int, ...]:
    """The dimensions of the input that hold an image axis: all but the batch and what the first convolution takes for channels."""
    every = tuple(range(1, len(trace.shape)))
    gathering, _ = gathered(trace, every)
    first = first_convolution(trace.recording.records, gathering.layouts, trace.shape, every)
    if first is None:
        return every[1:] or every
    empty = {1} if first.channels and trace.shape[1] == 1 else set()  # where channels would be, and nothing is
    return tuple(dimension for dimension in every if dimension not in first.channels | empty)


def _run_along(trace: Trace) -> tuple[int, ...]:
    gathering, _ = gathered(trace, tuple(range(1, len(trace.shape))))
    return dimensions_run_along(trace.recording.records, gathering.layouts)
