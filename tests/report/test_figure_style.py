from __future__ import annotations

import subprocess
import sys

import matplotlib as mpl
import pytest
from matplotlib import style
from matplotlib.figure import Figure

from rfcheck.report.figure_style import add_title, decorate, figure_bytes, new_figure, plain_style, round_count, shortened


def drawn(text: str = "text") -> Figure:
    figure = new_figure(3, 2)
    panel = figure.subplots()
    panel.plot([1, 2], [3, 4])
    panel.fill_between([1, 2], [3, 4], hatch="//")
    panel.set_title(text)
    decorate(panel)
    return figure


@pytest.mark.parametrize(("ending", "start"), [("png", b"\x89PNG\r\n\x1a\n"), ("svg", b"<?xml"), ("pdf", b"%PDF-")])
def test_the_same_figure_gives_the_same_file(ending, start):
    first = figure_bytes(drawn(), ending)
    assert first.startswith(start)
    assert figure_bytes(drawn(), ending) == first
    assert figure_bytes(drawn("other"), ending) != first


def test_files_hold_no_date():
    assert b"<dc:date>" not in figure_bytes(drawn(), "svg")
    assert b"CreationDate" not in figure_bytes(drawn(), "pdf")


def test_letters_without_a_glyph_are_no_warning():
    assert figure_bytes(drawn("网络"), "png")


def test_the_style_of_other_figures_does_not_matter():
    wanted = figure_bytes(plain_style(drawn)(), "png")
    with style.context("dark_background"), mpl.rc_context({"font.size": 30}):
        assert figure_bytes(plain_style(drawn)(), "png") == wanted


def test_the_style_of_other_figures_is_left_alone():
    before = dict(mpl.rcParams)
    figure_bytes(plain_style(drawn)(), "svg")
    assert dict(mpl.rcParams) == before
    code = "import rfcheck.report.figure_style, sys; print('matplotlib.pyplot' in sys.modules, 'torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False False\n"


def test_a_notebook_shows_the_image():
    figure = drawn()
    assert figure._repr_png_() == (figure_bytes(figure, "png"), {"width": 300, "height": 200})


@pytest.mark.parametrize("text", ["a$b$_c at 32x32 px", "one (two=2, three=3) four-five " * 6, "ResNet" * 30])
def test_a_title_says_everything_within_the_figure(text):
    figure = drawn()
    add_title(figure, text)
    figure.canvas.draw()
    title, panel = (shown.get_window_extent() for shown in (figure._suptitle, figure.axes[0].title))
    assert figure.get_suptitle().replace("\n", " ").replace(" ", "") == text.replace(" ", "")
    assert title.x0 >= 0
    assert title.x1 <= figure.bbox.x1
    assert panel.y1 <= title.y0


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0"), (20, "20"), (1000, "1 k"), (1500, "1.5 k"), (2_000_000, "2 M"), (1.25e9, "1.25 G"), (100_000, "100 k")],
)
def test_counts_on_an_axis(count, text):
    assert round_count(count) == text


def test_shortened_names():
    assert shortened("a" * 26) == "a" * 26
    assert shortened("a" * 13 + "b" * 14) == "a" * 12 + "…" + "b" * 13
    assert shortened("features.denseblock1", 10) == "feat…lock1"
