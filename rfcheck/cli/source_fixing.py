"""Make fixes in the source file of a target: each edit is analysed before it is kept, and all are written at once."""

from __future__ import annotations

import shlex
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from rfcheck.cli.source_answers import Answer, answers
from rfcheck.cli.source_elsewhere import require_unchanged
from rfcheck.cli.source_examining import Examined, SourceTarget, examined
from rfcheck.cli.source_file import replace_source, require_editable
from rfcheck.errors import FixError, RfcheckError
from rfcheck.fixes.variants import fix_of
from rfcheck.report.next_steps import size_option

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rfcheck.config import Settings
    from rfcheck.fixes.fix import Fix
    from rfcheck.fixes.source_change import SourceChange
    from rfcheck.report.source_fixing import LeftFix, MadeFix, SourceFixing


def fix_sources(
    target: str,
    size: int | tuple[int, ...],
    settings: Settings,
    *,
    unsafe: bool,
    diff: bool,
    names: Sequence[str] = (),
    others: Sequence[SourceTarget] = (),
    arguments: Mapping[str, Any] | None = None,
) -> SourceFixing:
    """Make the fixes that the findings about a target's models ask for, in the file that the target names.

    A fix is made if it is a change of arguments of convolutions or poolings, or the removal of poolings, at calls in the file that
    make one layer each. Every edited text is analysed before the next edit, and is kept only if the model is as predicted and the
    other models of the file stay as they are. A safe one is not made where the model is linted at other input sizes too. Nothing is
    written until all is done.

    Args:
        target: "model.py", "model.py:Net" or "model.py:build(10)".
        size: of the input.
        settings: of the analyses.
        unsafe: whether fixes may change what a model computes.
        diff: whether the file stays as it is.
        names: of the fixes to make, whatever the findings are; what `rfcheck.cli.source_answers.answers` chooses if empty.
        others: what else is linted of the file.
        arguments: what models that take arguments of these names are built with.

    Raises:
        FixError: if the target names no file, or the file cannot be written or was changed meanwhile.
        TargetError: if the file cannot be run, or holds no such model.
    """
    from rfcheck.report.result import Failure
    from rfcheck.report.source_fixing import SourceFixing
    from rfcheck.target.source import FileSource
    from rfcheck.target.spec import parse_target

    spec = parse_target(target)
    if spec.kind != "file":
        raise FixError(f"{target}: fixes are made in Python files only; name the file that makes the model, like model.py:Net")
    file = FileSource(spec.place).path
    before = content = file.read_bytes()
    if not diff:
        require_editable(file)
    chosen = SourceTarget(target, file, size, settings, arguments or {})
    made: list[MadeFix] = []
    left: list[LeftFix] = []
    failures: list[Failure] = []
    for label in chosen.labels(content):
        try:
            rounds = _Rounds(chosen, examined(chosen, label, content), others, names, unsafe=unsafe)
        except RfcheckError as error:
            failures.append(Failure(label, str(error)))
            continue
        content = rounds.run()
        made += rounds.made
        left += rounds.left()
    written = content != before and not diff
    if written:
        replace_source(file, before, content)
    return SourceFixing(spec.place, before, content, written, tuple(made), tuple(left), tuple(failures))


class _Rounds:
    """Fixes of one model, made one after the other.

    One that changes what the model computes is made before safe ones: kernels are cropped to the maps that stay. Each fix is made
    once, and unless they are named, one unsafe fix only: it was recommended for the model as it was.
    """

    def __init__(
        self, target: SourceTarget, start: Examined, others: Sequence[SourceTarget], names: Sequence[str], *, unsafe: bool
    ) -> None:
        self._target = target
        self._others = others
        self._unsafe = unsafe
        self._names = tuple(names)
        self._now = start
        self._is_chosen = bool(names)
        self._answers = answers(start, self._names)
        self._taken_back: dict[str, str] = {}
        self._gone: list[str] = []
        self.made: list[MadeFix] = []

    def run(self) -> bytes:
        """Make what can be made; returns the text."""
        while (answer := next((answer for answer in self._answers if self._why_not(answer) is None), None)) is not None:
            change = answer.change
            try:
                after = _as_predicted(self._target, self._now, change)
                self._require_others_unchanged(after.content)
            except RfcheckError as error:
                self._taken_back[fix_of(change.fix.name)] = str(error)
                continue
            self.made.append(_made(self._now, change))
            self._now = after
            self._answers = self._next_answers(change.fix.name)
        return self._now.content

    def _next_answers(self, made: str) -> list[Answer]:
        """What there is to make after a fix: of the named ones, those that still apply."""
        if not self._is_chosen:
            return answers(self._now)
        waiting = [name for name in self._names if name != made]
        applying = {fix.name for fix in self._now.analysis.fixes}
        self._gone += [name for name in waiting if name not in applying]
        self._names = tuple(name for name in waiting if name in applying)
        return answers(self._now, self._names) if self._names else []

    def left(self) -> list[LeftFix]:
        """What was not made, with the reasons."""
        from rfcheck.report.source_fixing import LeftFix

        found = [LeftFix(self._label, name, ("it does not apply any more behind what was made",), None) for name in self._gone]
        for answer in self._answers:
            change, reasons = answer.change, self._why_not(answer)
            if reasons:
                needs_option = change.content is not None and not change.fix.safe and not (self._unsafe and answer.is_wanted)
                found.append(LeftFix(self._label, change.fix.name, reasons, None if needs_option else self._command(change.fix)))
        return found

    def _require_others_unchanged(self, content: bytes) -> None:
        now = self._now
        shape = (1, now.analysis.network.channels, *now.analysis.network.input_size)
        require_unchanged(self._others, now.content, content, now.built.structure, shape, unsafe=self._unsafe)

    @property
    def _label(self) -> str:
        return self._now.built.label

    def _why_not(self, answer: Answer) -> tuple[str, ...] | None:
        """Why a change is not made; None if it is to be made, empty if it was, or if another one was made in its place."""
        change = answer.change
        base = fix_of(change.fix.name)
        if base in self._taken_back:
            return (f"taken back: {self._taken_back[base]}",)
        if change.content is None:
            return change.reasons
        if not change.fix.safe and not self._is_chosen and any(not done.safe for done in self.made):
            return ()
        if not answer.is_wanted:
            return (f"another one serves the model better; --fix={change.fix.name} --unsafe-fixes makes this one",)
        if not change.fix.safe and not self._unsafe:
            return ("it changes what the model computes; --unsafe-fixes allows it",)
        if base in {fix_of(done.name) for done in self.made}:
            return ()
        if not change.fix.safe and any(done.safe for done in self.made):
            return ("it changes the maps that kernels were just cropped to",)
        return None

    def _command(self, fix: Fix) -> str:
        """What prints the code of a fix."""
        network = self._now.analysis.network
        size = size_option(network.channels, network.input_size, self._target.settings.channels)
        return f"rfcheck fix {shlex.quote(self._label)} {size} --apply {fix.name}"


def _as_predicted(target: SourceTarget, before: Examined, change: SourceChange) -> Examined:
    """The model as an edited text has it.

    Raises:
        RfcheckError: if it cannot be analysed, is not as predicted, or another model of the file is another one than before.
    """
    from rfcheck.fixes.outcome import outcome_of_network

    assert change.content is not None
    after = examined(target, before.built.label, change.content)
    expected, found = change.fix.predicted.after, outcome_of_network(after.analysis.network)
    differences = [
        f"{part.name.replace('_', ' ')} {getattr(found, part.name)} instead of {getattr(expected, part.name)}"
        for part in fields(expected)
        if getattr(found, part.name) != getattr(expected, part.name)
    ]
    if differences:
        raise FixError(f"the edited model is not as predicted: {', '.join(differences)}")
    now = {other.label: other.structure for other in after.others}
    for other in before.others:
        if other.structure not in (before.built.structure, now.get(other.label)):
            raise FixError(f"the edit would change {other.label} too")
    return after


def _made(before: Examined, change: SourceChange) -> MadeFix:
    from rfcheck.report.source_fixing import MadeFix

    fix = change.fix
    return MadeFix(before.built.label, fix.name, fix.safe, change.layers, change.lines, fix.predicted)
