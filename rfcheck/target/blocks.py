"""Building blocks with defaults: modules for feature maps, which no image can be fed to."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Collection, Iterator
from typing import Any

import torch
from torch import nn

from rfcheck.target.building import building
from rfcheck.target.discover import is_block, is_network
from rfcheck.target.obvious import MOST_CHANNELS, Given, meaning_of, parameters_of

_WIDTH = re.compile(
    r"(^|_)(in|inp|input)?_?(c|c1|inp|ch|chans?|channels?|dims?|features?|filters|inplanes|nf|planes?|width)(_in)?$", re.I
)
"""Names of arguments that may say how many channels a block reads."""

_EXTENT = 32


def channels_of_block(name: str, factory: Callable[..., Any], model: nn.Module, given: Given, told: Collection[str]) -> int | None:
    """How many channels a building block reads that does not take those of the image; None for a model.

    It has to have an argument for them with a default that one of its layers reads, and none of its layers reads the image: it
    runs with that number of channels, and fails with those of the image. What is called a network, or is told a number of classes
    or the size of an image, is a model for other images.

    Args:
        name: of the class or function.
        factory: the class or function.
        model: that it makes, to be thrown away.
        given: what is known about the input.
        told: names of arguments that the model was made with.
    """
    parameters = parameters_of(factory)
    if any(meaning_of(argument) in ("classes", "extent") for argument in parameters) or (is_network(name) and not is_block(name)):
        return None
    read = set(_widths(model))
    least = 1 if is_block(name) else MOST_CHANNELS + 1
    widths = [_default(p) for p in parameters.values() if p.name not in told and _WIDTH.search(p.name)]
    for width in widths:
        if width >= least and width in read and not {given.channels, width} <= read and width != given.channels:
            is_for_maps = not _runs(name, model, given.channels, given) and _runs(name, model, width, given)
            if is_for_maps:
                return width
    return None


def _default(parameter: inspect.Parameter) -> int:
    return parameter.default if type(parameter.default) is int else 0


def _widths(model: nn.Module) -> Iterator[int]:
    """The numbers of channels or features that layers read."""
    for module in model.modules():
        for attribute in ("in_channels", "in_features", "num_features", "num_channels"):
            width = getattr(module, attribute, None)
            if type(width) is int:
                yield width


def _runs(name: str, model: nn.Module, channels: int, given: Given) -> bool:
    """Whether the forward takes an image of so many channels."""
    axes = next((len(kernel) for one in model.modules() if isinstance(kernel := getattr(one, "kernel_size", None), tuple)), 2)
    extents = given.extents if isinstance(given.extents, tuple) else (given.extents or _EXTENT,) * axes
    tensors = [*model.parameters(), *model.buffers()]
    device = tensors[0].device if tensors else torch.device("cpu")
    try:
        with building(name, None, None, on_meta=device.type == "meta"), torch.no_grad():
            model.eval()(torch.zeros(1, channels, *extents, device=device))
    except KeyboardInterrupt:
        raise
    except BaseException:  # whatever a forward raises, it does not take the image
        return False
    return True
