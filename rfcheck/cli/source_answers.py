"""Which changes of a file answer the findings about a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rfcheck.errors import FixError
from rfcheck.fixes.variants import is_among

if TYPE_CHECKING:
    from rfcheck.cli.source_examining import Examined
    from rfcheck.fixes.fix import Fix
    from rfcheck.fixes.source_change import SourceChange
    from rfcheck.fixes.steps import Step
    from rfcheck.linting.finding import Finding


@dataclass(frozen=True, slots=True)
class Answer:
    """A change of a file that answers findings.

    Attributes:
        change: what a fix does to the file.
        is_wanted: whether it is safe, recommended or asked for by its name; else another one serves the model better.
    """

    change: SourceChange
    is_wanted: bool


_Asked = tuple["Fix", "set[str] | None", bool]
"""A fix, the layers that it is asked for (None for all), and whether it is wanted."""


def answers(state: Examined, names: Sequence[str] = ()) -> list[Answer]:
    """The changes that answer the findings about a model: what is wanted first, and of that the safe ones last.

    Of the unsafe ones, those are wanted that `rfcheck fix` recommends, for efficiency and then for accuracy, among the fixes that
    the findings name. Each finding whose rule names a safe fix is answered by that as well. Kernels are cropped in the layers of
    these findings only.

    Args:
        state: the model and its file.
        names: of the fixes to make instead, whatever the findings are.

    Raises:
        FixError: if a fix of that name does not apply to the model.
    """
    from rfcheck.fixes.source_change import SourceChange, SourceModel, source_change
    from rfcheck.fixes.source_edit import SourceText
    from rfcheck.fixes.subject import Subject

    analysis = state.analysis
    asked = [(analysis.proposals.named(name), None, True) for name in names] or _asked(analysis.fixes, state.findings)
    if not asked:
        return []
    try:
        text = SourceText.of(state.path, state.content)
    except FixError as error:
        return [Answer(SourceChange(fix, None, reasons=(str(error),)), is_wanted) for fix, _, is_wanted in asked]
    model = SourceModel(text, state.built, state.others, Subject(analysis.model, analysis.network, analysis.settings))
    return [Answer(source_change(fix, model, layers), is_wanted) for fix, layers, is_wanted in asked]


def edits_of(state: Examined) -> dict[str, bool]:
    """The findings that --fix would answer, and whether by a safe change; --unsafe-fixes allows the others.

    Args:
        state: the model and its file.
    """
    from rfcheck.report.snapshot import place_in_model

    found: dict[str, bool] = {}
    for answer in answers(state):
        change = answer.change
        if change.content is None or not answer.is_wanted:
            continue
        for finding in state.findings:
            edited = not change.fix.safe or (finding.layer or "").partition(":")[0] in change.layers
            if edited and _is_named(change.fix, finding):
                found.setdefault(place_in_model(finding), change.fix.safe)
    return found


def may_be_edited(state: Examined) -> bool:
    """Whether a fix that is wanted changes layers that one call makes each; known without parsing the file, which takes long."""
    asked = _asked(state.analysis.fixes, state.findings)
    return any(_has_calls(fix, state) for fix, _, is_wanted in asked if is_wanted)


def _has_calls(fix: Fix, state: Examined) -> bool:
    from rfcheck.fixes.new_calls import require_calls_only
    from rfcheck.fixes.steps import Crop

    try:
        require_calls_only(fix.plan)
    except FixError:
        return False
    whole = any if all(isinstance(step, Crop) for step in fix.plan.steps) else all
    return whole(_has_a_call(step, state) for step in fix.plan.steps)


def _has_a_call(step: Step, state: Examined) -> bool:
    from rfcheck.fixes.written_once import site_of

    try:
        site_of(step.path, state.built, state.others, state.path)
    except FixError:
        return False
    return True


def _asked(fixes: Sequence[Fix], findings: Sequence[Finding]) -> list[_Asked]:
    """The fixes that answer findings."""
    from rfcheck.fixes.recommending import AIMS, recommend

    by_name = {fix.name: fix for fix in fixes}
    answering = [[fix for fix in fixes if _is_named(fix, finding)] for finding in findings]
    named = [fix for fix in fixes if any(fix in found for found in answering)]
    best = [recommend(named, aim).fix for aim in AIMS]
    wanted = dict.fromkeys(fix.name for fix in best if fix is not None and not fix.safe)
    safe: dict[str, list[str | None]] = {}
    others: dict[str, None] = {}
    for finding, found in zip(findings, answering, strict=True):
        crop = recommend([fix for fix in found if fix.safe], "efficiency").fix
        other = recommend([fix for fix in found if not fix.safe], "efficiency").fix
        if crop is not None:
            safe.setdefault(crop.name, []).append(finding.layer)
        if other is not None and other.name not in wanted:
            others[other.name] = None
    return [
        *((by_name[name], None, True) for name in wanted),
        *((by_name[name], _layers(layers), True) for name, layers in safe.items()),
        *((by_name[name], None, False) for name in others),
    ]


def _is_named(fix: Fix, finding: Finding) -> bool:
    return is_among(fix.name, finding.fixes)


def _layers(asked: Sequence[str | None]) -> set[str] | None:
    """The layers that findings point at, without the numbers of their calls; None if one points at the whole model."""
    named = {layer.partition(":")[0] for layer in asked if layer is not None}
    return None if None in asked else named
