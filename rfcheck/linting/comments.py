"""The comments of a Python file that silence findings, with the code that each covers."""

from __future__ import annotations

import re
import tokenize
from importlib.machinery import SOURCE_SUFFIXES
from pathlib import Path

from rfcheck.linting.directives import Directive, directives_in
from rfcheck.linting.extents import covered_lines
from rfcheck.linting.python_source import NotPythonError, PythonSource, parse_python
from rfcheck.linting.suppression import Suppression

_MENTION = re.compile(rb"#[^\w\r\n]*rfcheck", re.IGNORECASE)
_ALONE = "on a line of its own it silences nothing; put it at the end of a line of the code that it is about"


def suppressions_in(path: str) -> list[Suppression]:
    """The comments of a file that silence findings, and those that try to: these have a problem.

    A comment at the end of a line covers the code that `covered_lines` says; on a line of its own it covers nothing, unless it is
    ``ignore-file``, which may stand anywhere.

    Args:
        path: of a Python file, as reports show it; one that cannot be read, decoded or parsed holds no comments.
    """
    file = Path(path)
    try:
        if file.suffix not in SOURCE_SUFFIXES or not file.is_file():
            return []
        data = file.read_bytes()
        return suppressions_of(parse_python(data), path) if _MENTION.search(data) else []
    except (OSError, NotPythonError):
        return []


def suppressions_of(source: PythonSource, path: str) -> list[Suppression]:
    """`suppressions_in` for a file that is read already.

    Args:
        source: the file.
        path: how reports show it.

    Raises:
        NotPythonError: if it cannot be taken apart.
    """
    return [
        _suppression(source, path, token, directive)
        for token in source.tokens
        if token.type == tokenize.COMMENT
        for directive in directives_in(token.string)
    ]


def _suppression(source: PythonSource, path: str, comment: tokenize.TokenInfo, directive: Directive) -> Suppression:
    line, column = comment.start
    problem, extent = directive.problem, (line, line)
    if directive.is_file:
        extent = 1, len(source.lines)
    elif not source.lines[line - 1][:column].strip():
        problem = problem or _ALONE
    elif not problem:
        extent = covered_lines(source.tree, source.lines, line)
    return Suppression(
        path=path,
        line=line,
        column=column + directive.start + 1,
        codes=directive.codes,
        reason=directive.reason,
        first_line=extent[0],
        last_line=extent[1],
        is_file=directive.is_file,
        end_column=column + directive.end + 1,
        problem=problem,
    )
