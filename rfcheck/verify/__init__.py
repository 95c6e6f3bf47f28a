"""Train a model, measure saturation and probes, and judge each prediction; behind the extra ``verify``.

    from rfcheck.verify import SaturationTracker
    with SaturationTracker(model) as tracker:
        ...

Everything is imported on first use; ``import rfcheck.verify`` alone does not import torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rfcheck.verify.records import LayerSaturation
    from rfcheck.verify.saturation.lightning import SaturationCallback
    from rfcheck.verify.saturation.tracker import SaturationTracker

_HOMES = {
    "LayerSaturation": "rfcheck.verify.records",
    "SaturationCallback": "rfcheck.verify.saturation.lightning",
    "SaturationTracker": "rfcheck.verify.saturation.tracker",
}

__all__ = ["LayerSaturation", "SaturationCallback", "SaturationTracker"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'rfcheck.verify' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
