"""rfcheck: find the layers of a convolutional network that cannot help at the resolution it will be fed, before training.

    from rfcheck import analyze
    analysis = analyze(model, 32)

Everything is imported on first use; ``import rfcheck`` alone does not import torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rfcheck.analysed import Analysis
    from rfcheck.analysis.layers import Layer
    from rfcheck.api import analyze, apply_fix
    from rfcheck.config import RuleOverride, Settings
    from rfcheck.errors import (
        DataError,
        FixError,
        InputSizeError,
        NothingToAnalyzeError,
        OperatorError,
        RfcheckError,
        RuleError,
        SettingsError,
        TargetError,
        TraceError,
        TrainingError,
        UnknownNameError,
        VerifyError,
    )
    from rfcheck.fixes.fix import Fix, Skipped
    from rfcheck.fixes.outcome import Outcome
    from rfcheck.graph.operators import Global, Join, Opaque, Pointwise, Resample, Window, register_operator
    from rfcheck.linting.finding import Finding
    from rfcheck.sweeping import SweepPoint, sweep

__version__ = "0.1.0"

_HOMES = {
    "Analysis": "rfcheck.analysed",
    "analyze": "rfcheck.api",
    "apply_fix": "rfcheck.api",
    **dict.fromkeys(("Fix", "Skipped"), "rfcheck.fixes.fix"),
    "Outcome": "rfcheck.fixes.outcome",
    **dict.fromkeys(("DataError", "FixError", "TrainingError", "VerifyError"), "rfcheck.errors"),
    "Layer": "rfcheck.analysis.layers",
    "Finding": "rfcheck.linting.finding",
    **dict.fromkeys(("SweepPoint", "sweep"), "rfcheck.sweeping"),
    **dict.fromkeys(("RuleOverride", "Settings"), "rfcheck.config"),
    **dict.fromkeys(
        ("Global", "Join", "Opaque", "Pointwise", "Resample", "Window", "register_operator"), "rfcheck.graph.operators"
    ),
    **dict.fromkeys(("InputSizeError", "NothingToAnalyzeError", "OperatorError", "RfcheckError"), "rfcheck.errors"),
    **dict.fromkeys(("RuleError", "SettingsError", "TargetError", "TraceError", "UnknownNameError"), "rfcheck.errors"),
}

__all__ = [
    "Analysis",
    "DataError",
    "Finding",
    "Fix",
    "FixError",
    "Global",
    "InputSizeError",
    "Join",
    "Layer",
    "NothingToAnalyzeError",
    "Opaque",
    "OperatorError",
    "Outcome",
    "Pointwise",
    "Resample",
    "RfcheckError",
    "RuleError",
    "RuleOverride",
    "Settings",
    "SettingsError",
    "Skipped",
    "SweepPoint",
    "TargetError",
    "TraceError",
    "TrainingError",
    "UnknownNameError",
    "VerifyError",
    "Window",
    "__version__",
    "analyze",
    "apply_fix",
    "register_operator",
    "sweep",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'rfcheck' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
