"""The same model at many resolutions: `sweep`, one `SweepPoint` per resolution."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from rfcheck.config import Settings
from rfcheck.errors import InputSizeError, TraceError

if TYPE_CHECKING:
    from torch import nn

    from rfcheck.analysed import Analysis
    from rfcheck.analysis.layers import Extents, Layer

MOST_RESOLUTIONS = 1000
"""How many resolutions a text may stand for; more are a slip of the step."""

_NUMBER = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class SweepPoint:
    """What is known of a model at one resolution. Where the forward pass fails, every quantity is None.

    Attributes:
        resolution: I, extent of the image in pixels along every axis.
        failure: why the forward pass fails at this resolution; None where it does not.
        judged: number of judged layers.
        productive: how many of them are productive.
        unknown: of how many it is not known whether they are.
        tail: number of layers in the tail.
        border_min: name of b_min, the first layer of the tail; None if there is no tail.
        border_position: place of b_min among the judged layers in execution order, counted from 1; None if there is no tail.
        flops: multiply-accumulates of one forward pass at batch size 1.
        activation_bytes: bytes of all tensors that it allocates.
        live_taps: share of the taps of convolution kernels that read at least one real pixel at some output position, between 0
            and 1: the mean over all convolution calls, whatever their role, each weighted by the number of parameters that it
            reads (bias included). Poolings and linear layers do not count. None if no convolution has parameters.
        lowest: smallest image without an unproductive layer, in pixels per axis, as this resolution's graph has it.
        highest: largest image that the last feature map sees whole.
        in_range: whether the resolution is feasible: no layer is unproductive, and the last feature map sees the whole image. None
            where a receptive field that decides is unknown, or no layer is judged.
    """

    resolution: int
    failure: str | None = None
    judged: int | None = None
    productive: int | None = None
    unknown: int | None = None
    tail: int | None = None
    border_min: str | None = None
    border_position: int | None = None
    flops: int | None = None
    activation_bytes: int | None = None
    live_taps: float | None = None
    lowest: Extents | None = None
    highest: Extents | None = None
    in_range: bool | None = None

    @property
    def productive_share(self) -> float | None:
        """Productive layers per judged layer whose productivity is known, between 0 and 1; None if there is none."""
        if self.judged is None or self.productive is None or self.unknown is None or self.judged == self.unknown:
            return None
        return self.productive / (self.judged - self.unknown)


@dataclass(frozen=True, slots=True)
class ModelSweep:
    """One model at many resolutions.

    Attributes:
        target: as reports name it, "model.py:Net".
        path: file that defines it; None outside the user's files.
        line: line of the definition.
        channels: channels of the input.
        points: one per resolution, ascending.
    """

    target: str
    path: str | None
    line: int | None
    channels: int
    points: tuple[SweepPoint, ...]


def sweep(
    model: nn.Module, resolutions: Iterable[int] | str, *, settings: Settings | Mapping[str, Any] | None = None
) -> tuple[SweepPoint, ...]:
    """Analyse a model at many resolutions.

    Args:
        model: any module whose forward takes one image tensor; it is left as it was.
        resolutions: extents of the image along all of its axes, in pixels, or text like "32:512:32".
        settings: what decides numbers; the defaults if None.

    Returns:
        One point per resolution, in the order given; a resolution at which the forward pass fails is a point with the reason.

    Raises:
        InputSizeError: if a resolution is not a positive whole number, or there is none.
        TargetError: if the model is not a module.
        SettingsError: on an unknown setting.
    """
    from rfcheck.api import analyze

    chosen = Settings.of(settings)
    sizes = parse_resolutions(resolutions, "resolutions") if isinstance(resolutions, str) else _checked(resolutions)
    return tuple(measure(lambda size: analyze(model, size, settings=chosen), size) for size in sizes)


def measure(analyze_at: Callable[[int], Analysis], resolution: int) -> SweepPoint:
    """The point of one resolution, with the reason where the forward pass fails."""
    try:
        return point_of(analyze_at(resolution))
    except TraceError as error:
        return SweepPoint(resolution, failure=str(error))


def point_of(analysis: Analysis) -> SweepPoint:
    """What a sweep keeps of one analysis of a square (cubic, one-dimensional) image."""
    border = analysis.network.border
    low, high = analysis.resolution_range
    judgements = list(border.productive.values())
    return SweepPoint(
        resolution=analysis.input_size[0],
        judged=len(judgements),
        productive=judgements.count(True),
        unknown=judgements.count(None),
        tail=len(border.tail),
        border_min=border.b_min,
        border_position=None if border.b_min is None else border.judged.index(border.b_min) + 1,
        flops=analysis.flops,
        activation_bytes=analysis.activation_bytes,
        live_taps=_live_taps(analysis.layers),
        lowest=low,
        highest=high,
        in_range=_is_feasible(judgements, high, analysis.input_size),
    )


def _live_taps(layers: Iterable[Layer]) -> float | None:
    weighed = [(layer.live_taps, layer.params) for layer in layers if layer.kind == "conv" and layer.live_taps is not None]
    total = sum(params for _, params in weighed)
    return sum(live * params for live, params in weighed) / total if total else None


def _is_feasible(judgements: Sequence[bool | None], highest: Extents | None, sizes: tuple[int, ...]) -> bool | None:
    if not judgements:
        return None
    if False in judgements or (highest is not None and any(size > high for size, high in zip(sizes, highest, strict=True))):
        return False
    return None if None in judgements or highest is None else True


def feasible_spans(points: Iterable[SweepPoint]) -> tuple[tuple[float, float], ...]:
    """The resolutions between which a model is feasible, (lowest, highest) in pixels, as far as the points tell.

    Every run of feasible points gives a span: as wide as its own ends say, but without the next points that are not feasible. If
    no point is feasible, the range that all analyses agree on is the only span, where there is one.
    """
    ordered = sorted(points, key=lambda point: point.resolution)
    spans: list[tuple[float, float]] = []
    done = 0
    for feasible, group in groupby(ordered, key=lambda point: point.in_range is True):
        run = list(group)
        before, after = ordered[:done][-1:], ordered[done + len(run) :][:1]
        done += len(run)
        if feasible:
            start = max(_lowest(run[0]), *(point.resolution + 1 for point in before), 1)
            end = min(_highest(run[-1]), *(point.resolution - 1 for point in after), math.inf)
            spans.append((start, end))
    agreed = {(point.lowest, point.highest) for point in ordered if point.failure is None}
    if not spans and len(agreed) == 1:
        ((low, high),) = agreed
        if low is not None and high is not None and min(low) <= min(high):
            spans.append((min(low), min(high)))
    return tuple(spans)


def _lowest(point: SweepPoint) -> float:
    return min(point.resolution, *(point.lowest or ()), point.resolution)


def _highest(point: SweepPoint) -> float:
    """The axis that is seen least decides."""
    return max(point.resolution, min(point.highest or (point.resolution,)))


def parse_resolutions(text: str, what: str = "--resolutions") -> tuple[int, ...]:
    """Resolutions from text, ascending and each once: "32:512:32", "32,64,224", "32:128:32,224".

    Args:
        text: numbers and ranges START:STOP:STEP, comma-separated; a range holds STOP where a step ends on it.
        what: name of the option, for the message.

    Raises:
        InputSizeError: if a part is neither, or they are too many.
    """
    if not text.strip():
        raise InputSizeError(f"{what} is empty; give numbers like 32,64,224 or a range like 32:512:32")
    found: set[int] = set()
    for part in text.split(","):
        values = _parse_part(part.strip(), text, what)
        if len(values) > MOST_RESOLUTIONS:
            raise InputSizeError(f"{what} {text} holds more than {MOST_RESOLUTIONS} resolutions; use a larger step")
        found.update(values)
    if len(found) > MOST_RESOLUTIONS:
        raise InputSizeError(f"{what} {text} holds more than {MOST_RESOLUTIONS} resolutions; use a larger step")
    return tuple(sorted(found))


def _parse_part(part: str, text: str, what: str) -> Sequence[int]:
    pieces = [piece.strip() for piece in part.split(":")]
    if len(pieces) not in (1, 3) or not all(_NUMBER.fullmatch(piece) for piece in pieces):
        raise InputSizeError(f"{what} must hold numbers like 32,64,224 or a range START:STOP:STEP like 32:512:32, got {text!r}")
    start, stop, step = (int(pieces[0]), int(pieces[0]), 1) if len(pieces) == 1 else map(int, pieces)
    if start < 1:
        raise InputSizeError(f"{what} must be at least 1 px, got {text!r}")
    if step < 1:
        raise InputSizeError(f"{what} {part}: the step must be at least 1")
    if start > stop:
        raise InputSizeError(f"{what} {part}: the range runs backwards; write {stop}:{start}:{step}")
    return range(start, stop + 1, step)


def _checked(resolutions: Iterable[int]) -> tuple[int, ...]:
    if not isinstance(resolutions, Iterable):
        raise InputSizeError(f"resolutions must be several whole numbers, like [32, 64] or '32:512:32', got {resolutions!r}")
    sizes = tuple(resolutions)
    if not sizes:
        raise InputSizeError("resolutions is empty; give at least one, like [32]")
    for size in sizes:
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise InputSizeError(f"resolutions must be whole numbers of at least 1, got {size!r}")
    return sizes
