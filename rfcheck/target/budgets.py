"""What a file from a stranger may cost: one home for every limit, each far above what real models need.

A file of a few kilobytes can ask for terabytes, or for steps without end. What exceeds a limit is refused in one sentence, before
it is made. Numbers that real models reach were counted over the models of torchvision and timm.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

DEEPEST = 100
"""Modules around an operator; real models have up to 12, and Python runs about 190 of them one inside the other."""

MOST_OPERATORS = 50_000
"""Operators that local functions of a file expand to; the largest models have about 10,000."""

MOST_ELEMENTS = 2**45
"""Elements of one tensor; a map of 4 channels and a million positions along both axes has an eighth of that."""

MOST_RESIZED = 2**20
"""Positions along an axis that a file makes by interpolation, which are looked at one by one."""

MOST_JSON_BYTES = 32 * 2**20
"""Bytes of a description of a program; those of large models have about 3 MiB."""

MOST_JSON_VALUES = 2_000_000
"""Values in a description of a program, each of which takes some 100 bytes of memory; large models have about 150,000."""

MOST_PIECES = 10_000
"""Tensors that one operator cuts another one into."""


def elements(sizes: Iterable[int]) -> int:
    """The number of elements of a tensor.

    Args:
        sizes: per dimension.

    Raises:
        ValueError: if a size is negative, or the tensor has more elements than any model needs; names the sizes.
    """
    shape = tuple(sizes)
    if any(size < 0 for size in shape):
        raise ValueError(f"a tensor of {_crossed(shape)} has a negative size")
    number = math.prod(shape)
    if number > MOST_ELEMENTS:
        raise ValueError(f"a tensor of {_crossed(shape)} has more than {MOST_ELEMENTS:.1g} elements, which no image needs")
    return number


def require_shallow(depth: int, name: str) -> None:
    """Refuse a module that lies too deep inside others.

    Args:
        depth: modules around it, itself among them.
        name: of the module or operator, as the file has it.

    Raises:
        ValueError: if it lies deeper than models are followed.
    """
    if depth > DEEPEST:
        raise ValueError(f"{_shortened(name)} lies inside {depth} modules, models are followed up to {DEEPEST}; rename it")


def _crossed(shape: tuple[int, ...]) -> str:
    return _shortened("x".join(map(str, shape)) or "one number")


def _shortened(text: str, most: int = 60) -> str:
    return text if len(text) <= most else f"{text[:most]}..."
