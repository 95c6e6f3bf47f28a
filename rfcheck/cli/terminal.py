"""What the terminal can show."""

from __future__ import annotations

import os
import shutil
import sys

from rfcheck.report.view import View


def terminal_view(*, quiet: bool = False, layers: bool = False, statistics: bool = False, show_suppressed: bool = False) -> View:
    """A view as wide as the terminal, in colour if it shows any; NO_COLOR and FORCE_COLOR decide where they are set.

    Args:
        quiet: as in `View`.
        layers: as in `View`.
        statistics: as in `View`.
        show_suppressed: as in `View`.
    """
    width = shutil.get_terminal_size().columns
    return View(width, _shows_color(), quiet, layers, statistics, show_suppressed)


def _shows_color() -> bool:
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (sys.stdout.isatty() and os.environ.get("TERM") not in ("dumb", "unknown"))
