"""Receptive fields read off the input gradient: what a unit depends on, found without any formula."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable

import torch
from torch import nn

Span = tuple[int, int] | None
"""First and last pixel that a unit depends on along one axis; None where it depends on nothing."""


class Apply(nn.Module):
    """A function of the image and some layers, as a module."""

    def __init__(self, function: Callable[..., torch.Tensor], *parts: nn.Module) -> None:
        super().__init__()
        self.function = function
        self.parts = nn.ModuleList(parts)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(x, *self.parts)


def gradient_support(model: nn.Module, shape: tuple[int, ...], unit: tuple[int, ...], *, inputs: int = 1) -> tuple[Span, ...]:
    """The pixels that one unit depends on, as the hull along each image axis.

    Args:
        model: from an image (N, C, *axes) to a map (N, C', *axes); left as it is.
        shape: of one image, (1, C, *axes).
        unit: position in the map, one index per image axis; all its channels count.
        inputs: random images whose supports are united; more than one for operators that select, like max pooling.
    """
    model, out_shape = _prepared(model, shape)
    select = torch.zeros(out_shape[2:], dtype=torch.float64)
    select[unit] = 1
    gradient = _gradient(model, shape, select, inputs)
    return tuple(_span(gradient.transpose(0, axis).flatten(1).sum(1)) for axis in range(2, len(shape)))


def gradient_spans(model: nn.Module, shape: tuple[int, ...], *, inputs: int = 1) -> list[list[Span]]:
    """Per image axis and position on it: the hull of what the units at that position depend on. Arguments as above.

    One entry of the batch serves one position, so that a single backward pass finds a whole axis.
    """
    model, out_shape = _prepared(model, shape)
    spans: list[list[Span]] = []
    for axis in range(2, len(shape)):
        size = out_shape[axis]
        select = torch.eye(size, dtype=torch.float64).view(size, *(size if a == axis else 1 for a in range(1, len(shape))))
        gradient = _gradient(model, (size, *shape[1:]), select, inputs)
        spans.append([_span(profile) for profile in gradient.sum([a for a in range(1, len(shape)) if a != axis])])
    return spans


def gradient_extents(model: nn.Module, shape: tuple[int, ...], *, inputs: int = 1) -> tuple[float, ...]:
    """Receptive field per image axis: the widest unit of the middle half; ``inf`` where all of those depend on the whole axis."""
    spans = gradient_spans(model, shape, inputs=inputs)
    return tuple(extent(own, size) for own, size in zip(spans, shape[2:], strict=True))


def extent(spans: list[Span], size: int) -> float:
    """Extent of the widest unit of the middle half of an axis; ``inf`` where all of those span ``size``."""
    extents = [0 if span is None else span[1] - span[0] + 1 for span in (spans[q] for q in middle(len(spans)))]
    return math.inf if min(extents) == size else max(extents)


def middle(positions: int) -> range:
    """The positions far from the border, where no unit is clipped if the image is large enough."""
    return range(positions // 4, positions - positions // 4)


def _prepared(model: nn.Module, shape: tuple[int, ...]) -> tuple[nn.Module, torch.Size]:
    """A float64 copy whose parameters are positive and random, so that nothing cancels and no ReLU is off; and its output shape."""
    model = copy.deepcopy(model).double().eval()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            fan_in = max(parameter.numel() // parameter.shape[0], 1)
            parameter.copy_((0.5 + torch.rand(parameter.shape, generator=generator, dtype=torch.float64)) / fan_in)
        return model, model(torch.ones(shape, dtype=torch.float64)).shape


def _gradient(model: nn.Module, shape: tuple[int, ...], select: torch.Tensor, inputs: int) -> torch.Tensor:
    """Absolute gradient of the selected units, in random proportions, by random positive images; summed over the images."""
    generator = torch.Generator().manual_seed(1)
    total = torch.zeros(shape, dtype=torch.float64)
    for _ in range(inputs):
        x = torch.rand(shape, generator=generator, dtype=torch.float64).add_(0.5).requires_grad_()
        y = model(x)
        proportions = 0.5 + torch.rand(y.shape, generator=generator, dtype=torch.float64)
        total += torch.autograd.grad((y * proportions * select).sum(), x)[0].abs()
    return total


def _span(profile: torch.Tensor) -> Span:
    """Where a profile along one axis is not zero, rounding errors of interpolation weights aside."""
    read = (profile > 1e-10 * profile.max()).nonzero().flatten()
    return (int(read[0]), int(read[-1])) if len(read) else None


def changed_spans(model: nn.Module, shape: tuple[int, ...], *, inputs: int = 1) -> list[list[Span]]:
    """As `gradient_spans`, for operators that select: which positions change, if one line of pixels across an axis does."""
    model, out_shape = _prepared(model, shape)
    generator = torch.Generator().manual_seed(2)
    spans: list[list[Span]] = []
    for axis in range(2, len(shape)):
        changed = torch.zeros(out_shape[axis], shape[axis], dtype=torch.float64)
        for _ in range(inputs):
            x = torch.rand(shape, generator=generator, dtype=torch.float64)
            with torch.no_grad():
                before = model(x)
                for line in range(shape[axis]):
                    other = x.clone()
                    other.select(axis, line).copy_(torch.rand(x.select(axis, line).shape, generator=generator, dtype=torch.float64))
                    differs = model(other) != before
                    changed[:, line] += differs.transpose(0, axis).flatten(1).sum(1)
        spans.append([_span(profile) for profile in changed])
    return spans
