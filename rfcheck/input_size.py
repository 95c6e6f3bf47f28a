"""Input sizes as people write them, and as tensors have them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rfcheck.errors import InputSizeError

if TYPE_CHECKING:
    from torch import nn

InputSize = int | Sequence[int]

LARGEST = 10**9
"""Positions along an axis; tensors of more do not exist, and torch cannot count the elements of a map of many more."""


class AfterBatch(tuple[int, ...]):
    """An input size that holds all that follows the batch dimension: nothing of it is left out or to be told apart."""

    __slots__ = ()


def input_shape(model: nn.Module, input_size: InputSize, channels: int) -> tuple[int, ...]:
    """The shape of the input tensor, (1, C, *image axes), as an input size is read first.

    Args:
        model: its first convolution tells how many image axes there are; two if it has none.
        input_size: one extent for all axes, an extent per axis, or (C, *axes) or (1, C, *axes).
        channels: channels where the input size does not say.

    Raises:
        InputSizeError: if a number is not a positive whole number, or their count does not fit the model.
    """
    if isinstance(input_size, int) and not isinstance(input_size, bool):
        values: tuple[int, ...] = (input_size,)
        _require_positive(values, input_size)
        return (1, channels, *values * image_axes(model))
    if isinstance(input_size, (str, bytes)) or not isinstance(input_size, Sequence):
        raise InputSizeError(f"input_size must be a whole number or a tuple of them, got {input_size!r}")
    values = tuple(input_size)
    _require_positive(values, input_size)
    if isinstance(input_size, AfterBatch):
        return (1, *values)
    axes = image_axes(model)
    if len(values) - axes not in (0, 1, 2) and len(values) in (4, 5):
        axes = len(values) - 2
    if len(values) == axes:
        return (1, channels, *values)
    if len(values) == axes + 1:
        return (1, *values)
    if len(values) == axes + 2:
        if values[0] != 1:
            raise InputSizeError(
                f"rfcheck analyses one image at a time, but the batch size in {values} is {values[0]}; use {(1, *values[1:])}"
            )
        return values
    wanted = {
        1: "(L,), (C, L) or (1, C, L)",
        2: "(H, W), (C, H, W) or (1, C, H, W)",
        3: "(D, H, W), (C, D, H, W) or (1, C, D, H, W)",
    }
    raise InputSizeError(f"input_size {values} does not fit a model with {axes} image axes; give one number, {wanted[axes]}")


def image_axes(model: nn.Module) -> int:
    """Number of image axes that a model works on, by its first convolution; 2 if it has none."""
    return convolution_axes(model) or 2


def convolution_axes(model: nn.Module) -> int | None:
    """Number of axes that a model's first convolution runs along; None where there is none."""
    for module in model.modules():
        kernel = getattr(module, "kernel_size", None)
        if isinstance(kernel, tuple) and "Conv" in type(module).__name__ and 1 <= len(kernel) <= 3:
            return len(kernel)
    return None


def _require_positive(values: tuple[int, ...], given: object) -> None:
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int):
            raise InputSizeError(f"input_size must hold whole numbers, got {value!r} in {given!r}")
        if value < 1:
            raise InputSizeError(f"input_size must be at least 1 everywhere, got {value} in {given!r}")
        if value > LARGEST:
            raise InputSizeError(f"input_size must be at most {LARGEST:,} everywhere; give the size of an image")


def input_text(channels: int, extents: Iterable[int]) -> str:
    """An input as people write it: "3x32x32", and without the channels where it has no dimension for them."""
    return crossed((channels, *extents) if channels else extents)


def crossed(sizes: Iterable[int]) -> str:
    """Sizes as people write them, all of them: "3x3"."""
    return "x".join(map(str, sizes))


def parse_extents(text: str, what: str) -> tuple[int, ...]:
    """Extents from text: "32", "32x48" or "3,32,48".

    Args:
        text: as given.
        what: name of the option, for the message.

    Raises:
        InputSizeError: if a part is not a positive whole number.
    """
    parts = [part.strip() for part in text.lower().replace(",", "x").split("x")]
    for part in parts:
        if not (part.isascii() and part.isdigit()):
            raise InputSizeError(f"{what} must be a whole number like 32, or several like 32x48, got {text!r}")
        if len(part.lstrip("0")) > len(str(LARGEST)) or int(part) > LARGEST:
            raise InputSizeError(f"{what} must be at most {LARGEST:,}; give the size of an image")
        if int(part) < 1:
            raise InputSizeError(f"{what} must be at least 1, got {text!r}")
    return tuple(map(int, parts))
