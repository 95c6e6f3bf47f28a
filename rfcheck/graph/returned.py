"""The tensors in what a model returned, whatever it keeps them in."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn


def tensors_in(result: Any) -> Iterator[torch.Tensor]:
    """Every tensor in what a model returned: tensors, sequences, dicts, dataclasses, and objects that hold them."""
    if isinstance(result, torch.Tensor):
        yield result
    elif isinstance(result, dict):
        for value in result.values():
            yield from tensors_in(value)
    elif isinstance(result, (list, tuple, set)):
        for value in result:
            yield from tensors_in(value)
    elif dataclasses.is_dataclass(result) and not isinstance(result, type):
        for field in dataclasses.fields(result):
            yield from tensors_in(getattr(result, field.name))
    elif hasattr(result, "__dict__") and not isinstance(result, (type, nn.Module)):
        for value in vars(result).values():
            if isinstance(value, (torch.Tensor, list, tuple, dict)):
                yield from tensors_in(value)
