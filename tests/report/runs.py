"""Runs from real analyses, with the places, comments and baselines that the linter adds to them."""

from __future__ import annotations

from dataclasses import replace

from torch import nn

from rfcheck import Settings
from rfcheck.api import analyze_named
from rfcheck.linting.finding import Finding
from rfcheck.linting.suppression import Suppression
from rfcheck.report.result import Failure, Result, Run, Suppressed
from rfcheck.report.snapshot import snapshot_of
from rfcheck.span import Span


class Net(nn.Module):
    """A gate, a tail of three layers and a head."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.gate = nn.Conv2d(4, 4, 1)
        self.tail = nn.Sequential(*(nn.Conv2d(4, 4, 5, padding=2) for _ in range(5)))
        self.head = nn.Linear(4, 10)

    def forward(self, x):
        x = self.stem(x)
        x = x * self.gate(x.mean((2, 3), keepdim=True)).sigmoid()
        return self.head(self.tail(x).mean((2, 3)))


def chain_of(convolutions: int) -> nn.Sequential:
    return nn.Sequential(*(nn.Conv2d(3, 3, 3, padding=1) for _ in range(convolutions)))


def result_of(
    model: nn.Module, target: str = "model.py:Net", path: str | None = "model.py", line: int | None = 5, size=8
) -> Result:
    analysis = analyze_named(model, size, Settings(), target.rpartition(":")[2])
    return Result(target, path, line, snapshot_of(analysis), analysis.findings)


CALL = (Span("src/a b/ünï.py", 12, 9, 14, 2), Span("src/a b/ünï.py", 30, 5, 30, 20), Span("train.py", 7))
"""A call that spans lines, the call that led to it, and one of which only the line is known."""

NET = result_of(Net())
TAIL = replace(NET.findings[0], chain=())
"""The one finding about Net: a tail of three layers from tail.2 on; here without its place."""

PLACED = replace(TAIL, chain=CALL)
STEM = Finding("RF201", "aggressive-stem", "error", "the stem is too fast", "stem", chain=(Span("model.py", 8, 20, 8, 44),))
WHOLE = Finding("RF401", "budget", "info", "100 % of 5 FLOPs: too much,\nby far", None)
COMMENT = Suppression("model.py", 8, 46, ("RF201",), "as in the paper", 8, 8)

FULL = Run(
    (
        replace(NET, findings=(PLACED, WHOLE), suppressed=(Suppressed(STEM, COMMENT),), known=(replace(TAIL, layer="tail.3"),)),
        result_of(chain_of(4), "zoo:clean", None, None),
    ),
    (Failure("bad.py:Bad", "bad.py:Bad: building the model fails: 100 %"),),
)
"""Everything that a run can hold."""

CLEAN = Run((result_of(chain_of(4), "zoo:clean", None, None),), ())
EMPTY = Run((), ())
