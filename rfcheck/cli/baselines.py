"""``--baseline`` and ``--write-baseline``: findings that are known do not fail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from rfcheck.cli.gathering import Gathered
from rfcheck.cli.output_file import write_atomically
from rfcheck.linting.baseline import Baseline, Examined, Model, Stale, split, stale_entries, updated
from rfcheck.linting.baseline_file import dump, read_baseline, target_in
from rfcheck.linting.selection import is_selected
from rfcheck.report.result import Result, plural

Groups = list[list[Result]]
"""The results of each request."""


def write_baseline(path: Path, gathered: Sequence[Gathered], groups: Groups) -> str:
    """Write what was found to a file of known findings; entries of models that were not part of the run stay in it.

    Returns:
        A line that says so.

    Raises:
        SettingsError: if the file cannot be written, or holds something else.
    """
    option = "--write-baseline"
    before = read_baseline(path, option) if path.exists() else Baseline()
    after = updated(before, _examined(path, gathered, groups))
    write_atomically(path, dump(after), option)
    return f"{plural(sum(after.counts.values()), 'finding')} in the baseline {path}"


def apply_baselines(gathered: Sequence[Gathered], groups: Groups, given: Path | None) -> tuple[Groups, list[str]]:
    """Take known findings out of the reports.

    Args:
        gathered: what each request gave.
        groups: its results.
        given: the baseline for all of them; None for that of each request.

    Returns:
        The results with known findings apart, and a line for each entry of a baseline that is found no more.

    Raises:
        SettingsError: if a baseline cannot be read.
    """
    paths = [given or one.request.baseline for one in gathered]
    baselines = {path: read_baseline(path, "baseline") for path in dict.fromkeys(paths) if path is not None}
    sorted_out = [
        [_without_known(result, path, baselines[path]) for result in group] if path is not None else group
        for path, group in zip(paths, groups, strict=True)
    ]
    notes: list[str] = []
    for path, baseline in baselines.items():
        mine = [i for i, other in enumerate(paths) if other == path]
        examined = _examined(path, [gathered[i] for i in mine], [groups[i] for i in mine])
        notes += [_stale(path, stale) for stale in stale_entries(baseline, examined)]
    return sorted_out, notes


def _examined(path: Path, gathered: Sequence[Gathered], groups: Groups) -> list[Examined]:
    return [
        Examined(_model(result, path), result.findings, partial(is_selected, settings=one.request.settings))
        for one, group in zip(gathered, groups, strict=True)
        for result in group
    ]


def _without_known(result: Result, path: Path, baseline: Baseline) -> Result:
    new, known = split(baseline, _model(result, path), result.findings)
    return replace(result, findings=tuple(new), known=tuple(known))


def _model(result: Result, path: Path) -> Model:
    snapshot = result.snapshot
    return Model(target_in(path.parent, result.target, result.path), (snapshot.channels, *snapshot.input_size))


def _stale(path: Path, stale: Stale) -> str:
    model, code, layer = stale.entry
    where = f" {layer}" if layer else ""
    left = f"found {stale.found} of {stale.known} times" if stale.found else "found no more"
    size = "x".join(map(str, model.input))
    return f"note: {path}: {code}{where} of {model.target} at {size} is {left}; write the baseline again"
