from __future__ import annotations

import io

import pytest
from rich.console import Console
from torch import nn

from rfcheck import analyze
from rfcheck.report.full import describe, print_full
from rfcheck.report.result import Failure, Result, Run, summary


def results(*models: nn.Module) -> tuple[Result, ...]:
    return tuple(Result(f"m.py:{i}", "m.py", 1, analyze(model, 8)) for i, model in enumerate(models))


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
    stream = io.StringIO()
    print_full(Run(results(TAIL), ()), Console(file=stream, width=width))
    assert max(len(line) for line in stream.getvalue().splitlines()) <= width


def test_colour_for_a_terminal_only():
    stream = io.StringIO()
    print_full(Run(results(TAIL), ()), Console(file=stream, force_terminal=True, color_system="standard"))
    assert "\x1b[31m█" in stream.getvalue()


def test_what_was_assumed_and_how_it_was_traced_is_said():
    class Reading(nn.Module):
        def forward(self, x):
            return x if x.sum().item() > 1 else x * 2

    lines = describe(analyze(Reading(), 8))
    assert "traced with a real forward pass on zeros, as the forward does not run on meta tensors" in lines
