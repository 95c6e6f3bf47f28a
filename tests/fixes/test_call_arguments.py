"""Calls with other arguments, against what Python binds when it runs them."""

from __future__ import annotations

import ast
import inspect
import io
import tokenize
from collections.abc import Sequence

import libcst as cst
import pytest
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from rfcheck.fixes.call_arguments import stars_in, with_argument

PARAMETERS = list(inspect.signature(nn.Conv2d).parameters)
REQUIRED = ("in_channels", "out_channels", "kernel_size")
SEPARATORS = (", ", ",", " , ", ",\n    ", ",  # more\n    ", ",\n\n    # before\n    ")
VALUES = ("3", "(3, 3)", "WIDTH * 2", "f(1, 2)", "-1", '"é"', "[\n  1\n]")


@st.composite
def calls(draw) -> str:
    """Calls of a convolution in all kinds of styles."""
    count = draw(st.integers(1, 6))
    named = [name for name in PARAMETERS[count:] if name in REQUIRED or draw(st.booleans())]
    draw(st.randoms(use_true_random=False)).shuffle(named)
    equal = draw(st.sampled_from(["=", " = "]))
    texts = [draw(st.sampled_from(VALUES)) for _ in range(count)]
    texts += [f"{name}{equal}{draw(st.sampled_from(VALUES))}" for name in named]
    start = draw(st.sampled_from(["", " ", "\n    ", "  # first\n    "]))
    end = draw(st.sampled_from(["", ",", "\n", ",\n", ",  # last\n", "  # last\n", " "]))
    return f"nn.Conv2d({start}{''.join(text + draw(st.sampled_from(SEPARATORS)) for text in texts[:-1])}{texts[-1]}{end})"


def bound(text: str) -> dict[str, str]:
    """The arguments of a call by parameter, as Python binds them."""
    call = ast.parse(text, mode="eval").body
    assert isinstance(call, ast.Call)
    named = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
    return dict(inspect.signature(nn.Conv2d).bind(*map(ast.unparse, call.args), **named).arguments)


def tokens(text: str, kinds: Sequence[int] = ()) -> list[str]:
    """The tokens of a text without line ends and commas, or those of some kinds."""
    skipped = (tokenize.NL, tokenize.NEWLINE, tokenize.ENDMARKER)
    found = [token for token in tokenize.generate_tokens(io.StringIO(text).readline) if token.type not in skipped]
    return [token.string for token in found if (token.type in kinds if kinds else token.string != ",")]


def changed(text: str, values: dict[str, object], parameters: Sequence[str] = PARAMETERS) -> str:
    call = cst.parse_expression(text)
    assert isinstance(call, cst.Call)
    for name, value in values.items():
        call = with_argument(call, parameters, name, value)
    return cst.Module([]).code_for_node(call)


@given(calls(), st.dictionaries(st.sampled_from(PARAMETERS[2:5]), st.sampled_from([1, (1, 2)]), min_size=1))
def test_python_binds_the_new_values_and_the_old_ones(text, values):
    new = changed(text, values)
    assert bound(new) == {**bound(text), **{name: repr(value) for name, value in values.items()}}
    assert tokens(new, [tokenize.COMMENT]) == tokens(text, [tokenize.COMMENT])


@given(calls(), st.sampled_from(PARAMETERS[2:5]))
def test_the_text_around_a_value_stays(text, name):
    node = ast.parse(text, mode="eval").body
    assert isinstance(node, ast.Call)
    values = {**dict(zip(PARAMETERS, node.args, strict=False)), **{keyword.arg: keyword.value for keyword in node.keywords}}
    if name in values:
        old = ast.get_source_segment(text, values[name])
        at = len("".join(text.splitlines(keepends=True)[: values[name].lineno - 1]).encode()) + values[name].col_offset
        head, tail = text.encode()[:at].decode(), text.encode()[at:].decode()
        assert changed(text, {name: 9}) == head + tail.replace(old, "9", 1)
    else:
        new = tokens(changed(text, {name: 9}))
        at = new.index(name)
        assert new[at : at + 3] == [name, "=", "9"]
        assert new[:at] + new[at + 3 :] == tokens(text)


@pytest.mark.parametrize(
    ("text", "new"),
    [
        ("P(2)", "P(2, stride=1)"),
        ("P( 2 )", "P( 2, stride=1 )"),
        ("P(kernel_size=2,)", "P(kernel_size=2, stride=1,)"),
        ("P(2, padding=1)", "P(2, padding=1, stride=1)"),
        ("P(2,padding=1)", "P(2,padding=1,stride=1)"),
        ("P(\n    2,\n)", "P(\n    2,\n    stride=1,\n)"),
        ("P(\n    2\n)", "P(\n    2,\n    stride=1\n)"),
        ("P(\n    2,\n    padding=1,\n)", "P(\n    2,\n    padding=1,\n    stride=1,\n)"),
        ("P(\n    2, padding=1\n)", "P(\n    2, padding=1, stride=1\n)"),
        ("P(2,\n  padding=1)", "P(2,\n  padding=1,\n  stride=1)"),
        ("P(\n    2,  # two\n    padding=1,  # one\n)", "P(\n    2,  # two\n    padding=1,  # one\n    stride=1,\n)"),
        ("P(\n    2  # two\n)", "P(\n    2,  # two\n    stride=1\n)"),
        ("P(2  # two\n)", "P(2,  # two\nstride=1\n)"),
        ("P(2, 2)", "P(2, 1)"),
        ("P(2, stride = f(2))", "P(2, stride = 1)"),
    ],
)  # fmt: skip
def test_one_more_argument_is_written_like_the_others(text, new):
    assert changed(text, {"stride": 1}, ["kernel_size", "stride", "padding"]) == new


@pytest.mark.parametrize(
    ("text", "stars"),
    [
        ("f(1, b=2)", ""),
        ("f()", ""),
        ("f(*sizes)", "*sizes"),
        ("f(1, *(2, 3), b=2, **dict(c=1))", "*(2, 3) and **dict(c=1)"),
        ("f(2 * a, 2 ** b)", ""),
    ],
)
def test_stars(text, stars):
    call = cst.parse_expression(text)
    assert isinstance(call, cst.Call)
    assert stars_in(call) == stars
