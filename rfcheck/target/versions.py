"""The models of one version of the code: of files as they are, or as they were at a git revision."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from rfcheck.calling_folder import called_from_here
from rfcheck.errors import RfcheckError
from rfcheck.target.isolation import imports_from, own_imports
from rfcheck.target.load import Target, load_targets
from rfcheck.target.obvious import Given
from rfcheck.target.revision import Checkout, Revision, checked_out, nearest_folder, parse_revision


@contextlib.contextmanager
def opened(text: str, given: Given | None = None) -> Iterator[list[Target]]:
    """The models that a target stands for, to be built and analysed inside the block.

    What they import is forgotten on leaving, so that the next version imports its own. A target at a revision
    ("HEAD~1:model.py:Net") is imported from the files of that revision, in the counterpart of the current folder; its labels and
    the messages of its errors name the revision.

    Args:
        text: the target.
        given: as in `load_targets`.

    Raises:
        TargetError: if the target or its revision does not exist, or cannot be imported.
        NothingToAnalyzeError: if a file holds no model.
    """
    revision = parse_revision(text)
    if revision is None:
        with own_imports():
            yield load_targets(text, given=given)
        return
    with (
        checked_out(revision) as checkout,
        imports_from(checkout.folder, instead_of=checkout.repository),
        _current_folder_in(checkout),
        _errors_name(revision, checkout),
    ):
        targets = load_targets(f"{checkout.file}{revision.rest}", given=given)
        yield [replace(target, label=_named(target.label, revision, checkout), path=None, line=None) for target in targets]


@contextlib.contextmanager
def _current_folder_in(checkout: Checkout) -> Iterator[None]:
    """Let relative paths lead to files of the revision, if the current folder is in the repository."""
    before = Path.cwd()
    current = before.resolve()
    if not current.is_relative_to(checkout.repository):
        yield
        return
    os.chdir(nearest_folder(checkout.folder / current.relative_to(checkout.repository)))
    try:
        with called_from_here():
            yield
    finally:
        os.chdir(before)


@contextlib.contextmanager
def _errors_name(revision: Revision, checkout: Checkout) -> Iterator[None]:
    """Let errors name files as of the revision, not where they were written to."""
    try:
        yield
    except RfcheckError as error:
        error.args = (_named(str(error), revision, checkout),)
        raise


def _named(text: str, revision: Revision, checkout: Checkout) -> str:
    return text.replace(str(checkout.file), revision.place).replace(f"{checkout.folder}{os.sep}", f"{revision.name}:")
