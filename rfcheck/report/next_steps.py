"""What a reader of a report can do next: how many findings an edit of the file answers, and commands that say more."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from rfcheck.report.result import plural
from rfcheck.report.snapshot import place_in_model

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rfcheck.report.result import Run


def next_steps(run: Run) -> list[str]:
    """Lines for below the summary; none where nothing was found."""
    found = list(run.findings())
    if not found:
        return []
    lines = [line for line in (_fixable(run),) if line]
    fixed = next((result for result in run.results if any(f.code in result.snapshot.best_fixes for f in result.findings)), None)
    commands = [(f"rfcheck rule {found[0][1].code}", "what a finding means, and when to ignore it")]
    if fixed is not None:
        size = size_option(fixed.snapshot.channels, fixed.snapshot.input_size)
        commands.insert(0, (f"rfcheck fix {shlex.quote(fixed.target)} {size}", "what to change, side by side"))
    return [*lines, *(f"{command}  # {meaning}" for command, meaning in commands)]


def size_option(channels: int, input_size: Iterable[int], usual: int = 3) -> str:
    """The option that gives an input size: "--resolution 32x48", or "--input-size 1,32,48" where channels or axes are not as usual.

    Args:
        channels: of the input.
        input_size: image extent per axis, in pixels.
        usual: channels where nothing is said about them.
    """
    extents = [str(extent) for extent in input_size]
    if channels != usual or channels != 3 or len(extents) != 2:
        return f"--input-size {','.join((str(channels), *extents) if channels else extents)}"
    return f"--resolution {extents[0] if len(set(extents)) == 1 else 'x'.join(extents)}"


def _fixable(run: Run) -> str:
    """How many findings an edit of the file answers; empty where none does."""
    edits = [result.snapshot.edits.get(place_in_model(finding)) for result, finding in run.findings()]
    safe, unsafe = edits.count(True), edits.count(False)
    if safe:
        more = f", {unsafe} more with --fix --unsafe-fixes" if unsafe else ""
        return f"{plural(safe, 'finding')} fixable with --fix{more}."
    return f"{plural(unsafe, 'finding')} fixable with --fix --unsafe-fixes." if unsafe else ""
