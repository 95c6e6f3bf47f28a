"""One call of an ONNX operator: its inputs and attributes, as the functions of the operator table ask for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

Tensor = torch.Tensor


class NotCoveredError(Exception):
    """A use of an operator that the table of operators does not cover; the operator counts as unknown then."""


@dataclass(frozen=True, slots=True)
class OnnxCall:
    """A call of an operator.

    Attributes:
        operator: its name: "Conv".
        opset: version of the operators that the file was written for.
        attributes: as the file gives them.
        inputs: tensors, without data where they depend on the image or are weights; None for inputs that were left out.
        data: per input, its values where they are known.
        outputs: how many results are asked for.
        is_resized: whether the image has another size than the one that the file was made for.
    """

    operator: str
    opset: int
    attributes: Mapping[str, Any]
    inputs: Sequence[Tensor | None]
    data: Sequence[Tensor | None]
    outputs: int
    is_resized: bool = False

    def has(self, index: int) -> bool:
        """Whether an input is given."""
        return index < len(self.inputs) and self.inputs[index] is not None

    def tensor(self, index: int) -> Tensor:
        """An input that the operator needs.

        Raises:
            ValueError: if it was left out.
        """
        found = self.optional(index)
        if found is None:
            raise ValueError(f"input {index} of {self.operator} is missing")
        return found

    def optional(self, index: int) -> Tensor | None:
        """An input that may be left out."""
        return self.inputs[index] if index < len(self.inputs) else None

    def tensors(self) -> list[Tensor]:
        """All inputs that are given, on one device: those with values lose them where another one has none."""
        return together([t for t in self.inputs if t is not None])

    def known(self, index: int) -> Tensor:
        """The values of an input.

        Raises:
            ValueError: if they depend on the image, or were not read because they are weights.
        """
        found = self.data[index] if index < len(self.data) else None
        if found is None:
            found = self.tensor(index)
        if found.is_meta:
            raise ValueError(f"input {index} of {self.operator} depends on values, which a file is read without")
        return found

    def attribute(self, name: str, default: Any = None) -> Any:
        """An attribute."""
        return self.attributes.get(name, default)

    def ints(self, name: str, index: int | None = None) -> list[int] | None:
        """Whole numbers, from an attribute or, as later opsets have it, from an input; None where neither is given."""
        if name in self.attributes:
            given = self.attributes[name]
            return [int(n) for n in given] if isinstance(given, (list, tuple)) else [int(given)]
        if index is None or not self.has(index):
            return None
        return [int(n) for n in self.known(index).flatten().tolist()]

    def number(self, name: str, index: int | None = None, default: float | None = None) -> float | None:
        """A number, from an attribute or from an input."""
        if name in self.attributes:
            return float(self.attributes[name])
        if index is None or not self.has(index):
            return default
        return float(self.known(index).flatten()[0])

    def axis(self, default: int, rank: int) -> int:
        """The attribute ``axis``, from 0 on."""
        axis = int(self.attribute("axis", default))
        if not -rank <= axis < max(rank, 1):
            raise ValueError(f"axis {axis} of {self.operator} is outside a tensor of {rank} dimensions")
        return axis % max(rank, 1)


def together(tensors: Sequence[Tensor]) -> list[Tensor]:
    """Tensors on one device: without data if any of them has none."""
    if not any(t.is_meta for t in tensors):
        return list(tensors)
    return [t if t.is_meta else torch.empty_like(t, device="meta") for t in tensors]
