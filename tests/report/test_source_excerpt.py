from __future__ import annotations

import io
import unicodedata
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console

from rfcheck.report.source_excerpt import excerpt, print_source
from rfcheck.span import Span


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def file(text: str | bytes, name: str = "model.py") -> str:
        (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
        return name

    return file


def printed(chain: tuple[Span, ...], *, with_code: bool = True) -> list[str]:
    stream = io.StringIO()
    print_source(chain, Console(file=stream, width=60, highlight=False), "  ", with_code=with_code)
    return stream.getvalue().splitlines()


@pytest.mark.parametrize(
    ("line", "columns", "shown", "carets"),
    [
        ("x = nn.Conv2d(3, 4, 3)", (5, 23), "x = nn.Conv2d(3, 4, 3)", "    ^^^^^^^^^^^^^^^^^^"),
        ("        x = f(1)  # why", (13, 17), "x = f(1)  # why", "    ^^^^"),
        ("\tx = f(1)\t# why", (6, 10), "x = f(1)    # why", "    ^^^^"),
        ("\tx\t= f(\t1)", (6, 11), "x   = f(    1)", "      ^^^^^^^^"),
        ("名 = f(1)", (5, 9), "名 = f(1)", "     ^^^^"),
        ("x = f('名前')", (5, 12), "x = f('名前')", "    ^^^^^^^^^"),
        ("e\u0301 = f(1)", (6, 10), "e\u0301 = f(1)", "    ^^^^"),
        ("    x = f(1)   ", (None, None), "x = f(1)", "^^^^^^^^"),
        ("    x = f(1)", (9, None), "x = f(1)", "    ^^^^"),
        ("x = f(1)", (30, 33), "x = f(1)", "        ^"),
        ("x = f(1)", (5, 5), "x = f(1)", "    ^"),
        ("    x = f(1)", (1, 6), "x = f(1)", "^"),
    ],
)
def test_carets_stand_below_the_code(write, line, columns, shown, carets):
    span = Span(write(f"first\n{line}\nthird\n"), 2, columns[0], 2, columns[1])
    assert excerpt(span, 60) == [f"2 | {shown}", f"  | {carets}"]


def test_of_a_call_over_several_lines_the_first_is_shown(write):
    span = Span(write("x = nn.Sequential(\n    a,\n    b)\n"), 1, 5, 3, 7)
    assert excerpt(span, 60) == ["1 | x = nn.Sequential(", "  |     ^^^^^^^^^^^^^^"]


def test_line_numbers_of_any_length(write):
    span = Span(write("\n" * 12345 + "f(x)\n"), 12346, 1, 12346, 5)
    assert excerpt(span, 60) == ["12346 | f(x)", "      | ^^^^"]


LONG = "abcdefghij" * 3 + " = conv(3, 4) + klmnopqrst" + "uvwxyz" * 3


@pytest.mark.parametrize(
    ("width", "columns", "shown", "carets"),
    [
        (80, (34, 44), LONG, " " * 33 + "^" * 10),
        (44, (1, 31), f"{LONG[:39]}…", "^" * 30),
        (44, (34, 44), "…fghijabcdefghijabcdefghij = conv(3, 4)…", " " * 29 + "^" * 10),
        (34, (34, 44), "…fghijabcdefghij = conv(3, 4)…", " " * 19 + "^" * 10),
        (24, (34, 75), "…fghij = conv(3, 4)…", " " * 9 + "^" * 11),
        (5, (34, 44), "…fghij = conv(3, 4)…", " " * 9 + "^" * 10),
    ],
)
def test_long_lines_are_cut_around_the_carets(write, width, columns, shown, carets):
    span = Span(write(LONG), 1, columns[0], 1, columns[1])
    assert excerpt(span, width) == [f"1 | {shown}", f"  | {carets}"]


def columns_of(text: str) -> dict[int, str]:
    """The character that begins at each column of a terminal."""
    at, column = {}, 0
    for character in text:
        if not unicodedata.combining(character):
            at[column] = character
            column += 2 if unicodedata.east_asian_width(character) in "WF" else 1
    return at


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
def test_any_line_at_any_width(write, data):
    """The first caret stands below the first marked character, and nothing leaves the width."""
    line = data.draw(st.text("ab(=\t 名前é", min_size=1, max_size=90).filter(lambda text: not text[0].isspace()))
    start = data.draw(st.integers(0, len(line) - 1).filter(lambda i: not line[i].isspace()))
    end = data.draw(st.integers(start + 1, len(line)))
    width = data.draw(st.integers(24, 110))
    shown, carets = excerpt(Span(write(line), 1, start + 1, 1, end + 1), width)
    assert columns_of(shown)[carets.index("^")] == line[start]
    assert max(columns_of(shown)) < width
    assert len(carets) <= width
    assert set(carets[4:].lstrip()) == {"^"}
    if line[start : start + 3].isalpha() and start + 3 <= end:
        assert carets.count("^") >= 3


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("gone.py", None, 1),
        ("model.py", "one line\n", 7),
        ("model.py", "\n   \n", 2),
        ("model.py", b"x = '\xff'\n", 1),
        ("code.py", None, 1),  # not the module of this name that Python itself has
    ],
)
def test_what_cannot_be_read_is_left_out(write, name, content, line):
    if content is not None:
        write(content, name)
    assert excerpt(Span(name, line, 1, line, 3), 60) == []
    assert printed((Span(name, line, 1, line, 3), Span(name, line))) == [f"  --> {name}:{line}:1 (from :{line})"]


def test_a_file_in_another_encoding(write):
    assert excerpt(Span(write("# coding: latin-1\nä = f(1)\n".encode("latin-1")), 2, 5, 2, 9), 60) == [
        "2 | ä = f(1)",
        "  |     ^^^^",
    ]


def test_windows_line_ends_and_form_feeds(write):
    assert excerpt(Span(write("a\r\n\x0cb = f(1)\r\n"), 2, 6, 2, 10), 60) == ["2 | b = f(1)", "  |     ^^^^"]


def test_a_file_that_has_changed_is_read_again(write):
    span = Span(write("f(1)\n"), 1, 1, 1, 5)
    assert excerpt(span, 60)[0] == "1 | f(1)"
    write("g(22)\n")
    assert excerpt(span, 60)[0] == "1 | g(22)"


SOURCE = "def block():\n\treturn conv(3,\n\t\t4)\n\nnet = Net(\n    block())\n"


def test_where_a_call_stands_and_what_led_to_it(write):
    name = write(SOURCE, "ünï model.py")
    chain = (Span(name, 2, 9, 3, 5), Span(name, 6, 5, 6, 12), Span("train.py", 5, 7, 6, 13))
    place = "  --> ünï model.py:2:9 (from :6, train.py:5)"
    assert printed(chain) == [place, "  2 | return conv(3,", "    |        ^^^^^^^"]
    assert printed(chain, with_code=False) == [place]
    assert printed((Span(name, 5),)) == ["  --> ünï model.py:5", "  5 | net = Net(", "    | ^^^^^^^^^^"]


@pytest.mark.parametrize(("calls", "shown"), [(4, ":1, :1, :1"), (5, ":1, :1, :1, 1 more"), (8, ":1, :1, :1, 4 more")])
def test_of_many_calls_the_inner_ones(write, calls, shown):
    assert printed((Span(write(SOURCE), 1),) * calls)[0] == f"  --> model.py:1 (from {shown})"


def test_an_absolute_path(write, tmp_path):
    write(SOURCE)
    assert excerpt(Span(str(Path(tmp_path) / "model.py"), 5, 7, 5, 10), 60) == ["5 | net = Net(", "  |       ^^^"]
