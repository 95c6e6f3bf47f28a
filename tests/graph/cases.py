"""Networks around one operator, held against the support of the input gradient."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

import rfcheck
from rfcheck.graph.reach import Reach
from tests.oracle import Apply, Span, changed_spans, extent, gradient_spans, middle

IMAGE = (1, 2, 48, 40)
TOKENS = (1, 2, 16, 12)
SERIES = (1, 2, 64)
VOLUME = (1, 2, 18, 16, 14)


EXACT = {"gates": "count", "projection": "exact"}
"""The gradient knows no conventions."""


def span_of(reach: Reach, position: int, size: int) -> Span:
    """The pixels of the image that a position reads."""
    cycle, phase = divmod(position, reach.period)
    first = max(reach.first[phase] + cycle * reach.advance, 0)
    last = min(reach.last[phase] + cycle * reach.advance, size - 1)
    return (int(first), int(last)) if first <= last else None


WRAPPING = "what comes from the other end counts as lying beyond the border"


def assert_as_gradient(
    model: nn.Module, shape: tuple[int, ...] = IMAGE, *, inputs: int = 1, periodic: bool = True, wraps: bool = False
) -> None:
    """Every unit of the middle half reads exactly the pixels that it depends on, and r_max is the widest of them.

    Maps that are not ``periodic`` may have their widest unit at the border. That a map ``wraps`` round is an assumption, the only one.
    """
    _assert_spans(gradient_spans, model, shape, inputs, periodic, wraps)


def assert_as_changed(model: nn.Module, shape: tuple[int, ...] = IMAGE, *, inputs: int = 2, periodic: bool = True) -> None:
    """Likewise for operators without a gradient: every unit reads exactly the pixels whose change changes it."""
    _assert_spans(changed_spans, model, shape, inputs, periodic)


def _assert_spans(
    oracle: Callable[..., list[list[Span]]],
    model: nn.Module,
    shape: tuple[int, ...],
    inputs: int,
    periodic: bool,
    wraps: bool = False,
) -> None:
    analysis = rfcheck.analyze(model, shape, settings=EXACT)
    assert [text.rpartition(": ")[2] for text in analysis.assumptions] == [WRAPPING] * wraps
    fields = analysis.network.fields[analysis.graph.graph["outputs"][0]]
    for field, spans, size in zip(fields, oracle(model, shape, inputs=inputs), shape[2:], strict=True):
        units = middle(len(spans))
        assert [span_of(field.widest, q, size) for q in units] == [spans[q] for q in units]
        if periodic:
            assert field.r_max == extent(spans, size)


def conv(kernel=3, channels: int = 2, made: int = 2, **options) -> nn.Conv2d:
    return nn.Conv2d(channels, made, kernel, **options)


def between(function, before: nn.Module | None = None, after: nn.Module | None = None) -> nn.Module:
    """A function between two convolutions: its window composes with theirs."""
    return Apply(lambda x, a, b: b(function(a(x))), before or conv(padding=1), after or conv((2, 3), stride=(2, 1)))


def cases(table: dict[str, object]):
    return pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in table.items()])


def moved(function, made: int = 2, channels: int = 2, after: nn.Module | None = None) -> nn.Module:
    """A function between a convolution with ``made`` channels and one that reads ``channels``."""
    return between(function, conv(made=made, padding=1), after or conv((2, 3), channels, stride=(2, 1)))


def split_into_windows(x: torch.Tensor, k: int) -> torch.Tensor:
    n, c, h, w = x.shape
    return x.view(n, c, h // k, k, w // k, k)
