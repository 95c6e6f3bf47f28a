from __future__ import annotations

import ast
import codecs

import pytest

from rfcheck.linting.python_source import NotPythonError, parse_python


@pytest.mark.parametrize(
    ("data", "encoding", "text"),
    [
        (b"x = 1\r\ny = 2", "utf-8", "x = 1\r\ny = 2"),
        (codecs.BOM_UTF8 + "ä = 1\n".encode(), "utf-8-sig", "ä = 1\n"),
        ("# coding: latin-1\nä = 1\n".encode("latin-1"), "iso-8859-1", "# coding: latin-1\nä = 1\n"),
        (b"", "utf-8", ""),
    ],
)
def test_encodings(data, encoding, text):
    source = parse_python(data)
    assert (source.encoding, source.text) == (encoding, text)
    assert ast.dump(source.tree) == ast.dump(ast.parse(data))


def test_lines_are_those_of_python():
    text = "a = 1\x0c\r\nb = '''\r\x1c'''  # x\rc = '\u2028'\n"
    source = parse_python(text.encode())
    assert source.lines == ["a = 1\x0c", "b = '''", "\x1c'''  # x", "c = '\u2028'", ""]
    assert source.line_ends == ["\r\n", "\r", "\r", "\n"]
    assert [node.lineno for node in source.tree.body] == [1, 2, 4]
    assert [token.start for token in source.tokens if token.string == "# x"] == [(3, 6)]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"x = 1\ndef f(:\n", "it has a syntax error in line 2: "),
        (b"x = 1\n\xff\n", "it is not utf-8 text"),
        (b"# coding: nonsense\n", "it has a syntax error: unknown encoding: nonsense"),
        (b"x = '\0'", "it "),
        (b"-" * 100_000 + b"1", "it "),
    ],
    ids=["syntax", "encoding", "unknown encoding", "null byte", "too deep"],
)
def test_what_is_not_python(data, reason):
    with pytest.raises(NotPythonError) as caught:
        parse_python(data)
    assert str(caught.value).startswith(reason)


def test_odd_code_raises_no_warning():
    assert parse_python(b"x = '\\d' is 3\n").tree.body
