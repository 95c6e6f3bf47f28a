"""Small versions of models for the tests of comparisons."""

from __future__ import annotations

from torch import nn

from rfcheck import Settings
from rfcheck.api import analyze_named
from rfcheck.config import RuleOverride
from rfcheck.report.versions import Analyzed

SETTINGS = Settings(select=("RF101",))
"""A warning about the tail."""

MILD = Settings(select=("RF101",), rules={"RF101": RuleOverride(severity="info")})


def chain(kernels: list[int]) -> nn.Sequential:
    return nn.Sequential(*(nn.Conv2d(3, 3, kernel, padding=kernel // 2) for kernel in kernels))


def result(target: str, model: nn.Module, settings: Settings = SETTINGS) -> Analyzed:
    return Analyzed(target, analyze_named(model, 8, settings, target.rpartition(":")[2]))


SHORT, LONG, WIDE = [3, 3, 3], [3] * 7, [3, 5, 3, 3, 3, 3, 3]
"""Without a tail; with one from the fifth layer on; with one from the fourth layer on."""
