"""Analyse a model as a text of its file has it, saved or not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rfcheck.cli.analysing import analyze_target
from rfcheck.errors import FixError, RfcheckError, TargetError
from rfcheck.span import shown_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import nn

    from rfcheck.analysed import Analysis
    from rfcheck.config import Settings
    from rfcheck.fixes.written_once import BuiltModel
    from rfcheck.linting.finding import Finding
    from rfcheck.target.load import Target
    from rfcheck.target.obvious import Given


@dataclass(frozen=True, slots=True)
class SourceTarget:
    """A target in a file, and how to analyse it.

    Attributes:
        text: the target, as given.
        file: that it names.
        size: of the input.
        settings: of the analysis.
        arguments: what models that take arguments of these names are built with.
    """

    text: str
    file: Path
    size: int | tuple[int, ...]
    settings: Settings
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def labels(self, content: bytes) -> list[str]:
        """The models that the target stands for."""
        from rfcheck.target.isolation import own_imports
        from rfcheck.target.load import load_targets

        with own_imports():
            return [target.label for target in load_targets(self.text, content, self.given)]

    @property
    def given(self) -> Given:
        """What is known about the arguments of the models."""
        from rfcheck.target.obvious import Given

        return Given.of(self.size, self.settings, self.arguments)


@dataclass(frozen=True)
class Examined:
    """A model as a text of its file has it.

    Attributes:
        path: of the file, as reports show it.
        content: the text.
        analysis: of the model.
        findings: that no comment silences.
        built: the model, and where the file makes its modules.
        others: the other models of the file.
    """

    path: str
    content: bytes
    analysis: Analysis
    findings: Sequence[Finding]
    built: BuiltModel
    others: Sequence[BuiltModel]


def examined(target: SourceTarget, label: str, content: bytes) -> Examined:
    """Analyse one model of a target; what is imported for it is forgotten afterwards, and nothing is written.

    Args:
        target: the target.
        label: of the model, one of `SourceTarget.labels`.
        content: of the file, in place of what it holds.

    Raises:
        RfcheckError: if the model cannot be built or analysed, or is not there.
    """
    from rfcheck.target.isolation import own_imports
    from rfcheck.target.load import load_targets
    from rfcheck.target.unsaved import lines_shown_as

    with own_imports(), lines_shown_as(target.file, content):
        targets = load_targets(target.text, content, target.given)
        chosen = next((found for found in targets if found.label == label), None)
        if chosen is None:
            raise FixError(f"{label} is not there any more")
        analysis = analyze_target(chosen, target.size, target.settings)
        assert analysis.proposals is not None  # worked out here, where what the file imports can be found
        built = _built(chosen, analysis.model)
        others = _others(target, content, [found for found in targets if found is not chosen])
        models = [model for model in map(_buildable, others) if model is not None]
        shown = shown_path(str(target.file))
        return Examined(shown, content, analysis, _not_silenced(analysis, shown, content), built, models)


def edits_in(chosen: Target, targets: Sequence[Target], analysis: Analysis) -> dict[str, bool]:
    """The findings about a model that --fix would answer, as `rfcheck.cli.source_answers.edits_of` has them.

    Args:
        chosen: a model of a Python file.
        targets: all models that were asked for of that file.
        analysis: of the model.
    """
    from rfcheck.cli.source_answers import edits_of, may_be_edited
    from rfcheck.target.spec import parse_target

    if chosen.path is None or not analysis.fixes or parse_target(chosen.label).kind != "file":
        return {}
    file = Path(chosen.path)
    shown = shown_path(str(file))
    state = Examined(shown, file.read_bytes(), analysis, analysis.findings, _built(chosen, analysis.model), ())
    if not may_be_edited(state):
        return {}
    try:
        others = [_built(other, other.build()[0]) for other in targets if other is not chosen]
    except RfcheckError:
        return {}  # what cannot be built is reported on its own, and keeps --fix from editing the file
    return edits_of(replace(state, others=others))


def _built(target: Target, model: nn.Module) -> BuiltModel:
    from rfcheck.fixes.written_once import BuiltModel

    return BuiltModel(target.label, model, target.origin(model).modules)


def _buildable(target: Target) -> BuiltModel | None:
    """A model that an edit may change; None for one that cannot be built, which is said where it is linted."""
    try:
        return _built(target, target.build()[0])
    except TargetError:
        return None


def _others(target: SourceTarget, content: bytes, found: Sequence[Target]) -> Sequence[Target]:
    """The other models of the file: those that were found with a target that names the file, or else all but the one that it names.

    What a target names is one definition, whatever its arguments, so that it is no other model with other arguments.
    """
    from rfcheck.target.load import load_targets
    from rfcheck.target.spec import parse_target

    named = parse_target(target.text).attribute
    if named is None:
        return found
    try:
        return [
            other for other in load_targets(str(target.file), content, target.given) if parse_target(other.label).attribute != named
        ]
    except RfcheckError:
        return []  # a file may hold nothing but what the target says how to build


def _not_silenced(analysis: Analysis, own: str, content: bytes) -> Sequence[Finding]:
    from rfcheck.linting.comments import suppressions_in, suppressions_of
    from rfcheck.linting.python_source import NotPythonError, parse_python
    from rfcheck.linting.suppressing import files_of, silence

    try:
        comments = suppressions_of(parse_python(content), own)
    except NotPythonError:
        comments = []
    comments += [comment for path in files_of(analysis.findings) if path != own for comment in suppressions_in(path)]
    return silence(analysis.findings, comments).kept
