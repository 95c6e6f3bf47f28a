from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from rfcheck.report.markdown_text import code, code_cell, plain

READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
"""A reader of GitHub's dialect that owes nothing to the writer."""

NASTY = [
    "a|b",
    "`x`",
    "``",
    "a`b``c",
    "<b>bold</b>",
    "&lt;",
    "*x* _y_ __z__ ~~s~~",
    "[a](b)",
    "![i](j)",
    r"\|",
    "\\",
    "one\ntwo",
    "$x$",
]


def text_in(cell: str) -> tuple[str, list[str]]:
    """What a reader shows of the first cell of a table, and the kinds of markup that it sees there."""
    tokens = READER.parse(f"| head | next |\n| --- | --- |\n| {cell} | other |\n")
    cells = [token for i, token in enumerate(tokens) if token.type == "inline" and tokens[i - 1].type == "td_open"]
    assert len(cells) == 2, cell
    assert cells[1].content == "other"
    children = cells[0].children
    return "".join(child.content for child in children), sorted({child.type for child in children} - {"text"})


@pytest.mark.parametrize("text", NASTY)
def test_text_in_a_cell(text):
    shown, markup = text_in(plain(text))
    assert shown == " ".join(text.split())
    assert set(markup) <= {"text_special"}


@pytest.mark.parametrize("text", NASTY)
def test_code_in_a_cell(text):
    assert text_in(code_cell(text)) == (" ".join(text.split()), ["code_inline"])


PIECES = st.text(st.sampled_from("ab|`\\*_<>&[]()~!# \n$.-"), min_size=1).filter(str.strip)


@given(PIECES)
def test_any_text_in_a_cell(text):
    shown, markup = text_in(plain(text))
    assert shown == " ".join(text.split())
    assert set(markup) <= {"text_special"}


@given(PIECES)
def test_any_code_in_a_cell(text):
    assert text_in(code_cell(text)) == (" ".join(text.split()), ["code_inline"])


@given(PIECES)
def test_any_code_in_a_heading(text):
    tokens = READER.parse(f"### {code(text)} at 3x32x32\n")
    (inline,) = (token for token in tokens if token.type == "inline")
    assert [(child.type, child.content) for child in inline.children] == [
        ("code_inline", " ".join(text.split())),
        ("text", " at 3x32x32"),
    ]
