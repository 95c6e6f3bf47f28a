from __future__ import annotations

import pytest
from rich.text import Text

from rfcheck.report.tables import plain_table
from rfcheck.report.terminal import Name, console_for, print_table, print_wrapped, text_of
from rfcheck.report.view import View


@pytest.fixture(autouse=True)
def _terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("NO_COLOR", "FORCE_COLOR", "COLORTERM", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)


def test_the_width_of_the_view_wraps():
    console = console_for(View(width=10))
    console.print("one two three")
    assert text_of(console) == "one two \nthree\n"


def test_colour_on_request():
    plain, coloured = console_for(View()), console_for(View(color=True))
    for console in (plain, coloured):
        console.print(Text("red", style="red"))
    assert (text_of(plain), text_of(coloured)) == ("red\n", "\x1b[31mred\x1b[0m\n")


@pytest.mark.parametrize("view", [View(), View(color=True)])
def test_numbers_and_names_get_no_colours_of_their_own(view):
    console = console_for(view)
    console.print("layer4.0 at 224, True, 'text'")
    assert text_of(console) == "layer4.0 at 224, True, 'text'\n"


def test_the_environment_makes_no_colour_where_none_is_asked_for(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    console = console_for(View())
    console.print(Text("red", style="red"))
    assert text_of(console) == "red\n"


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        (80, ["layer            FLOPs         r_in", "-", "layer4.0.conv1  34.7 M  3x7x7-61x61"]),
        (33, ["layer          FLOPs         r_in", "-", "layer4.0.     34.7 M  3x7x7-61x61", "  conv1                          "]),
        (10, ["layer          FLOPs         r_in", "-", "layer4.0.     34.7 M  3x7x7-61x61", "  conv1                          "]),
    ],
)
def test_numbers_are_never_cut_and_names_only_behind_dots(width, lines):
    table = plain_table(("layer", "left"), ("FLOPs", "right"), ("r_in", "right"))
    table.add_row(Name("layer4.0.conv1"), "34.7 M", "3x7x7-61x61")
    console = console_for(View(width=width))
    print_table(table, console)
    shown = text_of(console).splitlines()
    assert [line if set(line) != {"\u2500"} else "-" for line in shown] == lines


@pytest.mark.parametrize(
    ("text", "parts", "least"),
    [
        ("conv", ["conv"], 4),
        ("layer1.0.conv1", ["layer1.", "0.", "conv1"], 7),
        ("layer1/max_pool2d:2", ["layer1/", "max_pool2d:2"], 14),
        ("a ... b (3)", ["a ", ".", ".", ". ", "b ", "(3)"], 5),
        ("", [], 0),
    ],
)
def test_parts_of_names(text, parts, least):
    name = Name(text)
    assert "".join(name.parts) == text
    assert name.least == least
    assert str(name) == text


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("layer1.0.conv1", 14, ["layer1.0.conv1"]),
        ("layer1.0.conv1", 10, ["layer1.0.", "  conv1"]),
        ("layer1.0.conv1", 7, ["layer1.", "  0.", "  conv1"]),
        ("no difference shown", 13, ["no difference", "  shown"]),
        ("classes 10, rules.RF101.min_layers 5", 26, ["classes 10,", "  rules.RF101.min_layers 5"]),
    ],
)
def test_names_in_lines(text, width, lines):
    assert Name(text).lines(width) == lines


def test_numbers_keep_their_units():
    console = console_for(View(width=40))
    print_wrapped("it holds 11.2 M parameters and takes all 37.0 MFLOPs of 485 kB, from 35 px on", console)
    assert text_of(console).splitlines() == [
        "it holds 11.2 M parameters and takes all",
        "37.0 MFLOPs of 485 kB, from 35 px on",
    ]
    console = console_for(View(width=40))
    print_wrapped("parameters and FLOPs of all layers 11.2 M and no more", console)
    assert text_of(console).splitlines() == ["parameters and FLOPs of all layers", "11.2 M and no more"]
