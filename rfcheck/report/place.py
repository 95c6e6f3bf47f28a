"""Where findings point, as files and lines."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from rfcheck.configuration.values import target_file
from rfcheck.span import Span, shown_path

if TYPE_CHECKING:
    from rfcheck.linting.finding import Finding
    from rfcheck.report.result import Failure, Result


def span_of(result: Result, finding: Finding) -> Span | None:
    """The code that a finding points at, else the definition of the model; None where no file is known."""
    if finding.chain:
        return finding.chain[0]
    return Span(shown_path(result.path), result.line or 1) if result.path else None


def place_of(result: Result, finding: Finding) -> str:
    """Where a finding points; the target where no line is known."""
    if finding.chain:
        return finding.chain[0].place
    return f"{result.path}:{result.line}" if result.path and result.line is not None else result.target


def file_of(failure: Failure) -> str | None:
    """The file of a target that failed; None for a module, a model of a catalogue, and one that goes by another name."""
    return target_file(failure.target)


def repository_path(path: str) -> str:
    """A path as services that show code want it: from the root of the repository around the current folder, with forward slashes.

    A path that lies elsewhere is absolute; without a repository, paths start from the current folder.
    """
    folder = Path.cwd()
    root = next((one for one in (folder, *folder.parents) if (one / ".git").exists()), folder)
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 - links stay as they are
    return (absolute.relative_to(root) if absolute.is_relative_to(root) else absolute).as_posix()
