"""Receptive fields read off the input gradient: what a unit depends on, found without any formula."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable

import numpy as np
import torch
from torch import nn

Span = tuple[int, int] | None
"""First and last pixel that a unit reads along one axis; None where it reads nothing."""


class Apply(nn.Module):
    """A function as a module; what it needs of parameters are its sub-modules."""

    def __init__(self, function: Callable[..., torch.Tensor], *parts: nn.Module) -> None:
        super().__init__()
        self.function = function
        self.parts = nn.ModuleList(parts)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(x, *self.parts)


def positive(model: nn.Module) -> nn.Module:
    """A copy in float64 whose parameters are positive and random, so that no two contributions cancel and no ReLU is off."""
    model = copy.deepcopy(model).double().eval()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            fan_in = max(parameter.numel() // max(parameter.shape[0], 1), 1)
            parameter.copy_((0.5 + torch.rand(parameter.shape, generator=generator, dtype=parameter.dtype)) / fan_in)
    return model


def _dependence(model: nn.Module, shape: tuple[int, ...], select: torch.Tensor, seed: int) -> torch.Tensor:
    """Absolute gradient of the selected outputs, in random proportions, with respect to a random positive input."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(shape, generator=generator, dtype=torch.float64).add_(0.5).requires_grad_()
    y = model(x)
    proportions = 0.5 + torch.rand(y.shape, generator=generator, dtype=torch.float64)
    (gradient,) = torch.autograd.grad((y * proportions * select).sum(), x, allow_unused=True, materialize_grads=True)
    return gradient.abs()


def _span(profile: torch.Tensor) -> Span:
    """Where a profile along one axis is not zero; rounding errors of interpolation weights are zero."""
    read = np.flatnonzero(profile.numpy() > 1e-10 * max(float(profile.max()), 1e-300))
    return (int(read[0]), int(read[-1])) if read.size else None


def gradient_support(model: nn.Module, shape: tuple[int, ...], unit: tuple[int, ...], *, inputs: int = 1) -> tuple[Span, ...]:
    """The pixels that one unit depends on, as the hull along each image axis.

    Args:
        model: from an image (1, C, *axes) to a map (1, C', *axes).
        shape: of the image.
        unit: position in the output, one index per image axis; all its channels count.
        inputs: random inputs over which supports are united; more than one for operators that select, like max pooling.
    """
    model = positive(model)
    with torch.no_grad():
        select = torch.zeros(model(torch.ones(shape, dtype=torch.float64)).shape[2:], dtype=torch.float64)
    select[unit] = 1
    gradient = sum(_dependence(model, shape, select, seed) for seed in range(inputs))
    return tuple(_span(gradient.transpose(0, axis + 2).flatten(1).sum(1)) for axis in range(len(shape) - 2))


def gradient_spans(model: nn.Module, shape: tuple[int, ...], *, inputs: int = 1) -> list[list[Span]]:
    """Per image axis and output position on it: the hull of what the units at that position depend on.

    The units of one position are taken together, and every position has its own entry of the batch.
    """
    model = positive(model)
    with torch.no_grad():
        out_shape = model(torch.ones(shape, dtype=torch.float64)).shape
    spans: list[list[Span]] = []
    for axis in range(2, len(shape)):
        size = out_shape[axis]
        select = torch.eye(size, dtype=torch.float64).reshape(size, *(size if a == axis else 1 for a in range(1, len(shape))))
        gradient = sum(_dependence(model, (size, *shape[1:]), select, seed) for seed in range(inputs))
        others = [a for a in range(1, len(shape)) if a != axis]
        spans.append([_span(profile) for profile in gradient.sum(others)])
    return spans


def gradient_extents(model: nn.Module, shape: tuple[int, ...], *, inputs: int = 1) -> tuple[float, ...]:
    """Receptive field per image axis: of the widest unit that the border does not clip, ``inf`` where every unit is clipped on both sides."""
    return tuple(extent(own, size) for own, size in zip(gradient_spans(model, shape, inputs=inputs), shape[2:], strict=True))


def extent(spans: list[Span], size: int) -> float:
    """Extent of the widest of the spans that touch no border; ``inf`` where all of them reach from border to border."""
    if all(span == (0, size - 1) for span in spans):
        return math.inf
    return max(span[1] - span[0] + 1 for span in spans if is_interior(span, size) and span)


def is_interior(span: Span, size: int) -> bool:
    """Whether a unit reads something, and neither the first nor the last pixel."""
    return span is not None and span[0] > 0 and span[1] < size - 1
