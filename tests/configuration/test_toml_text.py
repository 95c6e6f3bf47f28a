"""Lines of keys: documents are written line by line, so that the test knows where each key was put."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rfcheck.configuration.toml_text import TomlError, line_of, parse_toml

VALUES = ["1", '"a"', "[1,\n 2, # two\n\n 3]", "'''\n[not.a.table]\nkey = 1\n'''", "{ x = 1, y.z = [2] }", '"""\\\n  b"""']
NOISE = ["", "# a = 1", "  # [t]"]
HEADS = ["[t]", "[t.u]", '["quoted . name"]', "[[rows]]", "[[rows]]", "[rows.inner]", "[[rows.deep]]", "[ spaced . name ] # x"]
PLACES = {"[t]": ("t",), "[t.u]": ("t", "u"), '["quoted . name"]': ("quoted . name",), "[ spaced . name ] # x": ("spaced", "name")}


@st.composite
def documents(draw):
    """Text, and the line of every key by its place."""
    lines: list[str] = []
    expected = {}
    rows, deep, used = -1, -1, set()
    for head in ["", *draw(st.lists(st.sampled_from(HEADS), max_size=6))]:
        if head == "[[rows]]":
            rows, deep, place = rows + 1, -1, ("rows", rows + 1)
        elif head == "[[rows.deep]]":
            deep, place = deep + 1, ("rows", rows, "deep", deep + 1)
        elif head == "[rows.inner]":
            place = ("rows", rows, "inner")
        else:
            place = PLACES.get(head, ())
        if place in used or (rows < 0 and "rows" in place):
            if head == "[[rows.deep]]":
                deep -= 1
            continue
        if head:
            used.add(place)
            lines.append(head)
            expected[place] = len(lines)
        for name in draw(st.lists(st.sampled_from(["a", "b.c", '"d e"', "resolution"]), unique=True)):
            lines += draw(st.lists(st.sampled_from(NOISE), max_size=2))
            value = draw(st.sampled_from(VALUES))
            lines += f"{name} = {value}".split("\n")
            keys = (*place, *(part.strip('"') for part in name.split(".")))
            expected[keys] = len(lines) - value.count("\n")
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    return newline.join(lines), expected


@given(documents())
def test_lines_of_all_keys(document):
    text, expected = document
    for keys, line in expected.items():
        assert line_of(text, keys) == line, keys


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (("a",), 1),
        (("a", "x"), 1),
        (("missing",), 1),
        (("tool", "rfcheck"), 4),
        (("tool", "rfcheck", "rules", "RF101", "min_layers"), 5),
        (("tool", "rfcheck", "rules", "RF101", "missing"), 4),
        (("tool", "rfcheck", "models", 1, "name"), 9),
        (("tool", "rfcheck", "models", 1, "missing"), 8),
    ],
)
def test_the_innermost_that_is_there(keys, line):
    text = (
        "a = {x = 1}\n\n# comment\n[tool.rfcheck.rules.RF101]\nmin_layers = 3\n[[tool.rfcheck.models]]\nname = 1\n"
        "[[tool.rfcheck.models]]\nname = 2\n"
    )
    assert line_of(text, keys) == line


def test_rows_in_a_list():
    assert line_of('x = 1\nmodels = [{target = "a"}, {target = "b"}]', ("models", 1, "target")) == 2


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a = 1\nb = \n", 2, "invalid value"),
        ("a = 1\na = 2", 2, "cannot overwrite a value"),
        ("a = [1,\n\n", 1, "invalid value"),
        ("a = " + "9" * 5000, None, "a number has too many digits"),
        ("a = " + "[" * 100_000, None, "values are nested too deeply"),
    ],
)
def test_what_is_not_toml(text, line, message):
    with pytest.raises(TomlError) as caught:
        parse_toml(text)
    assert str(caught.value).startswith(message)
    assert caught.value.line == line
