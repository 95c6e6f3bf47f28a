from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field

import pytest

from rfcheck.printable import printable, printable_code, printable_json, printable_lines, printable_parts, printable_xml

KEPT = "Größe 中文 résumé é e\u0301 👩\u200d💻 می\u200cخواهم a\u00a0b \\n %0A <b> a::error x[:, ::2, ::k] ## [a] #[b]"
"""Any writing, joiners inside words and pictures among it, and what only looks like an escape."""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\n::error::b", r"a\n::error::b"),
        ("a\r\nb\tc", r"a\r\nb\tc"),
        ("\x1b[31mred\x07\x00", r"\x1b[31mred\x07\x00"),
        ("::error::a", r"\x3a:error::a"),
        ("  ::add-mask::a ::b", r"  \x3a:add-mask::a \x3a:b"),
        ("a ::add-mask::b", r"a \x3a:add-mask::b"),
        ("a/::warning file=b::c and ::notice", r"a/\x3a:warning file=b::c and \x3a:notice"),
        ("a ##[error]b ##vso[task.c]d ##teamcity[e]", r"a \x23#[error]b \x23#vso[task.c]d \x23#teamcity[e]"),
        ("###[group]", r"#\x23#[group]"),
        ("\x7f\x9b31m\x85", r"\u007f\u009b31m\u0085"),
        ("\u2028\u2029", r"\u2028\u2029"),
        ("\u202egpj.exe\u2066\u200f\u061c", r"\u202egpj.exe\u2066\u200f\u061c"),
        ("\ufeff\udcff\uffff", r"\ufeff\udcff\uffff"),
    ],
)
def test_controls_are_escapes(text, shown):
    assert printable(text) == shown


def test_everything_else_stays():
    assert printable(KEPT) == KEPT
    assert printable_json(KEPT) == KEPT


def test_lines_stay_lines():
    assert printable_lines("a\n::error::\x1b[0m\n") == "a\n\\x3a:error::\\x1b[0m\n"


@pytest.mark.parametrize("line", ["\tx = y[::2]  # größe\r\n", "x\u2028\x0c\n", "", "    x[\n", "a::b\n", "# ## [a]"])
def test_code_stays_as_it_is(line):
    assert printable_code(line) == line


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("  ::error::a\r\n", "  \\x3a:error::a\r\n"),
        ("# ##[error]a", r"# \x23#[error]a"),
        ("'\x1b[0m' + '\u202e'\n", "'\\x1b[0m' + '\\u202e'\n"),
        ("a\rb\n", "a\\rb\n"),
    ],
)
def test_code_that_would_be_obeyed_is_shown_with_escapes(line, shown):
    assert printable_code(line) == shown


def test_a_document_means_the_same():
    document = {"name": "".join(map(chr, (*range(0x20, 0xA0), 0x2028, 0x202E, 0xFEFF, 0x1F600))) + KEPT, "##[a]": "##vso[b]"}
    written = json.dumps(document, ensure_ascii=False, indent=2)
    shown = printable_json(written)
    assert json.loads(shown) == document
    assert shown.count("\n") == written.count("\n")
    assert not any(obeyed in shown for obeyed in ("\x7f", "\x9b", "\u2028", "\u202e", "\ufeff", "##[", "##v"))


def test_a_document_of_tags_means_the_same():
    written = "<a>\n  <b c='##[d]'>e\n::error::f\n\ng ##vso[h]</b>\n</a>\n"
    shown = printable_xml(written)
    assert shown == "<a>\n  <b c='&#35;#[d]'>e&#10;::error::f&#10;&#10;g &#35;#vso[h]</b>\n</a>\n"
    assert ET.fromstring(shown)[0].text == ET.fromstring(written)[0].text


@dataclass(frozen=True)
class Thing:
    name: str
    parts: tuple[object, ...]
    table: dict[str, list[str]]
    made: str = field(init=False, default="x")


def test_texts_at_any_depth():
    thing = Thing("a\n", (1, "b\x1b", None), {"c\r": ["d\x00"]})
    shown = printable_parts(thing)
    assert shown == Thing(r"a\n", (1, r"b\x1b", None), {r"c\r": [r"d\x00"]})
    assert thing.name == "a\n"


def test_nothing_is_copied_where_nothing_changes():
    thing = Thing("a", (1, "b", Thing("c", (), {})), {"d": ["e"]})
    assert printable_parts(thing) is thing
