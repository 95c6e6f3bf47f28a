"""Small networks whose forward is a function, for tests of tracing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from rfcheck import analyze

SIZE = (3, 16, 16)


class Net(nn.Module):
    """A forward function with the parts that it uses."""

    def __init__(self, function: Callable[[Any, torch.Tensor], Any], **parts: Any) -> None:
        super().__init__()
        self.function = function
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, x):
        return self.function(self, x)


def conv(inputs: int = 3, outputs: int = 4, kernel: int = 3, **options: Any) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, kernel, **options)


def fields(model: nn.Module, size: Any = SIZE) -> dict[str, tuple[Any, Any]]:
    """Receptive fields by layer."""
    return {layer.name: (layer.r_min, layer.r_max) for layer in analyze(model, size).layers}
