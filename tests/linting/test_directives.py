from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rfcheck.linting.directives import Directive, directives_in


def parsed(comment: str) -> list[tuple[tuple[str, ...], str, bool]]:
    found = list(directives_in(comment))
    assert not [directive.problem for directive in found if directive.problem]
    return [(directive.codes, directive.reason, directive.is_file) for directive in found]


@pytest.mark.parametrize(
    ("comment", "codes", "reason", "is_file"),
    [
        ("# rfcheck: ignore", (), "", False),
        ("#rfcheck:ignore", (), "", False),
        ("#  RFcheck : Ignore", (), "", False),
        ("# rfcheck: ignore[RF101]", ("RF101",), "", False),
        ("# rfcheck: ignore [RF101]", ("RF101",), "", False),
        ("# rfcheck: ignore[rf101, RF3,dead-taps ]", ("rf101", "RF3", "dead-taps"), "", False),
        ("# rfcheck: ignore[RF101 RF3]", ("RF101", "RF3"), "", False),
        ("# rfcheck: ignore[RF101,]", ("RF101",), "", False),
        ("# rfcheck: ignore[RF101, RF101]", ("RF101",), "", False),
        ("# rfcheck: ignore[RF101] weights are pre-trained", ("RF101",), "weights are pre-trained", False),
        ("# rfcheck: ignore[RF101]: weights are pre-trained", ("RF101",), "weights are pre-trained", False),
        ("# rfcheck: ignore[RF101] - see #12: a (long) story]", ("RF101",), "see #12: a (long) story]", False),
        ("# rfcheck: ignore for now", (), "for now", False),
        ("# rfcheck: ignore VGG16 as published", (), "VGG16 as published", False),
        ("# rfcheck: ignore-file", (), "", True),
        ("# rfcheck: ignore-file[RF3] generated", ("RF3",), "generated", True),
        ("# noqa: E501  # rfcheck: ignore[RF101] why", ("RF101",), "why", False),
        ("# rfcheck: ignore[RF101] why  # noqa: E501", ("RF101",), "why", False),
        ("# rfcheck: ignore[RF101] why #noqa: E501", ("RF101",), "why", False),
        ("# rfcheck: ignore[RF101] größer", ("RF101",), "größer", False),
    ],
)
def test_one_directive(comment, codes, reason, is_file):
    assert parsed(comment) == [(codes, reason, is_file)]


def test_several_directives_know_their_places():
    comment = "# noqa # rfcheck: ignore[RF101] one  # rfcheck: ignore-file[RF3] two"
    first, second = directives_in(comment)
    assert comment[first.start : first.end] == "# rfcheck: ignore[RF101] one"
    assert comment[second.start : second.end] == "# rfcheck: ignore-file[RF3] two"
    assert parsed(comment) == [(("RF101",), "one", False), (("RF3",), "two", True)]


@pytest.mark.parametrize(
    "comment",
    [
        "# plain",
        "# see rfcheck: it says",
        "# rfcheck finds this",
        "# rfchecker: ignore",
        "#",
        "# ignore[RF101]",
        "# xrfcheck: ignore",
    ],
)
def test_other_comments_are_left_alone(comment):
    assert list(directives_in(comment)) == []


CODES = "codes of rules go into brackets; write # rfcheck: ignore[RF101]"


@pytest.mark.parametrize(
    ("comment", "problem"),
    [
        ("# rfcheck: ingore", "'ingore' is nothing that a comment can ask for; did you mean ignore?"),
        ("# rfcheck: ignore_file", "'ignore_file' is nothing that a comment can ask for; did you mean ignore-file?"),
        ("# rfcheck: off", "'off' is nothing that a comment can ask for; there are ignore and ignore-file"),
        ("# rfcheck:", "it asks for nothing; there are ignore and ignore-file"),
        ("# rfcheck: [RF101]", "it asks for nothing; there are ignore and ignore-file"),
        ("# rfcheck: ignore[RF101", "the bracket is not closed; write # rfcheck: ignore[RF101]"),
        ("# rfcheck: ignore-file[RF101", "the bracket is not closed; write # rfcheck: ignore-file[RF101]"),
        ("# rfcheck: ignore[]", "the brackets are empty; name rules in them, or leave them out to silence all rules"),
        ("# rfcheck: ignore[ , ]", "the brackets are empty; name rules in them, or leave them out to silence all rules"),
        ("# rfcheck: ignore RF101", CODES),
        ("# rfcheck: ignore rf3", CODES),
        ("# rfcheck: ignore(RF101)", CODES),
        ("# rfcheck: ignore=RF101", CODES),
        ("# rfcheck: ignore: RF101", CODES),
        ("# rfcheck ignore[RF101]", "a colon is missing behind 'rfcheck'; write # rfcheck: ignore[RF101]"),
    ],
)
def test_what_is_written_wrongly_is_said(comment, problem):
    (directive,) = directives_in(comment)
    assert directive == Directive(0, len(comment), is_file="file[" in comment, problem=problem)


def test_a_wrong_directive_does_not_hide_the_next():
    wrong, right = directives_in("# rfcheck: ignore[RF101  # rfcheck: ignore[RF3]")
    assert wrong.problem == "the bracket is not closed; write # rfcheck: ignore[RF101]"
    assert (right.codes, right.problem) == (("RF3",), "")


code = st.from_regex(r"[A-Za-z0-9-]+", fullmatch=True)


@given(
    st.lists(code, unique=True),
    st.text(st.characters(codec="ascii", categories=["L"]), max_size=9),
    st.sampled_from(["ignore", "ignore-file"]),
)
def test_what_is_written_is_read(codes, reason, word):
    brackets = f"[{', '.join(codes)}]" if codes else ""
    assert parsed(f"# rfcheck: {word}{brackets} {reason}".rstrip()) == [(tuple(codes), reason, word == "ignore-file")]


@given(st.text(alphabet="#[]:, \trfcheckignoreRF301-\xa0é"))
def test_any_comment_is_read(text):
    comment = f"# {text}"
    for directive in directives_in(comment):
        assert comment[directive.start] == "#"
        assert directive.start < directive.end <= len(comment)
        assert not (directive.problem and directive.codes)
