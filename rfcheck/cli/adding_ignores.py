"""``--add-ignore``: write comments that silence today's findings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rfcheck.cli.gathering import Gathered
from rfcheck.cli.output_file import write_atomically
from rfcheck.linting.adopting import adopt
from rfcheck.report.result import Result, plural


def add_ignores(gathered: Sequence[Gathered], groups: Sequence[Sequence[Result]]) -> list[str]:
    """Write a comment to the line of each finding.

    Returns:
        Lines that say what was written, and why a finding could not be silenced.

    Raises:
        SettingsError: if a file cannot be written.
    """
    notes: list[str] = []
    added = 0
    files: set[str] = set()
    for folder in dict.fromkeys(one.request.folder for one in gathered):
        mine = [group for one, group in zip(gathered, groups, strict=True) if one.request.folder == folder]
        findings = list(dict.fromkeys(finding for group in mine for result in group for finding in result.findings))
        adoption = adopt(findings, folder, lambda path: Path(path).read_bytes())
        for path, content in adoption.files.items():
            write_atomically(Path(path), content, "--add-ignore")
        added += len(adoption.silenced)
        files |= adoption.files.keys()
        reasons = Counter((skipped.finding.code, skipped.reason) for skipped in adoption.skipped)
        notes += [f"not silenced: {plural(count, f'finding of {code}')}: {reason}" for (code, reason), count in reasons.items()]
    return [f"silenced {plural(added, 'finding')} in {plural(len(files), 'file')}", *notes]
