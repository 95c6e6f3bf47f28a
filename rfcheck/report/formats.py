"""The formats that a run can be reported in; a format is a module with ``render(run, view)``."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rfcheck.report.result import Run
    from rfcheck.report.view import View

FORMATS = {
    "full": "rfcheck.report.full",
    "concise": "rfcheck.report.concise",
    "json": "rfcheck.report.json_v1",
    "sarif": "rfcheck.report.sarif",
    "github": "rfcheck.report.github",
    "gitlab": "rfcheck.report.gitlab",
    "junit": "rfcheck.report.junit",
    "markdown": "rfcheck.report.markdown",
}
"""Module of each format, by its name; imported when it is used."""

FOR_PEOPLE = frozenset({"full", "concise"})
"""Formats that say nothing of a run without results."""

_STATISTICS = {
    **dict.fromkeys(FOR_PEOPLE, "rfcheck.report.statistics"),
    "json": "rfcheck.report.statistics_json",
}
"""What takes the place of a format where counts are asked for; the others are the same."""

SHOWS_FIXES = frozenset(FORMATS) - {"concise"}
"""Formats that name the best fix of a finding."""


def render(name: str, run: Run, view: View) -> str:
    """A run in one format, as text that ends with a line break.

    Args:
        name: one of `FORMATS`.
        run: what was found.
        view: how to show it.
    """
    if view.quiet and name == "full":
        name = "concise"
    module = importlib.import_module((_STATISTICS if view.statistics else {}).get(name, FORMATS[name]))
    text: str = module.render(run, view)
    return text.encode("utf-8", "backslashreplace").decode("utf-8")  # names of files may hold bytes that are no text
