"""A fix as a change of a source file: as much of it as is written once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from rfcheck.errors import FixError
from rfcheck.fixes.fix import Fix, Plan, proposed
from rfcheck.fixes.measuring import measured
from rfcheck.fixes.new_calls import new_call, require_calls_only
from rfcheck.fixes.source_edit import Edit, SourceText
from rfcheck.fixes.steps import Crop, Step
from rfcheck.fixes.subject import Subject
from rfcheck.fixes.written_once import BuiltModel, site_of


@dataclass(frozen=True)
class SourceModel:
    """A model and the file that makes it.

    Attributes:
        text: of the file.
        built: the model, with the calls that made its modules.
        others: the other models of the file.
        subject: what fixes know of the model.
    """

    text: SourceText
    built: BuiltModel
    others: Sequence[BuiltModel]
    subject: Subject


@dataclass(frozen=True)
class SourceChange:
    """What a fix does to a file.

    Attributes:
        fix: as far as it can be made in the file, with what that will do.
        content: the file after it; None where nothing of it can be made.
        layers: whose calls are edited.
        lines: where these calls begin.
        reasons: why the fix, or a part of it, cannot be made; the first one where a part does not count.
    """

    fix: Fix
    content: bytes | None
    layers: tuple[str, ...] = ()
    lines: tuple[int, ...] = ()
    reasons: tuple[str, ...] = ()


def source_change(fix: Fix, model: SourceModel, layers: Collection[str] | None) -> SourceChange:
    """What a fix does to the file of its model.

    Kernels are cropped one by one, so that some can be where others cannot; every other fix is made whole or not at all.

    Args:
        fix: proposed for the model.
        model: the model and its file.
        layers: those whose kernels are to be cropped; None for all.
    """
    try:
        require_calls_only(fix.plan)
    except FixError as error:
        return SourceChange(fix, None, reasons=(str(error),))
    is_divisible = all(isinstance(step, Crop) for step in fix.plan.steps)
    wanted = [step for step in fix.plan.steps if not is_divisible or layers is None or step.path in layers]
    edits, reasons = _edits(wanted, model)
    if not edits or (reasons and not is_divisible):
        return SourceChange(fix, None, reasons=reasons if is_divisible else reasons[:1])
    try:
        made = _narrowed(fix, model.subject, [step for step in wanted if step.path in edits])
    except FixError as error:
        return SourceChange(fix, None, reasons=(*reasons, str(error)))
    content = model.text.edited(list(edits.values()))
    return SourceChange(made, content, tuple(edits), tuple(sorted({site.line for site, _ in edits.values()})), reasons)


def _edits(steps: Sequence[Step], model: SourceModel) -> tuple[dict[str, Edit], tuple[str, ...]]:
    """The edits that make the steps, by layer, and why the others cannot be made."""
    edits: dict[str, Edit] = {}
    reasons: dict[str, None] = {}
    for step in steps:
        try:
            new = new_call(model.subject.model, step)
            site = site_of(step.path, model.built, model.others, model.text.path)
            model.text.call_at(site, new)
        except FixError as error:
            reasons[str(error)] = None
        else:
            edits[step.path] = site, new
    return edits, tuple(reasons)


def _narrowed(fix: Fix, subject: Subject, steps: Sequence[Step]) -> Fix:
    """A fix with some of its steps only, and what these do.

    Raises:
        FixError: if the model does not run after them.
    """
    if len(steps) == len(fix.plan.steps):
        return fix
    plan = Plan(tuple(steps))
    description = f"crop kernels to the taps that read pixels: {', '.join(step.path for step in steps)}"
    return proposed(subject, fix.name, plan, measured(subject, plan), description, safe=fix.safe)
