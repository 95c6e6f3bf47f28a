from __future__ import annotations

from dataclasses import replace

import pytest

from rfcheck.linting.suppression import ALL, Suppression, names_rule
from rfcheck.span import Span

LINES_3_TO_5 = Suppression("a.py", 4, 7, ("RF101",), "", 3, 5, end_column=30)


@pytest.mark.parametrize(
    ("span", "covered"),
    [
        (Span("a.py", 3, 1, 5, 9), True),
        (Span("a.py", 4), True),
        (Span("a.py", 2, 1, 4, 1), False),
        (Span("a.py", 5, 1, 6, 1), False),
        (Span("a.py", 6), False),
    ],
)
def test_a_piece_must_lie_whole_in_the_covered_lines(span, covered):
    assert LINES_3_TO_5.covers(span) is covered


def test_a_file_is_covered_whole_even_if_it_has_grown_since():
    assert replace(LINES_3_TO_5, is_file=True).covers(Span("a.py", 99))


def test_a_comment_with_a_problem_silences_nothing():
    broken = replace(LINES_3_TO_5, problem="the bracket is not closed")
    assert not broken.covers(Span("a.py", 4))
    assert broken.entries == ()


def test_without_codes_it_names_all_rules():
    assert replace(LINES_3_TO_5, codes=()).entries == (ALL,)
    assert LINES_3_TO_5.entries == ("RF101",)
    assert names_rule(ALL, "RF101", "unproductive-tail")


@pytest.mark.parametrize(
    ("entry", "named"),
    [
        ("RF101", True),
        ("rf101", True),
        ("RF1", True),
        ("R", True),
        ("unproductive-tail", True),
        ("Unproductive-Tail", True),
        ("RF10", True),
        ("RF102", False),
        ("RF1011", False),
        ("unproductive", False),
        ("F101", False),
    ],
)
def test_codes_beginnings_of_codes_and_names(entry, named):
    assert names_rule(entry, "RF101", "unproductive-tail") is named


def test_the_comment_itself():
    assert LINES_3_TO_5.span == Span("a.py", 4, 7, 4, 30)
