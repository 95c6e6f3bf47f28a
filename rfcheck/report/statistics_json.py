"""How often each rule found something, as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rfcheck.report.json_v1 import dump
from rfcheck.report.statistics import statistics_to_dict

if TYPE_CHECKING:
    from rfcheck.report.result import Run
    from rfcheck.report.view import View


def render(run: Run, view: View) -> str:
    """The counts as JSON text."""
    del view
    return f"{dump(statistics_to_dict(run))}\n"
