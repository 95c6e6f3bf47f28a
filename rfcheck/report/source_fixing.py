"""What came of making fixes in a source file, and how a terminal shows it."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rfcheck.printable import printable
from rfcheck.report.fix_line import effect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rfcheck.fixes.fix import Prediction
    from rfcheck.report.result import Failure

_NAMED = 3


@dataclass(frozen=True, slots=True)
class MadeFix:
    """A fix that was made.

    Attributes:
        model: as reports name it: "model.py:Net".
        name: of the fix.
        safe: whether the outputs stay identical at this input size.
        layers: whose calls were edited.
        lines: where these calls began, in the file as it was before this fix.
        predicted: what the fix does; the edited model was analysed, and is as predicted.
    """

    model: str
    name: str
    safe: bool
    layers: tuple[str, ...]
    lines: tuple[int, ...]
    predicted: Prediction


@dataclass(frozen=True, slots=True)
class LeftFix:
    """A fix that was not made, or not for all layers.

    Attributes:
        model: as reports name it.
        name: of the fix.
        reasons: why.
        command: prints code that makes the fix; None where the reason says what to do.
    """

    model: str
    name: str
    reasons: tuple[str, ...]
    command: str | None


@dataclass(frozen=True, slots=True)
class SourceFixing:
    """What came of making fixes in one file.

    Attributes:
        path: of the file, as it was given.
        before: the file as it was.
        after: the file with the fixes; the same where none was made.
        written: whether the file holds that now.
        made: the fixes, in the order in which they were made.
        left: those that the file still needs.
        failures: models that could not be built or analysed as they are.
    """

    path: str
    before: bytes = field(repr=False)
    after: bytes = field(repr=False)
    written: bool
    made: tuple[MadeFix, ...]
    left: tuple[LeftFix, ...]
    failures: tuple[Failure, ...] = ()


def fixing_text(fixing: SourceFixing, width: int) -> str:
    """What was done and what was left, a paragraph each, and a line that counts; empty where there was nothing to do.

    Args:
        fixing: one file.
        width: columns of the terminal.
    """
    paragraphs = [_made(fix, written=fixing.written) for fix in fixing.made] + [_left(fix) for fix in fixing.left]
    paragraphs += [f"{other} prints code that makes one of the others" for other in _other_ways(fixing.left)]
    paragraphs += [f"{failure.target}: no fixes: {failure.message}" for failure in fixing.failures]
    if not paragraphs:
        return ""
    return "\n".join((*(_wrapped(text, width) for text in paragraphs), printable(_summary(fixing)))) + "\n"


def _wrapped(text: str, width: int) -> str:
    width = max(min(width, 120), 40)
    return textwrap.fill(printable(text), width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def _made(fix: MadeFix, *, written: bool) -> str:
    done = "made" if written else "would make"
    where = f"line{'s' * (len(fix.lines) > 1)} {_listed([str(line) for line in fix.lines])}"
    same = ", outputs stay the same" if fix.safe else ""
    return f"{fix.model}: {done} {fix.name} in {where}: {effect(fix.predicted.before, fix.predicted.after)}{same}"


def _left(fix: LeftFix) -> str:
    reasons = [*fix.reasons[:_NAMED], *([f"and {len(fix.reasons) - _NAMED} more reasons"] if len(fix.reasons) > _NAMED else [])]
    return f"{fix.model}: left {fix.name}: {'; '.join(reasons)}"


def _other_ways(left: Sequence[LeftFix]) -> list[str]:
    """The commands that make fixes in another way, one for each model."""
    commands = [f"{fix.command.removesuffix(fix.name)}NAME" for fix in left if fix.command is not None]
    return list(dict.fromkeys(commands))


def _summary(fixing: SourceFixing) -> str:
    done = "made" if fixing.written or not fixing.made else "to make"
    count = len(fixing.made)
    return f"{fixing.path}: {count} {'fix' if count == 1 else 'fixes'} {done}, {len(fixing.left)} left."


def _listed(texts: Sequence[str]) -> str:
    return " and ".join((", ".join(texts[:-1]), texts[-1])) if len(texts) > 1 else texts[0]
