"""Fixes hold what they predict: the changed model is analysed, and counted by torch and by hand."""

from __future__ import annotations

import copy

from torch import nn

from rfcheck import Analysis, analyze, apply_fix
from rfcheck.fixes.fix import Fix
from rfcheck.fixes.outcome import Outcome, outcome_of_network
from tests.zoo import parameter_count


def outcome(model: nn.Module, size: int | tuple[int, ...]) -> Outcome:
    """What a model amounts to when it is analysed anew."""
    return outcome_of_network(analyze(model, size).network)


def run_snippet(model: nn.Module, fix: Fix) -> nn.Module:
    """The model that the code of a fix makes of a copy."""
    names = {"model": copy.deepcopy(model)}
    exec(fix.code, names)
    return names["model"]


def shapes(model: nn.Module) -> dict[str, tuple[int, ...]]:
    """Shape by name of every tensor that a checkpoint would hold."""
    return {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}


def assert_as_predicted(model: nn.Module, fix: Fix, size: int | tuple[int, ...]) -> nn.Module:
    """Carry out a fix, by `apply_fix` and by its code, and compare both with the prediction; returns the changed model."""
    changed, by_code = apply_fix(model, fix, size), run_snippet(model, fix)
    assert outcome(changed, size) == fix.predicted.after, f"{fix.name}: {fix.description}"
    assert outcome(by_code, size) == fix.predicted.after, f"{fix.name}:\n{fix.code}"
    assert shapes(by_code) == shapes(changed), f"{fix.name}:\n{fix.code}"
    assert parameter_count(changed) == fix.predicted.after.params
    return changed


def assert_all_as_predicted(model: nn.Module, size: int | tuple[int, ...]) -> Analysis:
    """Do so for every fix that is proposed; returns the analysis of the model."""
    analysis = analyze(model, size)
    before = outcome(model, size)
    for fix in analysis.fixes:
        assert fix.predicted.before == before
        assert_as_predicted(model, fix, size)
    return analysis
