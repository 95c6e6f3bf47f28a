"""A comparison as text."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from torch import nn

from rfcheck.report.comparison import Pair
from rfcheck.report.comparison_table import SHOWN, percent_of_extents, print_versions
from rfcheck.report.units import percent
from rfcheck.report.versions import compare_versions
from tests.report.version_cases import LONG, SHORT, WIDE, chain, result


def printed(versions, *, colours: bool = False, **options) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=80, highlight=False, force_terminal=colours, color_system="standard" if colours else None)
    print_versions(versions, "warning", console, **options)
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines()) + "\n"


def text(before: nn.Module, after: nn.Module, **options) -> str:
    return printed(compare_versions([result("old.py:Net", before)], [result("new.py:Net", after)]), **options)


WORSE = """\
old.py:Net → new.py:Net at 3x8x8

                                 before    after   change
─────────────────────────────────────────────────────────
FLOPs                            15.6 k   45.5 k  +192.6%
parameters                          252      732  +190.5%
activations                     2.30 kB  5.38 kB  +133.3%
unproductive layers                   0        4
layers in the tail                    0        4
r_max of the last map, px             7       17  +142.9%
no unproductive layer from, px        5       15  +200.0%
last map sees whole up to, px         7       17  +142.9%
b_min                                 -        3      new
b_max                                 -        3      new

  added 4 layers: 3, 4, 5, 6

  changed 2 layers:
layer             k/s  r_in    r
────────────────────────────────
1             3/1→5/1        5→7
2                       5→7  7→9

  new RF101 unproductive-tail [warning] 3
    4 layers from 3 on cannot add context: their input already sees at least
    9 px of the 8x8 image; they hold 45.9% of the parameters and 45.6% of the
    FLOPs

Worse: layers in the tail 0 -> 4, unproductive layers 0 -> 4, FLOPs 15.6 k ->
45.5 k (+192.6%), parameters 252 -> 732 (+190.5%), activations 2.30 kB ->
5.38 kB (+133.3%), 1 new finding.
"""

SEVERAL = """\
HEAD:model.py:B → model.py:B at 3x8x8: nothing changed; 1 finding in both
only before: HEAD:model.py:A
  fixed RF101 unproductive-tail [warning] 4
only after: model.py:C
  new RF101 unproductive-tail [warning] 4
    3 layers from 4 on cannot add context: their input already sees at least
    9 px of the 8x8 image; they hold 42.9% of the parameters and 42.9% of the
    FLOPs

Better: 1 finding fixed; worse: 1 new finding.
"""


def test_a_worse_model():
    assert text(chain(SHORT), chain(WIDE)) == WORSE


def test_a_better_model():
    out = text(chain(WIDE), chain(SHORT))
    assert "  removed 4 layers: 3, 4, 5, 6\n" in out
    assert "\nb_min                                 3        -     gone\n" in out
    assert out.endswith(
        "  fixed RF101 unproductive-tail [warning] 3\n\n"
        "Better: layers in the tail 4 -> 0, unproductive layers 4 -> 0, FLOPs 45.5 k ->\n"
        "15.6 k (-65.8%), parameters 732 -> 252 (-65.6%), activations 5.38 kB -> 2.30 kB\n"
        "(-57.1%), 1 finding fixed.\n"
    )


def test_nothing_changed_is_one_line():
    assert text(chain(SHORT), chain(SHORT)) == "old.py:Net → new.py:Net at 3x8x8: nothing changed\n"
    long = "a_folder_with_a_long_name/and_another/model.py:Net"
    versions = compare_versions([result(f"HEAD~1:{long}", chain(LONG))], [result(long, chain(LONG))])
    assert printed(versions) == f"HEAD~1:{long} → {long} at 3x8x8: nothing changed; 1 finding in both\n"


def test_models_that_only_one_version_has():
    before = [result(f"HEAD:model.py:{name}", chain(LONG)) for name in "AB"]
    after = [result(f"model.py:{name}", chain(LONG)) for name in "BC"]
    assert printed(compare_versions(before, after)) == SEVERAL


def test_a_border_that_moves():
    assert "\nb_min                                 4        3   moved\n" in text(chain(LONG), chain(WIDE))
    assert "  1 finding in both\n" in text(chain(LONG), chain(WIDE))


def test_more_layers_than_are_shown():
    before, after = chain([1] * (SHOWN + 4)), chain([3] + [1] * (SHOWN + 3))
    assert "more row" not in text(before, after), "neighbours with the same change share a row"
    growing = text(chain([1] * (SHOWN + 3)), chain([3] * (SHOWN + 3)))
    assert "  and 3 more rows; --layers shows all\n" in growing
    assert f"\n{SHOWN - 1} " in growing
    assert f"\n{SHOWN} " not in growing
    everything = text(chain([1] * (SHOWN + 3)), chain([3] * (SHOWN + 3)), all_layers=True)
    assert "more row" not in everything
    assert f"\n{SHOWN + 2} " in everything


def test_more_names_than_are_shown():
    out = text(chain([1]), chain([1] * (SHOWN + 2)))
    assert f", {SHOWN} and 1 more\n" in " ".join(out.split()).replace("more", "more\n")
    assert f", {SHOWN}, {SHOWN + 1}\n" in text(chain([1]), chain([1] * (SHOWN + 2)), all_layers=True)


def test_the_width_is_kept():
    wide = nn.Sequential()
    wide.add_module("a_long_name_here", nn.Sequential(*(nn.Conv2d(3, 3, (3, 5), dilation=2, padding=4) for _ in range(9))))
    slim = nn.Sequential()
    slim.add_module("a_long_name_here", nn.Sequential(*(nn.Conv2d(3, 3, (5, 3), padding=4) for _ in range(9))))
    assert max(map(len, text(wide, slim).splitlines())) <= 80


def test_colours():
    out = text(chain(SHORT), chain(WIDE), colours=True)
    assert "\x1b[31m  new RF101" in out
    assert "\x1b[32m  fixed RF101" in text(chain(WIDE), chain(SHORT), colours=True)


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        (200, 250, "+25.0%"),
        (200, 100, "-50.0%"),
        (1, 15.005, "+1400.5%"),
        (5, 5, ""),
        (0, 3, ""),
        (3, 0, "-100.0%"),
        (100000, 100001, "+<0.1%"),
        (100000, 99999, "-<0.1%"),
    ],
)
def test_percent(before, after, shown):
    assert percent(before, after) == shown


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        ((10.0, 10.0), (15.0, 15.0), "+50.0%"),
        ((10.0, 20.0), (15.0, 15.0), ""),
        ((10.0, 10.0), (float("inf"), float("inf")), ""),
        (None, (15.0, 15.0), ""),
        ((10.0, 10.0), (10.0, 10.0), ""),
    ],
)
def test_percent_of_extents(before, after, shown):
    assert percent_of_extents(Pair(before, after)) == shown
