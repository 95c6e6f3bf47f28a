"""Carry out a fix on a copy of a model."""

from __future__ import annotations

import copy

from torch import nn

from rfcheck.errors import FixError, TraceError
from rfcheck.fixes.fix import Fix
from rfcheck.graph.trace import trace
from rfcheck.input_size import crossed


def changed_copy(model: nn.Module, fix: Fix, shape: tuple[int, ...]) -> nn.Module:
    """A copy of a model with a fix carried out.

    Args:
        model: stays as it is; the copy shares nothing with it.
        fix: proposed for this model.
        shape: of the input, (1, C, *image axes).

    Raises:
        FixError: if the model cannot be copied, is not the one that the fix was made for, or does not run after the change.
    """
    if fix.input_size != shape[2:]:
        made_for, size = crossed(fix.input_size), crossed(shape[2:])
        raise FixError(
            f"{fix.name} was made for {made_for} px, not {size}; analyse the model at {size} px and take the fix from there"
        )
    try:
        copied = copy.deepcopy(model)
    except Exception as error:  # whatever a module's own __deepcopy__ or __reduce__ raises
        raise FixError(f"the model cannot be copied: {type(error).__name__}: {error}") from error
    try:
        changed = fix.plan.apply(copied)
    except (AttributeError, KeyError, IndexError) as error:
        raise FixError(f"{fix.name} was made for another model: {error}") from error
    try:
        trace(changed, shape)
    except TraceError as error:
        raise FixError(f"{fix.name} was carried out, but {error}") from error
    return changed
