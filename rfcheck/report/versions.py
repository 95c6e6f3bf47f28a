"""Two versions of a set of models: which belong together, what changed in each, and whether the second is worse."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rfcheck.errors import TargetError
from rfcheck.linting.finding import NEVER, Finding, at_least
from rfcheck.report.comparison import Comparison, compare
from rfcheck.report.result import plural
from rfcheck.report.units import percent, short

if TYPE_CHECKING:
    from rfcheck.analysed import Analysis


@dataclass(frozen=True, slots=True)
class Analyzed:
    """One model of one version.

    Attributes:
        target: as reports name it, "model.py:Net".
        analysis: what was found.
    """

    target: str
    analysis: Analysis


@dataclass(frozen=True, slots=True)
class ModelChange:
    """One model in both versions."""

    before: Analyzed
    after: Analyzed
    comparison: Comparison


@dataclass(frozen=True, slots=True)
class Versions:
    """Everything that one command compared.

    Attributes:
        models: those that both versions have, in the order of the second.
        removed: those that only the first has.
        added: those that only the second has; all their findings are new.
    """

    models: tuple[ModelChange, ...]
    removed: tuple[Analyzed, ...]
    added: tuple[Analyzed, ...]

    @property
    def new(self) -> list[Finding]:
        """Findings that only the second version has."""
        changed = [finding for model in self.models for finding in model.comparison.new]
        return changed + [finding for result in self.added for finding in result.analysis.findings]

    @property
    def gone(self) -> list[Finding]:
        """Findings that only the first version has."""
        changed = [finding for model in self.models for finding in model.comparison.gone]
        return changed + [finding for result in self.removed for finding in result.analysis.findings]

    @property
    def is_empty(self) -> bool:
        """Whether nothing changed."""
        return not (self.removed or self.added) and all(model.comparison.is_empty for model in self.models)


def compare_versions(before: Sequence[Analyzed], after: Sequence[Analyzed], model_wide: Collection[str] | None = None) -> Versions:
    """Compare models of the same name; where each version has one model, compare these whatever their names.

    Args:
        before: models of the first version.
        after: models of the second version.
        model_wide: codes of the rules about the whole model; those of the built-in ones if None.

    Raises:
        TargetError: if no model of the one has its counterpart in the other.
    """
    if len(before) == len(after) == 1:
        pairs = [(before[0], after[0])]
    else:
        named = {result.analysis.name: result for result in before}
        pairs = [(named[result.analysis.name], result) for result in after if result.analysis.name in named]
    if not pairs:
        raise TargetError(
            f"no model has the same name in both: {_names(before)} before, {_names(after)} after; "
            f"name the two to compare, as in {before[0].target} {after[0].target}"
        )
    matched = {id(result) for pair in pairs for result in pair}
    return Versions(
        tuple(ModelChange(a, b, compare(a.analysis, b.analysis, model_wide=model_wide)) for a, b in pairs),
        removed=tuple(result for result in before if id(result) not in matched),
        added=tuple(result for result in after if id(result) not in matched),
    )


def _names(results: Sequence[Analyzed]) -> str:
    return ", ".join(result.analysis.name for result in results)


def failing(versions: Versions, fail_on: str) -> list[Finding]:
    """The new findings that make the second version worse: those as grave as a threshold, or NEVER any."""
    return [finding for finding in versions.new if at_least(finding.severity, fail_on)]


_WEIGHED: tuple[tuple[str, str, str | None], ...] = (
    ("tail_layers", "layers in the tail", None),
    ("unproductive_layers", "unproductive layers", None),
    ("flops", "FLOPs", ""),
    ("params", "parameters", ""),
    ("activation_bytes", "activations", "B"),
)
"""Numbers of a model of which less is better, what they are called, and the unit of those that are long; None for small counts."""


def verdict(versions: Versions, fail_on: str) -> str:
    """What got better and what got worse, all models of both versions together, and whether new findings make the check fail."""
    better, worse = _weighed(versions)
    if versions.gone:
        better.append(f"{plural(len(versions.gone), 'finding')} fixed")
    if versions.new:
        worse.append(f"{plural(len(versions.new), 'new finding')}{_why_mild(versions, fail_on)}")
    sides = [f"{word}: {', '.join(parts)}" for word, parts in (("better", better), ("worse", worse)) if parts]
    text = "; ".join(sides) or "neither better nor worse: no cost, no tail and no finding changed"
    return f"{text[:1].upper()}{text[1:]}."


def _weighed(versions: Versions) -> tuple[list[str], list[str]]:
    """The numbers that fell and those that rose, as text."""
    better: list[str] = []
    worse: list[str] = []
    for name, called, unit in _WEIGHED:
        pairs = [getattr(model.comparison.totals, name) for model in versions.models]
        before, after = sum(pair.before for pair in pairs), sum(pair.after for pair in pairs)
        if before != after:
            change = percent(before, after)
            shown = (str(before), str(after)) if unit is None else (short(before, unit), short(after, unit))
            more = f" ({change})" if unit is not None and change else ""
            (better if after < before else worse).append(f"{called} {shown[0]} -> {shown[1]}{more}")
    return better, worse


def _why_mild(versions: Versions, fail_on: str) -> str:
    """Why new findings do not make the check fail, or which of them do not."""
    mild = len(versions.new) - len(failing(versions, fail_on))
    if not mild:
        return ""
    if fail_on == NEVER:
        return " (--fail-on is never)"
    return f" (below {fail_on})" if mild == len(versions.new) else f" ({mild} below {fail_on})"
