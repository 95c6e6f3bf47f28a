"""``--add-ignore``: comments for the code of findings, so that what is found today is silenced and what is new is not."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.machinery import SOURCE_SUFFIXES
from pathlib import Path

from rfcheck.linting.finding import Finding
from rfcheck.linting.ignore_comments import with_comments
from rfcheck.linting.python_source import NotPythonError
from rfcheck.span import Span

_Placed = tuple[Finding, Span]
"""A finding, and the code where its comment is to go."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A finding that no comment can silence, with the reason."""

    finding: Finding
    reason: str


@dataclass(frozen=True, slots=True)
class Adoption:
    """What there is to write.

    Attributes:
        files: new content by path, of the files that change.
        silenced: the findings that comments silence then.
        skipped: the others.
    """

    files: dict[str, bytes]
    silenced: tuple[Finding, ...]
    skipped: tuple[Skipped, ...]


def adopt(findings: Sequence[Finding], folder: Path, read: Callable[[str], bytes]) -> Adoption:
    """Silence findings by comments at the code that makes their layers; nothing is written.

    A comment goes to the innermost call that stands in a Python file of the project: a layer that code outside of it makes is
    silenced where the project calls that code.

    Args:
        findings: of all models; several may have one place.
        folder: of the project; files outside it are left alone.
        read: the content of a file, by its path as the findings name it; may raise OSError.
    """
    placed: dict[str, list[_Placed]] = {}
    skipped: list[Skipped] = []
    for finding in findings:
        place = next((span for span in finding.chain if not _obstacle(span.path, folder)), None)
        if place is None:
            reason = _obstacle(finding.chain[0].path, folder) if finding.chain else "where its code stands is not known"
            skipped.append(Skipped(finding, reason))
        else:
            placed.setdefault(os.path.realpath(place.path), []).append((finding, place))
    parts = [Adoption({}, (), tuple(skipped)), *(_in_file(group, read) for group in placed.values())]
    return Adoption(
        files={path: data for part in parts for path, data in part.files.items()},
        silenced=tuple(finding for part in parts for finding in part.silenced),
        skipped=tuple(one for part in parts for one in part.skipped),
    )


def _in_file(group: Sequence[_Placed], read: Callable[[str], bytes]) -> Adoption:
    path = group[0][1].path
    try:
        data = read(path)
        edited, refused = with_comments(data, [(span, finding.code, finding.name) for finding, span in group])
    except (OSError, NotPythonError) as error:
        reason = f"{path} cannot be edited: {error.strerror or error if isinstance(error, OSError) else error}"
        return Adoption({}, (), tuple(Skipped(finding, reason) for finding, _ in group))
    return Adoption(
        files={path: edited} if edited != data else {},
        silenced=tuple(finding for index, (finding, _) in enumerate(group) if index not in refused),
        skipped=tuple(
            Skipped(
                finding,
                f"no line of the code at {span.path}:{span.line} can take a comment; "
                f"# rfcheck: ignore-file[{finding.code}] on a line of its own silences the whole file",
            )
            for index, (finding, span) in enumerate(group)
            if index in refused
        ),
    )


def _obstacle(path: str, folder: Path) -> str:
    """Why no comment can go into a file; empty if nothing is in the way."""
    if Path(path).suffix not in SOURCE_SUFFIXES:
        return f"{path} is not a Python file"
    if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder)):
        return f"{path} lies outside the project folder {folder}"
    return ""
