"""What to say of code that cannot be imported: where it went wrong, and what to do about it."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path

from rfcheck.process_end import ProcessEndError
from rfcheck.span import shown_path
from rfcheck.target.missing_modules import folder_with

_EXIT_REMEDY = 'put what ends the program behind if __name__ == "__main__":'


def failure_of(error: BaseException, action: str, file: Path | None = None) -> str:
    """What failed while code ran, and the remedy, as a part of a sentence.

    Args:
        error: as it was raised.
        action: what failed, such as "importing it".
        file: that was run; None for a module of the environment.
    """
    if isinstance(error, ImportError):
        return f"an import fails: {error}; {_remedy(error, file)}"
    said = error.msg if isinstance(error, SyntaxError) else " ".join(str(error).split())
    if isinstance(error, ProcessEndError):
        return f"{action} left with {said}; {_EXIT_REMEDY}"
    remedy = f"; {_EXIT_REMEDY}" if isinstance(error, SystemExit) else ""
    return f"{action} fails: {type(error).__name__}{_place(error)}: {said}{remedy}"


def line_in(error: BaseException, file: Path) -> int | None:
    """The line of a file that an error went through last; None if it did not."""
    own = file.resolve()
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).resolve() == own]
    return lines[-1] if lines else None


def _remedy(error: ImportError, file: Path | None) -> str:
    if not isinstance(error, ModuleNotFoundError):
        return "check the name"
    name = error.name or ""
    package = name.rpartition(".")[0]
    if package in sys.modules:
        return f"check the name, {package} is there but has no such module"
    folder = None if file is None or not name else folder_with(name, file)
    if folder is not None:
        return f"the folder {folder} has it, where Python does not look: set PYTHONPATH={folder}"
    return "install it in the environment that runs rfcheck"


def _place(error: BaseException) -> str:
    """Where another file has the syntax error that keeps it from being imported."""
    if not isinstance(error, SyntaxError) or error.filename is None:
        return ""
    return f" in {shown_path(error.filename)}:{error.lineno}"
