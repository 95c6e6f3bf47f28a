from __future__ import annotations

import io
import re
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console
from torch import nn

from rfcheck import Analysis, analyze
from rfcheck.fixes.fix import Fix, Plan, Prediction, Skipped
from rfcheck.fixes.outcome import Outcome
from rfcheck.fixes.proposing import Proposals
from rfcheck.fixes.recommending import Recommendation, recommend
from rfcheck.fixes.snippet import NOTHING
from rfcheck.report.fixes_table import print_fixes

BEFORE = Outcome(8, 9, 11, 37_000_000, 11_200_000, 484_600, (435, 435), ((131, 131), (435, 435)))


def fix(name: str, after: Outcome, description: str, *, safe: bool = False) -> Fix:
    return Fix(name, safe, description, NOTHING, Prediction(BEFORE, after), Plan(), (32, 32))


CROP = fix("crop-kernels", Outcome(8, 9, 11, 20_000_000, 900, 484_600, (9, 7), ((5, 3), (9, 7))), "crop all of them", safe=True)
CUT = fix(
    "truncate", Outcome(0, 1, 11, 24_200_000, 1_860_000, 3, None, (None, None)), "end after " + "a.very.long.name." * 6 + "end"
)
LARGE = fix("move-downsampling-2", Outcome(0, 0, 20, 1_550_000_000, 11_200_000, 2_000_000, (51, 51), ((31, 31), (51, 51))), "later")
SKIPPED = (
    Skipped("remove-stem", "a [reason] that says at length, in words that are neither up-to-date nor few, why it does not apply"),
)


def analysis_with(*fixes: Fix, skipped: tuple[Skipped, ...] = ()) -> Any:
    network = SimpleNamespace(channels=3)
    return SimpleNamespace(fixes=fixes, proposals=Proposals(fixes, skipped), network=network, input_size=(32, 48))


def printed(analysis: Analysis, recommendations: dict, width: int = 80, **how: object) -> str:
    stream = io.StringIO()
    print_fixes(analysis, "m.py:Net", recommendations, Console(file=stream, width=width, highlight=False, **how))
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines())


WHOLE = """\
m.py:Net at 3x32x48
                     tail  unprod.   FLOPs  params   memory  r_max  from px
───────────────────────────────────────────────────────────────────────────
as it is                8        9  37.0 M  11.2 M   485 kB    435      131
crop-kernels            8        9  20.0 M     900   485 kB    9x7      5x3
truncate                0        1  24.2 M  1.86 M      3 B      ?        ?
move-downsampling-2     0        0  1.55 G  11.2 M  2.00 MB     51       31
  crop-kernels: crop all of them (same outputs)
  truncate: end after
    a.very.long.name.a.very.long.name.a.very.long.name.a.very.long.name.a.very.long.name.a.very.long.name.end
  move-downsampling-2: later

  for efficiency: truncate (least FLOPs with no tail)
  for accuracy: move-downsampling-2 (most productive layers (20))

  no remove-stem: a [reason] that says at length, in words that are neither
    up-to-date nor few, why it does not apply"""


def test_a_whole_table():
    fixes = (CROP, CUT, LARGE)
    recommended = {aim: recommend(fixes, aim) for aim in ("efficiency", "accuracy")}
    assert printed(analysis_with(*fixes, skipped=SKIPPED), recommended) == WHOLE


def test_without_fixes_there_is_no_table():
    nothing = {"accuracy": Recommendation(None, "no fix applies")}
    assert printed(analysis_with(), nothing) == "m.py:Net at 3x32x48\n  for accuracy: none (no fix applies)"


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_text_stays_within_the_terminal_and_numbers_are_whole(width):
    analysis = analyze(nn.Sequential(*(nn.Conv2d(3, 3, 3, 2, 1) for _ in range(6)), nn.AdaptiveAvgPool2d(1)), 16)
    text, wide = (printed(analysis, {"efficiency": recommend(analysis.fixes, "efficiency")}, columns) for columns in (width, 300))
    is_table = [len(line) == len(text.splitlines()[2]) for line in text.splitlines()]
    assert max(len(line) for line, table in zip(text.splitlines(), is_table, strict=True) if width >= 80 or not table) <= width
    assert "remove-stem" in text
    assert sorted(re.findall(r"\d\S*", text)) == sorted(re.findall(r"\d\S*", wide))


def test_what_is_recommended_is_bold_in_a_terminal_only():
    recommended = {"efficiency": recommend([CROP, LARGE], "efficiency")}
    text = printed(analysis_with(CROP, LARGE), recommended, force_terminal=True, color_system="standard")
    (row,) = [line for line in text.splitlines() if "1.55 G" in line]
    assert "\x1b[1;32m" in row
    assert text.count("\x1b[1;32m") == row.count("\x1b[1;32m")
    assert "\x1b[" not in printed(analysis_with(CROP, LARGE), recommended)
