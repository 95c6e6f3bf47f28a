from __future__ import annotations

import ast
import codecs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rfcheck.linting.comments import suppressions_of
from rfcheck.linting.ignore_comments import with_comments
from rfcheck.linting.python_source import NotPythonError, parse_python
from rfcheck.span import Span
from tests.linting.random_python import programs


def edited(code: str, *spans: tuple[int, int], rule: str = "RF101") -> str:
    text, refused = with_comments(code.encode(), [(Span("a.py", *span), rule, "some-name") for span in spans_of(spans)])
    assert not refused
    return text.decode()


def spans_of(lines: tuple[tuple[int, int], ...]) -> list[tuple[int, int, int, int]]:
    return [(first, 1, last, 2) for first, last in lines]


# The first text is edited, with a comment for the lines behind it; the second is what comes out.
CASES = {
    "one line": ("x = f(1)\n", [(1, 1)], "x = f(1)  # rfcheck: ignore[RF101]\n"),
    "no final line break": ("x = f(1)", [(1, 1)], "x = f(1)  # rfcheck: ignore[RF101]"),
    "CRLF": ("x = f(1)\r\ny = 2\r\n", [(1, 1)], "x = f(1)  # rfcheck: ignore[RF101]\r\ny = 2\r\n"),
    "CR": ("x = f(1)\ry = 2\r", [(1, 1)], "x = f(1)  # rfcheck: ignore[RF101]\ry = 2\r"),
    "trailing spaces": ("x = f(1)  \t\n", [(1, 1)], "x = f(1)  # rfcheck: ignore[RF101]\n"),
    "another comment": ("x = f(1) # noqa: E501\n", [(1, 1)], "x = f(1) # noqa: E501  # rfcheck: ignore[RF101]\n"),
    "codes there": (
        "x = f(1)  # noqa  # rfcheck: ignore[RF3, dead-taps] why  # more\n",
        [(1, 1)],
        "x = f(1)  # noqa  # rfcheck: ignore[RF3, dead-taps, RF101] why  # more\n",
    ),
    "silenced there": ("x = f(1)  # rfcheck: ignore[RF1]\n", [(1, 1)], "x = f(1)  # rfcheck: ignore[RF1]\n"),
    "all silenced there": ("x = f(1)  # rfcheck: ignore\n", [(1, 1)], "x = f(1)  # rfcheck: ignore\n"),
    "silenced by name": ("x = f(1)  # rfcheck: ignore[some-name]\n", [(1, 1)], "x = f(1)  # rfcheck: ignore[some-name]\n"),
    "silenced in the class": (
        "class A:  # rfcheck: ignore[RF101]\n    x = f(1)\n",
        [(2, 2)],
        "class A:  # rfcheck: ignore[RF101]\n    x = f(1)\n",
    ),
    "a broken comment there": (
        "x = f(1)  # rfcheck: ignore[RF101\n",
        [(1, 1)],
        "x = f(1)  # rfcheck: ignore[RF101  # rfcheck: ignore[RF101]\n",
    ),
    "a comment for the file there": (
        "x = f(1)  # rfcheck: ignore-file[RF3] why\n",
        [(1, 1)],
        "x = f(1)  # rfcheck: ignore-file[RF3] why  # rfcheck: ignore[RF101]\n",
    ),
    "several lines": ("x = f(\n    1,\n)\n", [(1, 3)], "x = f(  # rfcheck: ignore[RF101]\n    1,\n)\n"),
    "twice on a line": ("x = f(1), f(2)\n", [(1, 1), (1, 1)], "x = f(1), f(2)  # rfcheck: ignore[RF101]\n"),
    "an element": ("x = g(\n    f(1),\n    f(2),\n)\n", [(3, 3)], "x = g(\n    f(1),\n    f(2),  # rfcheck: ignore[RF101]\n)\n"),
    "a long element on the first line": (
        "x = g(f(1,\n        2),\n    f(2),\n)\n",
        [(1, 2)],
        "x = g(f(1,\n        2),  # rfcheck: ignore[RF101]\n    f(2),\n)\n",
    ),
    "backslash": ("x = f(1) + \\\n    f(2)\n", [(1, 1)], "x = f(1) + \\\n    f(2)  # rfcheck: ignore[RF101]\n"),
    "backslash before an empty line": ("x = f(1, \\\n\n    2)\n", [(1, 3)], "x = f(1, \\\n\n    2)  # rfcheck: ignore[RF101]\n"),
    "a long string": ('x = f("""\n  # no\n""")\n', [(1, 3)], 'x = f("""\n  # no\n""")  # rfcheck: ignore[RF101]\n'),
    "a long formatted string": (
        'x = f(f"""{\n  g(1)\n}""")\n',
        [(1, 3)],
        'x = f(f"""{\n  g(1)\n}""")  # rfcheck: ignore[RF101]\n',
    ),
    "statements on one line": ("x = 1; y = f(1)\n", [(1, 1)], "x = 1; y = f(1)  # rfcheck: ignore[RF101]\n"),
    "a class": ("class A(\n    B,\n):\n    x = 1\n", [(1, 1)], "class A(  # rfcheck: ignore[RF101]\n    B,\n):\n    x = 1\n"),
    "tabs": ("if x:\n\ty = f(1)\n", [(2, 2)], "if x:\n\ty = f(1)  # rfcheck: ignore[RF101]\n"),
}


@pytest.mark.parametrize(("code", "spans", "expected"), CASES.values(), ids=CASES)
def test_where_comments_go(code, spans, expected):
    assert edited(code, *spans) == expected


def test_several_rules_share_a_comment():
    wanted = [(Span("a.py", 1), code, "name") for code in ("RF301", "RF101", "RF301")]
    assert with_comments(b"x = f(1)\n", wanted) == (b"x = f(1)  # rfcheck: ignore[RF101, RF301]\n", set())


@pytest.mark.parametrize(
    "data",
    [
        codecs.BOM_UTF8 + "größe = f(1)\n".encode(),
        "# coding: latin-1\ngröße = f(1)\n".encode("latin-1"),
        "# coding: shift_jis\nテスト = f('表')\n".encode("shift_jis"),
    ],
    ids=["byte order mark", "latin-1", "shift_jis"],
)
def test_encodings_stay(data):
    line = data.count(b"\n")
    assert with_comments(data, [(Span("a.py", line), "RF101", "name")]) == (
        data[:-1] + b"  # rfcheck: ignore[RF101]\n",
        set(),
    )


def test_a_very_long_expression():
    lines = [f"    f({n}) +" for n in range(2000)]
    code = "\n".join(["x = (", *lines, "    1", ")", ""])
    assert edited(code, (1000, 1000)).split("\n")[999] == "    f(998) +  # rfcheck: ignore[RF101]"


def test_what_cannot_be_encoded_again_is_left_alone():
    data = b"# coding: utf-7\nx = f(1)  # +AGE-\n"  # an "a" that utf-7 need not write like this
    with pytest.raises(NotPythonError) as caught:
        with_comments(data, [(Span("a.py", 2), "RF101", "name")])
    assert str(caught.value) == "its utf-7 text does not survive reading and writing"


def test_lines_that_take_no_comment_are_named():
    code = b"if f(1) \\\n  :\n    x = f(1)\n"
    wanted = [(Span("a.py", 3), "RF101", "name"), (Span("a.py", 1), "RF101", "name"), (Span("a.py", 99), "RF101", "name")]
    assert with_comments(code, wanted) == (b"if f(1) \\\n  :\n    x = f(1)  # rfcheck: ignore[RF101]\n", {1, 2})


def places_in(tree: ast.Module) -> list[tuple[Span, ast.stmt]]:
    """Every call with its innermost statement, and every class and function by the line of its name."""
    found: list[tuple[Span, ast.stmt]] = []

    def visit(node: ast.AST, statement: ast.stmt | None) -> None:
        statement = node if isinstance(node, ast.stmt) else statement
        if isinstance(node, ast.Call):
            found.append((Span("a.py", node.lineno, node.col_offset + 1, node.end_lineno, node.end_col_offset + 1), statement))
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            found.append((Span("a.py", node.lineno), node))
        for child in ast.iter_child_nodes(node):
            visit(child, statement)

    visit(tree, None)
    return found


def silenced(data: bytes, places: list[tuple[Span, ast.stmt]]) -> set[int]:
    comments = suppressions_of(parse_python(data), "a.py")
    return {i for i, (span, _) in enumerate(places) for s in comments if s.covers(span) and "RF101" in s.codes}


def check_any_file(code: str, data: st.DataObject, line_end: str, encoding: str, lines_only: bool) -> None:
    before = f"# coding: {encoding.removesuffix('-sig')}\n{code}".replace("\n", line_end).encode(encoding)
    tree = ast.parse(before)
    places = [(Span(*span[:2]) if lines_only else span, statement) for span, statement in places_in(tree)]
    chosen = data.draw(st.sets(st.integers(0, len(places) - 1), max_size=4)) if places else set()
    wanted = [(places[i][0], "RF101", "name") for i in sorted(chosen)]
    after, refused = with_comments(before, wanted)

    assert not refused
    assert ast.dump(ast.parse(after), include_attributes=True) == ast.dump(tree, include_attributes=True)
    lines = zip(before.decode(encoding).split(line_end), after.decode(encoding).split(line_end), strict=True)
    assert all(new.startswith(old.rstrip().partition("]")[0]) for old, new in lines)
    assert with_comments(after, wanted) == (after, set())
    now = silenced(after, places)
    assert chosen <= now
    for extra in now - chosen:
        assert any(share_lines(places[extra][1], places[i][1]) for i in chosen), places[extra]
    for comment in suppressions_of(parse_python(after), "a.py"):
        assert "RF101" not in comment.codes or any(comment.covers(places[i][0]) for i in chosen)


def share_lines(one: ast.stmt, other: ast.stmt) -> bool:
    return one.lineno <= other.end_lineno and other.lineno <= one.end_lineno


files = (
    programs,
    st.data(),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(["utf-8", "utf-8-sig", "latin-1"]),
    st.booleans(),  # Python 3.10 knows the first line of a call only
)


@settings(max_examples=40, deadline=None)
@given(*files)
def test_any_file_keeps_its_meaning_and_exactly_what_is_wanted_is_silenced(code, data, line_end, encoding, lines_only):
    check_any_file(code, data, line_end, encoding, lines_only)


@pytest.mark.slow
@settings(max_examples=1500, deadline=None)
@given(*files)
def test_many_files(code, data, line_end, encoding, lines_only):
    check_any_file(code, data, line_end, encoding, lines_only)
