"""Layers that changed, as a table."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from torch import nn

from rfcheck import analyze
from rfcheck.report.comparison import compare
from rfcheck.report.layer_changes_table import folded_rows, layer_changes_table


def changes(before: nn.Module, after: nn.Module, size: int = 16):
    return compare(analyze(before, size), analyze(after, size)).changed


def row(before: nn.Module, after: nn.Module) -> list[str]:
    """The cells of the first changed layer that say something."""
    (_, cells), *_ = folded_rows(changes(nn.Sequential(before), nn.Sequential(after)))
    return [cell for cell in cells if cell]


@pytest.mark.parametrize(
    ("before", "after", "cells"),
    [
        (nn.Conv2d(3, 6, 3), nn.Conv2d(3, 6, 5), ["3/1→5/1", "14→12", "3→5"]),
        (nn.Conv2d(3, 6, 3), nn.Conv2d(3, 6, (3, 5)), ["3/1→3x5/1", "14→14x12", "3→3x5"]),
        (nn.Conv2d(3, 6, 3, padding=1), nn.Conv2d(3, 6, 3, stride=2, padding=1), ["3/1→3/2", "16→8"]),
        (nn.Conv2d(3, 6, 3), nn.Conv2d(3, 6, 3, dilation=2), ["3/1→3/1d2", "14→12", "3→5"]),
        (nn.Conv2d(3, 6, 3), nn.Conv2d(3, 6, 3, padding=1), ["p0→p1", "14→16"]),
        (nn.Conv2d(3, 6, 3), nn.Conv2d(3, 6, 3, groups=3), ["3/1→3/1g3"]),
        (nn.Conv2d(3, 6, 3), nn.Conv2d(3, 9, 3), ["3:6→3:9"]),
        (nn.Conv2d(3, 6, 3), nn.MaxPool2d(3, 1), ["conv 3/1→pool 3/1", "3:6→-", "ok→-"]),
    ],
)
def test_cells(before, after, cells):
    assert row(before, after) == cells


def chain(kernels: list[int]) -> nn.Sequential:
    return nn.Sequential(*(nn.Conv2d(3, 3, kernel, padding=kernel // 2) for kernel in kernels))


def test_the_input_is_named_where_only_it_changed():
    before = nn.Sequential(nn.Conv2d(3, 3, 1), nn.AdaptiveMaxPool2d(4))
    after = nn.Sequential(nn.Conv2d(3, 3, 1, stride=2), nn.AdaptiveMaxPool2d(4))
    assert "in 16→in 8" in folded_rows(changes(before, after))[1][1]


def test_neighbours_that_changed_in_the_same_way_share_a_row():
    rows = folded_rows(changes(chain([1, 1, 1, 1, 3]), chain([3, 1, 1, 1, 3])))
    assert [name for name, _ in rows] == ["0", "1 ... 3 (3)", "4"]
    assert [cell for cell in rows[1][1] if cell] == ["1→3", "1→3"]


def test_layers_with_an_unchanged_one_between_do_not():
    before, after = (nn.Sequential(*(nn.Conv2d(3, 3, 1, groups=g) for g in groups)) for groups in ((1, 1, 1, 1), (3, 3, 1, 3)))
    assert [name for name, _ in folded_rows(changes(before, after))] == ["0 ... 1 (2)", "3"]


def printed(table) -> list[str]:
    stream = io.StringIO()
    Console(file=stream, width=80).print(table)
    return [line.rstrip() for line in stream.getvalue().splitlines()]


def test_columns_that_tell_nothing_are_left_out_and_rows_are_limited():
    changed = changes(chain([1, 1, 1]), chain([3, 3, 3]))
    table, left = layer_changes_table(changed, 2)
    assert printed(table) == [
        "layer             k/s  r_in    r",
        "────────────────────────────────",
        "0             1/1→3/1        1→3",
        "1             1/1→3/1   1→3  1→5",
    ]
    assert left == 1
    whole, left = layer_changes_table(changed, None)
    assert (whole.row_count, left) == (3, 0)
