"""Which inputs a model can take at all, found by trying them, to tell a user whose forward pass failed."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import nn

from rfcheck.graph.lazy import has_lazy, materialized
from rfcheck.graph.trace import results_at

_USUAL = (16, 24, 28, 32, 48, 64, 96, 112, 128, 160, 192, 224, 227, 256, 299, 320, 384, 448, 512, 640, 768, 1024)
_USUAL_LENGTHS = (*_USUAL, 2048, 3000, 4096, 8000, 16000, 22050, 32000, 44100, 48000)
_STEPS = (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 36, 40, 48, 56, 64, 72, 80, 96, 112, 128)
"""Distances at which other sizes are looked for beside one that works."""

_LARGEST = 2**16
"""Size beyond which it is not narrowed down how large an input may be."""

_MOST_COMPUTED = 2**18
"""Elements of an input up to which passes are tried that compute."""

_MOST_STEPS = 100_000
"""Calls of modules after which no other input is tried."""

_STEPS_AT_ONCE = 2**10
"""Elements of an input that take about as long to compute as a call of a module takes without data."""

_BATCHES = (16, 32, 64, 128, 8, 4, 2, 10, 20, 50, 100, 256)


@dataclass(frozen=True, slots=True)
class Feasible:
    """Square sizes at which a forward pass succeeds; each of them was tried.

    Attributes:
        below: the nearest one under the size that failed; None if there is none.
        above: the nearest one over it.
        step: sizes that work are so many pixels apart, and none between them that was tried works; 1 where neighbours work too, 0
            where no other size works.
        whole: whether the sizes are the multiples of the step.
        is_least: whether no size under `above` works, as far as it was tried.
    """

    below: int | None
    above: int | None
    step: int
    whole: bool
    is_least: bool

    @property
    def sizes(self) -> tuple[int, ...]:
        """Those beside the size that failed."""
        return tuple(size for size in (self.below, self.above) if size is not None)


class TrialsEndedError(Exception):
    """So many inputs were tried that the search has to end; nothing follows from what was not tried."""


class Trials:
    """Forward passes of a model at other inputs, each made once.

    Args:
        model: left as it is.

    Raises:
        TrialsEndedError: from all methods, once they have taken too long together.
    """

    def __init__(self, model: nn.Module) -> None:
        self._model = model
        self._is_lazy = has_lazy(model)
        self._needs_data = any(isinstance(module, torch.jit.ScriptModule) for module in model.modules())
        self._results: dict[tuple[int, ...], tuple[tuple[int, ...], ...] | None] = {}
        self._modules = sum(1 for _ in model.modules())
        self._left = _MOST_STEPS

    def results(self, shape: tuple[int, ...]) -> tuple[tuple[int, ...], ...] | None:
        """Shapes of what the model returns for an input; None where it fails."""
        if shape not in self._results:
            self._results[shape] = self._tried(shape)
        return self._results[shape]

    def _tried(self, shape: tuple[int, ...]) -> tuple[tuple[int, ...], ...] | None:
        model = self._model
        if self._needs_data and math.prod(shape) > _MOST_COMPUTED:
            return None
        if self._left <= 0:
            raise TrialsEndedError
        self._left -= self._modules * (1 + math.prod(shape) // _STEPS_AT_ONCE if self._needs_data else 1)
        if self._is_lazy:
            try:
                model = materialized(model, shape)
            except KeyboardInterrupt:
                raise
            except BaseException:  # whatever the forward raises
                return None
        return results_at(model, shape)

    def working(self) -> list[tuple[int, ...]]:
        """The inputs that were tried and work."""
        return [shape for shape in self._results if self.works(shape)]

    def batch(self, shape: tuple[int, ...]) -> int | None:
        """For how many images there are results, where an input works; None where it does not, or results differ."""
        results = self.results(shape)
        if results is None:
            return None
        batches = {result[0] for result in results if result}
        return batches.pop() if len(batches) == 1 else shape[0] if not batches else None

    def works(self, shape: tuple[int, ...]) -> bool:
        """Whether a forward pass succeeds and gives results for as many images as it was given."""
        return self.batch(shape) == shape[0]


def working_sizes(trials: Trials, shape: tuple[int, ...], hints: Iterable[int] = ()) -> Feasible | None:
    """Square inputs near a failing one that work; None if none was found.

    Feasibility is not monotonic, so that every size that is named was tried, and what is said of those between them rests on trials
    of near sizes on both sides.

    Args:
        trials: of the model.
        shape: of the input at which it fails, (1, C, *axes).
        hints: sizes that are worth a try.
    """
    axes, failing = len(shape) - 2, min(shape[2:])  # of extents that differ the smallest is the likeliest cause

    def works(size: int) -> bool:
        return size > 0 and trials.works((*shape[:2], *(size,) * axes))

    usual = sorted({*(_USUAL if axes > 1 else _USUAL_LENGTHS), *hints, *_round_sizes(failing)} - {failing})
    larger, smaller = [s for s in usual if s > failing], [s for s in reversed(usual) if s < failing]
    found = next(filter(works, larger), None) or next(filter(works, smaller), None)
    if found is None:
        return None
    step = next((step for step in _STEPS if works(found + step) or (found > step and works(found - step))), 0)
    if step == 0:
        others = [size for size in usual if size != found and works(size)]
        step = math.gcd(found, *others) if others else 0
        if step < 2 or not (works(found + step) or works(found - step)):
            return _beside(failing, sorted([found, *others]), step=min(len(others), 1))
    return _around(works, failing, found, step)


def _round_sizes(failing: int) -> Iterator[int]:
    """Multiples of usual numbers on both sides of a size."""
    for step in (2, 3, 4, 7, 8, 14, 16, 32, 48, 64):
        yield from (failing // step * step, -(-failing // step) * step)


def _around(works: Callable[[int], bool], failing: int, found: int, step: int) -> Feasible:
    """The nearest sizes on both sides of the failing one among those that are a step apart."""
    if failing > _LARGEST:
        return Feasible(found, None, step, whole=found % step == 0, is_least=False)
    offset = found % step
    above = failing - (failing - offset) % step + step
    below = above - step if above - step != failing else above - 2 * step
    over = above if works(above) else _first(works, above, found, step) if found > failing else None
    under = below if below > 0 and works(below) else _first(works, below, found, -step) if found < failing else None
    is_least = under is None and over is not None and not any(works(size) for size in range(max(1, over - 8), over))
    return Feasible(under, over, step, whole=offset == 0, is_least=is_least)


def _first(works: Callable[[int], bool], near: int, far: int, step: int) -> int:
    """The size nearest to one that fails, of those a step apart up to one that works, as if all behind it worked too."""
    low, high = 0, (far - near) // step
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if works(near + middle * step) else (middle, high)
    return near + high * step


def _beside(failing: int, sizes: list[int], *, step: int) -> Feasible:
    """Of sizes that work and of which no neighbour does, the nearest on both sides."""
    below = max((size for size in sizes if size < failing), default=None)
    above = min((size for size in sizes if size > failing), default=None)
    return Feasible(below, above, step, whole=False, is_least=False)


def working_batch(trials: Trials, shape: tuple[int, ...], hints: Iterable[int] = ()) -> tuple[int, ...] | None:
    """An input of several images that a model takes where it fails with one; None where none that was tried works.

    Args:
        trials: of the model.
        shape: of the input at which it fails, for one image.
        hints: numbers that are worth a try.
    """
    own = [batch for batch in hints if 1 < batch <= max(_BATCHES)]
    inputs = [(batch, *shape[1:]) for batch in dict.fromkeys((*own, *_BATCHES))]
    inputs += [(batch, shape[1], *(size,) * (len(shape) - 2)) for batch in own for size in _USUAL]
    return next(filter(trials.works, inputs), None)


def working_channels(
    trials: Trials, shape: tuple[int, ...], candidates: Iterable[int], hints: Iterable[int]
) -> tuple[int, ...] | None:
    """An input with another number of channels that works, at the same size if possible; None where there is none.

    Args:
        trials: of the model.
        shape: of the input at which it fails, (1, C, *axes).
        candidates: numbers of channels to try.
        hints: sizes to try besides the usual ones.
    """
    axes = len(shape) - 2
    sizes = [shape[2:], *((size,) * axes for size in dict.fromkeys((*hints, *_USUAL)))]
    others = [channels for channels in dict.fromkeys(candidates) if channels != shape[1]]
    inputs = ((1, channels, *size) for size, channels in itertools.product(sizes, others))
    return next((one for one in inputs if math.prod(one) < 2**40 and trials.works(one)), None)
