"""Receptive fields, sizes and live taps read off propagated indicators: nothing here knows a formula.

Planes of ones, one per image of a batch, run through a network whose weights are all positive: a value behind them is positive
exactly where it depends on the plane.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from rfcheck import Analysis, Layer, analyze

LAYERS = (nn.modules.conv._ConvNd, nn.Linear, nn.MaxPool1d, nn.MaxPool2d, nn.AvgPool1d, nn.AvgPool2d)


@dataclass(frozen=True)
class Seen:
    """What was seen of one call of a layer.

    Attributes:
        in_sizes: of what it received, per image axis; None along an axis that no dimension of it holds as a whole.
        out_sizes: of what it returned, likewise.
        r: per image axis, pixels spanned by the support of its widest unit. A unit is a position: all its channels count, since
            the next layer reads all of them.
        whole: per image axis, pixels spanned by the support of all units together.
        live: share of the kernel's taps that some real position reaches; None without a kernel of weights.
    """

    in_sizes: tuple[int | None, ...]
    out_sizes: tuple[int | None, ...]
    r: tuple[int, ...]
    whole: tuple[int, ...]
    live: float | None


def seen_by_layers(model: nn.Module, shape: tuple[int, ...]) -> dict[str, Seen]:
    """What every convolution, pooling and linear layer sees, by module name.

    Args:
        model: in float64, with positive weights and without biases (see `made_positive`). Keeps images of a batch apart, in the
            outermost part of the first dimension, and calls every layer once; made of operators that are monotone, so that
            nothing cancels. Where another dimension than is usual for a layer holds the channels of its result, the layer's
            ``channels_at`` says which; where other dimensions hold the image axes, ``axes_at`` says which, per axis.
        shape: of one image, (1, C, *axes).
    """
    layers = {name: module for name, module in model.named_modules() if isinstance(module, LAYERS)}
    sizes = shape[2:]
    found: dict[str, dict[str, Any]] = {}

    def note(name: str, given: torch.Tensor, made: torch.Tensor) -> None:
        layer = layers[name]
        channels, held = _dimensions(layer, len(sizes), given.dim())
        depends = (made.amax(channels).reshape(sum(sizes), -1) > 0).split(sizes)
        found[name] = {
            "in_sizes": tuple(d and _received(layer, given.shape, d) for d in held),
            "out_sizes": tuple(d and made.shape[d] for d in held),
            "r": tuple(_widest(own) for own in depends),
            "whole": tuple(_widest(own.any(1, keepdim=True)) for own in depends),
        }

    _watched(model, layers, _planes(shape), note)
    live = _live_taps(model, layers, shape)
    return {name: Seen(**own, live=live.get(name)) for name, own in found.items()}


def _planes(shape: tuple[int, ...]) -> torch.Tensor:
    """One image for each position on each axis, which is 1 there and 0 elsewhere."""
    planes: list[torch.Tensor] = []
    for axis, size in enumerate(shape[2:]):
        own = torch.eye(size, dtype=torch.float64).view(size, 1, *(size if a == axis else 1 for a in range(len(shape) - 2)))
        planes.append(own.expand(size, *shape[1:]))
    return torch.cat(planes)


def _dimensions(layer: nn.Module, axes: int, dims: int) -> tuple[int, tuple[int | None, ...]]:
    """The dimension of a layer's channels, and those of the image axes."""
    unusual = isinstance(layer, nn.Linear) or dims != axes + 2
    held = (None,) * axes if unusual else tuple(range(2, dims))
    return getattr(layer, "channels_at", -1 if isinstance(layer, nn.Linear) else 1), getattr(layer, "axes_at", held)


def made_positive(model: nn.Module) -> nn.Module:
    """The model itself, in float64 and without gradients, its weights positive and its biases 0."""
    model.double().eval().requires_grad_(False)
    for name, parameter in model.named_parameters():
        parameter.fill_(0 if name.endswith("bias") else 1 / max(parameter.numel() // parameter.shape[0], 1))
    return model


def disagreements(model: nn.Module, shape: tuple[int, ...], *, gates: str = "count") -> list[str]:
    """Where the analysis of a model says something else than its indicators; arguments as for `seen_by_layers`.

    Weights between 0 and 1 never hide an indicator: where a model has gates, ``gates="ignore"`` is what the indicators see.

    What indicators see ends at the border of the image, and what an analysis says goes on beyond it. So a receptive field may be
    larger than what is seen where it reaches the extent of the image, or leaves no room in half of it for a few units that see no border.
    An unbounded one belongs to a unit that sees all that any unit sees. An unknown one must be named.
    """
    analysis = analyze(model, shape, settings={"projection": "exact", "gates": gates})  # indicators know no conventions
    found: list[str] = []
    for name, seen in seen_by_layers(model, shape).items():
        found.extend(f"{name}: {difference}" for difference in _differences(analysis, analysis.layer(name), seen, shape[2:]))
    return found


def _differences(analysis: Analysis, layer: Layer, seen: Seen, sizes: tuple[int, ...]) -> Iterator[str]:
    if layer.r_max is None:
        if not analysis.assumptions:
            yield "unknown without a word"
    else:
        for r, jump, extent, whole, size in zip(layer.r_max, layer.jump or (), seen.r, seen.whole, sizes, strict=True):
            if math.isinf(r):
                agrees = extent == whole
            else:
                agrees = r == extent or (r > extent and (extent == size or 2 * (r + 3 * math.ceil(jump)) > size))
            if not agrees:
                yield f"r_max {layer.r_max} instead of {seen.r}"
    if layer.r_max is not None and layer.r_min is not None and any(a > b for a, b in zip(layer.r_min, layer.r_max, strict=True)):
        yield f"r_min {layer.r_min} above r_max {layer.r_max}"
    for what, said, true in (("in", layer.in_size, seen.in_sizes), ("out", layer.out_size, seen.out_sizes)):
        if any(one is not None and one != own for one, own in zip(true, said, strict=True)):
            yield f"{what}_size {said} instead of {true}"
    if seen.live is not None and not math.isclose(layer.live_taps or 0, seen.live):
        yield f"live_taps {layer.live_taps} instead of {seen.live}"


def _watched(model: nn.Module, layers: dict[str, nn.Module], images: torch.Tensor, note: Callable[..., None]) -> None:
    def hook(name: str) -> Callable[..., Any]:
        return lambda _, given, made: note(name, given[0], made)

    hooks = [module.register_forward_hook(hook(name)) for name, module in layers.items()]
    model(images)
    for handle in hooks:
        handle.remove()


def _received(layer: Any, shape: tuple[int, ...], dim: int) -> int:
    """The extent that the layer's kernel runs over: modes of padding other than zeros are operators of their own before it."""
    if getattr(layer, "padding_mode", "zeros") == "zeros":
        return shape[dim]
    return shape[dim] + 2 * layer.padding[dim - 2]


def _widest(depends: torch.Tensor) -> int:
    """Extent of the support of the widest unit.

    Args:
        depends: (pixels, units), whether a unit depends on a pixel.
    """
    first = depends.int().argmax(0)
    last = len(depends) - 1 - depends.flip(0).int().argmax(0)
    return int(torch.where(depends.any(0), last - first + 1, 0).max())


def _live_taps(model: nn.Module, layers: dict[str, nn.Module], shape: tuple[int, ...]) -> dict[str, float]:
    """Shares of taps whose weight has a gradient where every position is one, except those that a padding operator added."""
    found: dict[str, float] = {}

    def ones_behind(name: str) -> Callable[..., Any]:
        def hook(module: nn.Module, given: tuple[torch.Tensor, ...], made: torch.Tensor) -> torch.Tensor:
            if isinstance(module, nn.modules.conv._ConvNd):
                found[name] = _reached(module, (given[0].amax(0, keepdim=True) > 0).double())
            return torch.ones_like(made)

        return hook

    hooks = [module.register_forward_hook(ones_behind(name)) for name, module in layers.items()]
    model(torch.ones(shape, dtype=torch.float64))
    for handle in hooks:
        handle.remove()
    return found


def _reached(layer: Any, real: torch.Tensor) -> float:
    twin = copy.deepcopy(layer)
    twin.forward = type(twin).forward.__get__(twin)
    weight = twin.weight.requires_grad_()
    with torch.enable_grad():
        (gradient,) = torch.autograd.grad(_plain_forward(twin, real).sum(), weight)
    taps = gradient.abs().flatten(2).sum((0, 1)) > 0
    return float(taps.double().mean())


def _plain_forward(layer: nn.Module, x: torch.Tensor) -> torch.Tensor:
    layer._forward_hooks.clear()
    return layer(x)
