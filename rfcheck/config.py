"""Settings of an analysis."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from rfcheck.errors import SettingsError
from rfcheck.suggestions import did_you_mean

_CHOICES = {
    "projection": ("downsampling", "exact"),
    "gates": ("ignore", "count"),
    "flops_by": ("torch", "fvcore"),
}


_LARGEST_LIMIT = 2**63
"""No fact is larger, except those that are unbounded."""


@dataclass(frozen=True, slots=True)
class RuleOverride:
    """What a user changes about one rule.

    Attributes:
        severity: "error", "warning" or "info"; None for the rule's own.
        limits: values by name, replacing the rule's own.

    Raises:
        SettingsError: if a limit is not a number.
    """

    severity: str | None = None
    limits: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, value in self.limits.items():
            if not is_limit(value):
                raise SettingsError(f"the limit {name} must be a number, got {value!r}")


@dataclass(frozen=True, slots=True)
class Settings:
    """What decides numbers and findings.

    Attributes:
        channels: channels of the input where the input size does not say.
        projection: how a convolution with a kernel smaller than its stride counts on r_min: as the "downsampling" it stands in for,
            with kernel 2s-1, or "exact"ly.
        gates: whether a path that only re-weights a feature map adds receptive field: "ignore" it or "count" it.
        flops_by: whose formulas count multiply-accumulates: "torch" or "fvcore".
        select: prefixes of the rules to run, all if empty.
        ignore: prefixes of the rules not to run.
        rule_folders: folders with rule files of the user's own.
        rules: overrides by rule code.
        classes: number of classes of the task; None to take it from a model that returns one vector.

    Raises:
        SettingsError: on a value that is not allowed.
    """

    channels: int = 3
    projection: Literal["downsampling", "exact"] = "downsampling"
    gates: Literal["ignore", "count"] = "ignore"
    flops_by: Literal["torch", "fvcore"] = "torch"
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    rule_folders: tuple[str, ...] = ()
    rules: Mapping[str, RuleOverride] = field(default_factory=dict)
    classes: int | None = None

    def __post_init__(self) -> None:
        for name, allowed in _CHOICES.items():
            value = getattr(self, name)
            if value not in allowed:
                raise SettingsError(f"{name} must be {' or '.join(map(repr, allowed))}, got {value!r}")
        _require_whole("channels", self.channels, 1)
        if self.classes is not None:
            _require_whole("classes", self.classes, 2)

    @classmethod
    def of(cls, settings: Settings | Mapping[str, Any] | None) -> Settings:
        """Settings from settings, from a mapping, or the defaults."""
        if settings is None:
            return cls()
        if isinstance(settings, Settings):
            return settings
        known = [f.name for f in fields(cls)]
        for name in settings:
            if name not in known:
                hint = did_you_mean(name, known, f"known are {', '.join(known)}")
                raise SettingsError(f"unknown setting {name!r}; {hint}")
        return cls(**settings)


def _require_whole(name: str, value: Any, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise SettingsError(f"{name} must be a whole number of at least {least}, got {value!r}")


def is_limit(value: Any) -> bool:
    """Whether a value can be a limit: a number that facts can be compared with, or no limit at all."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_number and (abs(value) <= _LARGEST_LIMIT or value in (math.inf, -math.inf))
