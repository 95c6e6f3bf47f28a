"""What makes a training the same as another: what decides its numbers."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from torch import Tensor, nn

if TYPE_CHECKING:
    from rfcheck.verify.data.prepared import Prepared
    from rfcheck.verify.recipe import Training
    from rfcheck.verify.training.checkpoint import Identity


def identity_of(
    model: nn.Module, data: Prepared, training: Training, *, seed: int, layers: Sequence[str], delta: float
) -> Identity:
    """Plain values by name, in the order in which a difference is named.

    Args:
        model: before training; its names and shapes count, not its weights.
        data: their fingerprint and preprocessing count.
        training: how the model is trained.
        seed: of the training.
        layers: whose saturation is measured.
        delta: share of the variance that the saturation explains.
    """
    shapes = [
        (name, tuple(value.shape), str(value.dtype)) if isinstance(value, Tensor) else (name,)
        for name, value in model.state_dict().items()
    ]
    return {
        **asdict(training),
        "seed": seed,
        "data": data.fingerprint,
        "preprocessing": repr(data.preprocessing),
        "model": hashlib.sha256(repr(shapes).encode()).hexdigest(),
        "layers": list(layers),
        "delta": delta,
    }
