"""What a fix does, in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rfcheck.fixes.variants import is_among
from rfcheck.report.units import short

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rfcheck.fixes.fix import Fix
    from rfcheck.fixes.outcome import Outcome


def effect(before: Outcome, after: Outcome) -> str:
    """What changes, as numbers: "tail 8 -> 1, unproductive 9 -> 2, FLOPs 37.0 M -> 24.2 M, parameters 11.2 M -> 1.86 M"."""
    counts = (
        ("tail", str(before.tail_layers), str(after.tail_layers)),
        ("unproductive", str(before.unproductive_layers), str(after.unproductive_layers)),
        ("FLOPs", short(before.flops), short(after.flops)),
        ("parameters", short(before.params), short(after.params)),
    )
    changes = [f"{name} {was} -> {now}" for name, was, now in counts if was != now]
    return ", ".join(changes) or "no change in layers and cost"


def best_option(fixes: Sequence[Fix], names: Sequence[str]) -> str | None:
    """The one line that a finding gets: the best of the fixes that its rule names, and what it does; None where none applies.

    Args:
        fixes: those that apply to the model.
        names: of the fixes that the rule proposes; variants of them count too.
    """
    from rfcheck.fixes.recommending import recommend

    proposed = [fix for fix in fixes if is_among(fix.name, names)]
    best = recommend(proposed, "efficiency").fix
    if best is None:
        return None
    safe = ", outputs stay the same" if best.safe else ""
    return f"{best.name}: {effect(best.predicted.before, best.predicted.after)}{safe}"
