"""What a comment asks of rfcheck: ``ignore``, ``ignore[RF101, RF3] reason``, ``ignore-file``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rfcheck.suggestions import did_you_mean

_KINDS = ("ignore", "ignore-file")
_START = re.compile(r"#\s*rfcheck\s*(?::|(?=\s+ignore\b))", re.IGNORECASE)
_OTHER_COMMENT = re.compile(r"\s#+(?=\s|[A-Za-z][\w-]*:)")
_WORD = re.compile(r"\s*(?P<word>[\w-]*)(?P<rest>.*)", re.DOTALL)
_BARE_CODE = re.compile(r"[A-Za-z]{2}\d{1,3}\b|[A-Za-z]{2,}\d{3}\b")


@dataclass(frozen=True, slots=True)
class Directive:
    """One request in a comment; a comment may hold several, each behind a ``#`` of its own.

    Attributes:
        start: where it begins in the comment, from 0.
        end: the character behind it.
        codes: what stands in brackets; empty without brackets.
        reason: what follows.
        is_file: whether it is about the whole file.
        problem: what is wrong with it, with the remedy; empty if nothing.
    """

    start: int
    end: int
    codes: tuple[str, ...] = ()
    reason: str = ""
    is_file: bool = False
    problem: str = ""


def directives_in(comment: str) -> Iterator[Directive]:
    """The requests in a comment, the wrong ones too.

    Args:
        comment: from its ``#`` to the end of the line.
    """
    starts = list(_START.finditer(comment))
    limits = [*(match.start() for match in starts), len(comment)][1:]
    for match, limit in zip(starts, limits, strict=True):
        other = _OTHER_COMMENT.search(comment, match.end(), limit)
        body = comment[match.end() : other.start() if other else limit].rstrip()
        start, end = match.start(), match.end() + len(body)
        if not match.group().endswith(":"):
            yield Directive(start, end, problem="a colon is missing behind 'rfcheck'; write # rfcheck: ignore[RF101]")
        else:
            yield _parsed(start, end, body)


def _parsed(start: int, end: int, body: str) -> Directive:
    parts = _WORD.fullmatch(body)
    assert parts is not None
    word, rest = parts["word"], parts["rest"]
    if word.lower() not in _KINDS:
        return Directive(start, end, problem=_unknown(word))
    is_file = word.lower() == "ignore-file"
    if rest.lstrip().startswith("["):
        inside, bracket, reason = rest.lstrip()[1:].partition("]")
        codes = tuple(dict.fromkeys(re.findall(r"[^\s,]+", inside)))
        problem = _problem_in_brackets(word, codes, closed=bool(bracket))
        return Directive(start, end, () if problem else codes, reason.lstrip(" \t:-").rstrip(), is_file, problem)
    if (rest and not rest[0].isspace()) or _BARE_CODE.match(rest.lstrip()):
        return Directive(start, end, problem=f"codes of rules go into brackets; write # rfcheck: {word.lower()}[RF101]")
    return Directive(start, end, (), rest.strip(), is_file)


def _unknown(word: str) -> str:
    hint = did_you_mean(word.lower(), _KINDS, f"there are {' and '.join(_KINDS)}")
    return f"{word!r} is nothing that a comment can ask for; {hint}" if word else f"it asks for nothing; {hint}"


def _problem_in_brackets(word: str, codes: tuple[str, ...], *, closed: bool) -> str:
    if not closed:
        return f"the bracket is not closed; write # rfcheck: {word.lower()}[RF101]"
    return "" if codes else "the brackets are empty; name rules in them, or leave them out to silence all rules"
