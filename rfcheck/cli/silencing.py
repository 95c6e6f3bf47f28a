"""From what was found to what is reported: comments in the code silence findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass, replace
from functools import cache

from rfcheck.cli.gathering import Gathered
from rfcheck.config import Settings
from rfcheck.linting.comments import suppressions_in
from rfcheck.linting.suppressing import Use, files_of, not_fully_used, silence
from rfcheck.linting.suppression import Suppression
from rfcheck.report.result import Result, Suppressed
from rfcheck.span import shown_path

_Comments = Callable[[str], list[Suppression]]


@dataclass(frozen=True, slots=True)
class Silenced:
    """What comments leave to report.

    Attributes:
        groups: the results of each request, with what is silenced apart.
        used: what silenced a finding.
    """

    groups: list[list[Result]]
    used: frozenset[Use]


def silenced(gathered: Sequence[Gathered]) -> Silenced:
    """The results of each request, with what comments silence apart from what is reported.

    Args:
        gathered: what each request gave.
    """
    comments = cache(suppressions_in)
    results: list[list[Result]] = []
    used: set[Use] = set()
    for one in gathered:
        results.append([])
        for result in one.results:
            files = [*files_of(result.findings), *([shown_path(result.path)] if result.path is not None else [])]
            sorted_out = silence(result.findings, _of_files(files, comments))
            suppressed = tuple(Suppressed(finding, by) for finding, by in sorted_out.suppressed)
            used |= sorted_out.used
            results[-1].append(replace(result, findings=sorted_out.kept, suppressed=suppressed, fail_on=one.request.fail_on))
    return Silenced(results, frozenset(used))


def _of_files(files: Iterable[str], comments: _Comments) -> list[Suppression]:
    return [suppression for file in dict.fromkeys(files) for suppression in comments(file)]


def with_unused(gathered: Sequence[Gathered], groups: Sequence[list[Result]], used: Set[Use]) -> list[list[Result]]:
    """The results with findings about comments that silence nothing, each at the first model of its file.

    A comment is said to be unused only in a file that was linted whole and without failures.

    Args:
        gathered: what each request gave.
        groups: the results of each request.
        used: what silenced a finding.
    """
    done: set[str] = set()
    completed: list[list[Result]] = []
    for one, group in zip(gathered, groups, strict=True):
        completed.append(list(group))
        path = group[0].path if group else None
        if path is None or path in done or not one.request.is_whole or one.failures:
            continue
        done.add(path)
        comments = suppressions_in(shown_path(path))
        if not_fully_used(comments, used):
            completed[-1][0] = _with_unused(group[0], comments, used, one.request.settings)
    return completed


def _with_unused(result: Result, suppressions: Sequence[Suppression], used: Set[Use], settings: Settings) -> Result:
    from rfcheck.linting.rule import all_rules
    from rfcheck.linting.unused import unused_findings

    found = unused_findings(suppressions, used, all_rules(settings.rule_folders), settings)
    more = tuple(Suppressed(finding, by) for finding, by in found.suppressed)
    findings = sorted((*result.findings, *found.kept), key=lambda finding: finding.code)
    return replace(result, findings=tuple(findings), suppressed=(*result.suppressed, *more))
