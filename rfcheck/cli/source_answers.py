"""Which changes of a file answer the findings about a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rfcheck.errors import FixError
from rfcheck.fixes.variants import is_variant_of

if TYPE_CHECKING:
    from rfcheck.cli.source_examining import Examined
    from rfcheck.fixes.fix import Fix
    from rfcheck.fixes.source_change import SourceChange
    from rfcheck.linting.finding import Finding


def answers(state: Examined) -> list[SourceChange]:
    """The changes that answer the findings about a model, safe ones last.

    Each finding is answered by the fix that reports name for it, or by a safe one where its rule names one. Kernels are cropped in
    the layers of these findings only.
    """
    from rfcheck.fixes.source_change import SourceChange, SourceModel, source_change
    from rfcheck.fixes.source_edit import SourceText
    from rfcheck.fixes.subject import Subject

    analysis = state.analysis
    asked: dict[str, list[str | None]] = {}
    fixes: dict[str, Fix] = {}
    for finding in state.findings:
        fix = _answer(analysis.fixes, finding)
        if fix is not None:
            fixes[fix.name] = fix
            asked.setdefault(fix.name, []).append(finding.layer)
    if not fixes:
        return []
    ordered = sorted(fixes.values(), key=lambda fix: fix.safe)
    try:
        text = SourceText.of(state.path, state.content)
    except FixError as error:
        return [SourceChange(fix, None, reasons=(str(error),)) for fix in ordered]
    model = SourceModel(text, state.built, state.others, Subject(analysis.model, analysis.network, analysis.settings))
    return [source_change(fix, model, _layers(asked[fix.name])) for fix in ordered]


def _answer(fixes: Sequence[Fix], finding: Finding) -> Fix | None:
    from rfcheck.fixes.recommending import recommend

    named = [fix for fix in fixes if any(is_variant_of(fix.name, name) for name in finding.fixes)]
    return recommend([fix for fix in named if fix.safe] or named, "efficiency").fix


def _layers(asked: Sequence[str | None]) -> set[str] | None:
    """The layers that findings point at, without the numbers of their calls; None if one points at the whole model."""
    named = {layer.partition(":")[0] for layer in asked if layer is not None}
    return None if None in asked else named
