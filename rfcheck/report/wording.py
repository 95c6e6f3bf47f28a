"""Phrases that several formats share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rfcheck.input_size import input_text

if TYPE_CHECKING:
    from rfcheck.linting.finding import Finding
    from rfcheck.report.result import Failure, Result, Suppressed
    from rfcheck.report.snapshot import Snapshot


def size_of(snapshot: Snapshot) -> str:
    """Channels and image extents of the input: "3x32x32"."""
    return input_text(snapshot.channels, snapshot.input_size)


def model_of(result: Result) -> str:
    """A model at a size, by its target: "model.py:Net at 3x32x32"."""
    return f"{result.target} at {size_of(result.snapshot)}"


def statement(result: Result, finding: Finding) -> str:
    """A finding that stands alone: "Net at 3x32x32, layer3.0.conv2: message"."""
    layer = f", {finding.layer}" if finding.layer else ""
    return f"{result.snapshot.model} at {size_of(result.snapshot)}{layer}: {finding.message}"


def fix_of(result: Result, finding: Finding) -> str | None:
    """One line on the best fix of a finding; None where no fix is known to help."""
    return result.snapshot.best_fixes.get(finding.code)


def silenced_in(one: Suppressed) -> str:
    """Where and why a finding is silenced: "suppressed in model.py:12: reason"."""
    reason = f": {one.by.reason}" if one.by.reason else ""
    return f"suppressed in {one.by.path}:{one.by.line}{reason}"


def reason_of(failure: Failure) -> str:
    """What went wrong with a target, without its name in front."""
    return failure.message.removeprefix(f"{failure.target}: ")
