"""Carry out a fix on a copy of a model."""

from __future__ import annotations

import copy
from dataclasses import replace

from torch import nn

from rfcheck.errors import FixError
from rfcheck.fixes.fix import Fix
from rfcheck.fixes.measuring import graph_of
from rfcheck.fixes.outcome import outcome_of_graph
from rfcheck.input_size import crossed


def changed_copy(model: nn.Module, fix: Fix, shape: tuple[int, ...]) -> nn.Module:
    """A copy of a model with a fix carried out.

    Args:
        model: stays as it is; the copy shares nothing with it.
        fix: proposed for this model.
        shape: of the input, as the model takes it.

    Raises:
        FixError: if the model cannot be copied, is not the one that the fix was made for, or does not run after the change.
    """
    is_usual = fix.held is None or len(fix.shape) != len(shape)
    extents = shape[2:] if is_usual else tuple(shape[dimension] for dimension in fix.held or ())
    if fix.input_size != extents:
        made_for, size = crossed(fix.input_size), crossed(extents)
        raise FixError(
            f"{fix.name} was made for {made_for} px, not {size}; analyse the model at {size} px and take the fix from there"
        )
    try:
        copied = copy.deepcopy(model)
    except Exception as error:  # whatever a module's own __deepcopy__ or __reduce__ raises
        raise FixError(f"the model cannot be copied: {type(error).__name__}: {error}") from error
    try:
        changed = fix.plan.apply(copied)
    except FixError:
        raise
    except Exception as error:  # a module that is not there, or is another one
        raise FixError(f"{fix.name} was made for another model: {error}") from error
    try:
        outcome = outcome_of_graph(graph_of(changed, shape, fix.settings, fix.held), fix.settings)
    except FixError as error:
        raise FixError(f"{fix.name} was carried out, but {error}") from error
    expected = fix.predicted.after
    if replace(outcome, activation_bytes=expected.activation_bytes) != expected:  # bytes differ between types of numbers
        raise FixError(f"{fix.name} was carried out, but the result is not what was predicted: the model is not the one analysed")
    return changed
