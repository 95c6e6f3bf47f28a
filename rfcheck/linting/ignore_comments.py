"""Write comments that silence rules into the text of a Python file, without changing what the file does."""

from __future__ import annotations

import ast
import tokenize
from collections.abc import Iterable, Sequence

from rfcheck.linting.comments import suppressions_of
from rfcheck.linting.extents import covered_lines, statement_lines
from rfcheck.linting.python_source import NotPythonError, PythonSource, parse_python
from rfcheck.linting.suppression import Suppression, names_rule
from rfcheck.span import Span

Wanted = tuple[Span, str, str]
"""A piece of the file, and the code and the name of the rule to silence there."""

_NO_CODE = frozenset({tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER})
_TEMPLATES = (ast.JoinedStr, getattr(ast, "TemplateStr", ast.JoinedStr))
"""Strings that newer Python versions take apart; a comment inside them is none to older ones."""


def with_comments(data: bytes, wanted: Sequence[Wanted]) -> tuple[bytes, set[int]]:
    """Add comments to a file.

    Of the lines that can take a comment, the one is chosen whose comment covers least beside the wanted code, the first of several.
    Codes are added to a comment that is there already; encoding and line ends stay.

    Args:
        data: content of the file.
        wanted: what to silence.

    Returns:
        The new content, and the positions of what cannot be silenced, because no line there can take a comment.

    Raises:
        NotPythonError: if the file cannot be decoded and encoded again, or parsed.
    """
    source = parse_python(data)
    if source.text.encode(source.encoding) != data:
        raise NotPythonError(f"its {source.encoding} text does not survive reading and writing")
    present = suppressions_of(source, "")
    free = _free_lines(source)
    codes: dict[int, set[str]] = {}
    refused: set[int] = set()
    for index, (span, code, name) in enumerate(wanted):
        if any(s.covers(span) and any(names_rule(entry, code, name) for entry in s.entries) for s in present):
            continue
        line = _best_line(source, free, span)
        if line is None:
            refused.add(index)
        else:
            codes.setdefault(line, set()).add(code)
    lines = list(source.lines)
    for line, new in codes.items():
        lines[line - 1] = _with_codes(lines[line - 1], [s for s in present if s.line == line], sorted(new))
    text = "".join(line + end for line, end in zip(lines, [*source.line_ends, ""], strict=True))
    edited = text.encode(source.encoding)
    assert _code(parse_python(edited)) == _code(source)
    return edited, refused


def _code(source: PythonSource) -> list[tuple[int, str]]:
    return [(token.type, token.string) for token in source.tokens if token.type not in (tokenize.COMMENT, tokenize.NL)]


def _free_lines(source: PythonSource) -> frozenset[int]:
    """Lines with code behind which a comment may stand: they end neither in a string nor with a backslash."""
    ends = {token.start[0] for token in source.tokens if token.type in (tokenize.NL, tokenize.NEWLINE)}
    code = {token.end[0] for token in source.tokens if token.type not in _NO_CODE}
    inside = {line for node in ast.walk(source.tree) if isinstance(node, _TEMPLATES) for line in _all_but_last(node)}
    return frozenset((ends & code) - inside)


def _all_but_last(node: ast.expr) -> Iterable[int]:
    return range(node.lineno, node.end_lineno or node.lineno)


def _best_line(source: PythonSource, free: frozenset[int], span: Span) -> int | None:
    _, last = statement_lines(source.tree, source.lines, span.line)
    best: tuple[int, int] | None = None
    for line in range(span.line, last + 1):
        if line in free:
            first_covered, last_covered = covered_lines(source.tree, source.lines, line)
            if first_covered <= span.line and span.last_line <= last_covered:
                best = min(best or (last_covered - first_covered, line), (last_covered - first_covered, line))
    return None if best is None else best[1]


def _with_codes(line: str, present: Sequence[Suppression], codes: Sequence[str]) -> str:
    """A line with codes in its comment, in that of them that names codes already, or in a new one."""
    for suppression in present:
        if suppression.codes and not suppression.is_file:
            opening = line.index("[", suppression.column - 1)
            closing = line.index("]", opening)
            return f"{line[: opening + 1]}{', '.join([*suppression.codes, *codes])}{line[closing:]}"
    return f"{line.rstrip()}  # rfcheck: ignore[{', '.join(codes)}]"
