"""The formats that a run can be reported in; a format is a module with ``render(run, view)``."""

from __future__ import annotations

import importlib
from dataclasses import replace
from typing import TYPE_CHECKING

from rfcheck.printable import printable, printable_json, printable_parts

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


_JSON = frozenset({"json", "sarif", "gitlab"})
"""Formats for programs that look for names as they are, and read escapes."""


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
    if name in _JSON:
        text: str = printable_json(module.render(run, view))
    else:
        text = module.render(_printable_run(run), _printable_view(view))
    return text.encode("utf-8", "backslashreplace").decode("utf-8")  # names of files may hold bytes that are no text


def _printable_run(run: Run) -> Run:
    """A run in which every text is one line; the lines of a message become one."""
    joined = [
        replace(result, findings=tuple(replace(one, message=" ".join(one.message.split())) for one in result.findings))
        if any("\n" in one.message for one in result.findings)
        else result
        for result in run.results
    ]
    return printable_parts(replace(run, results=tuple(joined)))


def _printable_view(view: View) -> View:
    """A view whose explanations are found by the names that are shown."""
    if not view.explanations:
        return view
    return replace(view, explanations={printable(name): text for name, text in view.explanations.items()})
