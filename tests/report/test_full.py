from __future__ import annotations

from dataclasses import replace

import pytest
from torch import nn

from rfcheck import analyze
from rfcheck.report.full import describe, render
from rfcheck.report.next_steps import next_steps
from rfcheck.report.result import Failure, Result, Run, summary
from rfcheck.report.snapshot import snapshot_of
from rfcheck.report.view import View
from rfcheck.span import Span
from tests.report.runs import CLEAN as CLEAN_RUN
from tests.report.runs import EMPTY, FULL, NET, STEM


def results(*models: nn.Module) -> tuple[Result, ...]:
    analyses = [analyze(model, 8) for model in models]
    return tuple(Result(f"m.py:{i}", "m.py", 1, snapshot_of(a), a.findings) for i, a in enumerate(analyses))


TAIL = nn.Sequential(*(nn.Conv2d(3, 3, 3, padding=1) for _ in range(7)))
CLEAN = nn.Sequential(*(nn.Conv2d(3, 3, 3, padding=1) for _ in range(4)))


@pytest.mark.parametrize(
    ("run", "text"),
    [
        (Run(results(CLEAN), ()), "No findings in 1 model."),
        (Run(results(CLEAN, CLEAN), ()), "No findings in 2 models."),
        (Run(results(TAIL, CLEAN), ()), "Found 1 finding in 2 models: 1 warning."),
        (Run(results(TAIL), (Failure("x", "y"),)), "Found 1 finding in 1 model: 1 warning, 1 target failed."),
    ],
)
def test_summaries(run, text):
    assert summary(run) == text


@pytest.mark.parametrize("width", [40, 80, 200])
def test_text_stays_within_the_terminal(width):
    text = render(Run(results(TAIL), ()), View(width=width))
    assert max(len(line) for line in text.splitlines()) <= width


def test_a_long_path_is_not_broken():
    target = f"{'models/' * 20}model.py:Net"
    assert render(Run((replace(NET, target=target),), ()), View(40)).startswith(f"{target} at 3x8x8\n")


def test_colour_for_a_terminal_only(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    run = Run(results(TAIL), ())
    assert "\x1b[31m█" in render(run, View(color=True))
    assert "\x1b" not in render(run, View())


def test_what_was_assumed_and_how_it_was_traced_is_said():
    class Reading(nn.Module):
        def forward(self, x):
            return x if x.sum().item() > 1 else x * 2

    lines = describe(snapshot_of(analyze(Reading(), 8)))
    assert "traced with a real forward pass on zeros, as the forward does not run on meta tensors" in lines


MODEL = """\
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = conv(3, 4)
        self.tail = nn.Sequential(
            conv(4, 4),
            conv(4, 4))
"""

WHOLE = """\
model.py:Net at 3x8x8
  6 judged layers, 3 unproductive, 3 of them in the tail; 2.20 k parameters,
  135 kFLOPs, 7.27 kB activations
  no unproductive layer from 19 px on; the last map sees up to 23 px

  RF101 unproductive-tail [warning] tail.2
    3 layers from tail.2 on cannot add context: their input already sees at
    least 11 px of the 8x8 image; they hold 55.0% of the parameters and 56.9% of
    the FLOPs
  RF101 unproductive-tail [warning] tail.3
    3 layers from tail.2 on cannot add context: their input already sees at
    least 11 px of the 8x8 image; they hold 55.0% of the parameters and 56.9% of
    the FLOPs
    --> model.py:9:13 (from :8, train.py:3)
    9 | conv(4, 4),
      | ^^^^^^^^^^
    fix: truncate-before: tail 3 -> 0, unproductive 3 -> 0, FLOPs 135 k ->
    58.2 k, parameters 2.20 k -> 990
    r/I ▁▃▇│███
            ^^

  RF201 aggressive-stem [error] stem
    the stem is too fast
    --> model.py:7:21
    7 | self.stem = conv(3, 4)
      |             ^^^^^^^^^^
    r/I ▁▃▇│███
        ^

  RF401 budget [info]
    100 % of 5 FLOPs: too much, by far

"""
SILENCED = """\
  suppressed
    RF201 aggressive-stem stem, in model.py:8: as in the paper

"""
CLEAN_MODEL = """\
zoo:clean at 3x8x8
  4 judged layers, 0 unproductive, 0 of them in the tail; 336 parameters,
  20.7 kFLOPs, 3.07 kB activations
  no unproductive layer from 7 px on; the last map sees up to 9 px

"""


@pytest.fixture
def everything(tmp_path, monkeypatch) -> Run:
    """A run whose places are in a real file."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.py").write_text(MODEL, encoding="utf-8")
    tail, budget = FULL.results[0].findings
    chain = (Span("model.py", 9, 13, 9, 23), Span("model.py", 8, 21, 10, 24), Span("train.py", 3))
    first, second = replace(tail, chain=chain), replace(tail, layer="tail.3", chain=chain)
    stem = replace(STEM, chain=(Span("model.py", 7, 21, 7, 31),))
    return Run((replace(FULL.results[0], findings=(first, second, stem, budget)), FULL.results[1]), ())


def test_findings_of_one_call_share_its_source(everything):
    text = render(everything, View())
    assert text.startswith(WHOLE + CLEAN_MODEL)
    assert text[len(WHOLE + CLEAN_MODEL) :].splitlines() == [summary(everything), *next_steps(everything)]


def test_the_same_code_is_shown_once_per_rule(everything):
    tail = everything.results[0].findings[0]
    again = replace(tail, layer="tail.4", chain=(tail.chain[0], Span("model.py", 4)))
    text = render(Run((replace(everything.results[0], findings=(tail, again)),), ()), View())
    assert text.count("    9 | conv(4, 4),\n") == 1
    assert [line for line in text.splitlines() if "-->" in line] == [
        "    --> model.py:9:13 (from :8, train.py:3)",
        "    --> model.py:9:13 (from :4)",
    ]


def test_what_is_suppressed_on_request(everything):
    assert render(everything, View(show_suppressed=True)).startswith(WHOLE + SILENCED + CLEAN_MODEL)
    assert "suppressed\n" not in render(everything, View())


def test_nothing_found():
    assert render(CLEAN_RUN, View()) == f"{CLEAN_MODEL}No findings in 1 model.\n"
    assert render(EMPTY, View()) == "No findings in 0 models.\n"


def test_markup_of_rich_in_names_and_messages_is_text():
    finding = replace(STEM, chain=(), layer="[red]x[/red]", message="[bold]y [/] z[")
    text = render(Run((replace(NET, target="[b]t", findings=(finding,)),), ()), View())
    assert text.startswith("[b]t at 3x8x8\n")
    assert "\n\n  RF201 aggressive-stem [error] [red]x[/red]\n    [bold]y [/] z[\n" in text


def test_tables_come_last():
    text = render(CLEAN_RUN, View(layers=True, explanations={"zoo:clean": "and this"}))
    head, table = text.split("No findings in 1 model.\n")
    assert head == CLEAN_MODEL
    assert table.startswith("\nzoo:clean\nlayer ")
    assert table.endswith("\nand this\n")
