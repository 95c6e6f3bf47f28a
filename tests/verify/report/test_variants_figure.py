from __future__ import annotations

from dataclasses import replace

import pytest
from matplotlib.colors import to_hex

from rfcheck.report.figure_style import BLUE
from rfcheck.verify.report.variants_figure import variants_figure
from tests.verify.report.drawn import require_room, texts
from tests.verify.report.hand_made import SMALL
from tests.verify.report.runs import LONG, VGG


def drawn(run, label: str) -> list[tuple[list[float], list[float]]]:
    lines = [line for line in variants_figure(run).axes[0].get_lines() if line.get_label() == label]
    return [(list(line.get_xdata()), list(line.get_ydata())) for line in lines]


def test_differences_with_their_intervals_in_points():
    differences = [result.difference for result in VGG.judgement.variants[1:]]
    assert drawn(VGG, "difference") == [([pytest.approx(100 * one.value)], [row]) for row, one in enumerate(differences)]
    assert drawn(VGG, "95% interval") == [
        (pytest.approx([100 * one.low, 100 * one.high]), [row, row]) for row, one in enumerate(differences)
    ]


def test_the_difference_of_every_seed():
    original, *changed = VGG.judgement.variants
    for (values, rows), result, row in zip(drawn(VGG, "seeds"), changed, range(3), strict=True):
        paired = [100 * (own - other) for own, other in zip(result.accuracies, original.accuracies, strict=True)]
        assert values == pytest.approx(paired)
        assert sum(values) / 5 == pytest.approx(100 * result.difference.value)
        assert all(row < place < row + 0.5 for place in rows)


def test_one_seed_has_no_dots():
    assert drawn(SMALL, "seeds") == []
    assert [text.get_text() for text in variants_figure(SMALL).legends[0].get_texts()] == [
        "95% interval excludes zero",
        "contains zero",
    ]


def test_open_squares_where_the_interval_contains_zero():
    lines = [line for line in variants_figure(VGG).axes[0].get_lines() if line.get_label() == "difference"]
    assert [to_hex(line.get_markerfacecolor()) for line in lines] == ["#ffffff", BLUE.lower(), BLUE.lower()]


def test_names_savings_and_numbers():
    panel = variants_figure(VGG).axes[0]
    assert [label.get_text() for label in panel.get_yticklabels()] == [
        "truncate\nFLOPs −50%, time −50%",
        "truncate-before\nFLOPs −67%, time −50%",
        "remove-stem\nFLOPs −75%, time −50%",
    ]
    assert texts(panel) == ["+0.4 [−0.6, +1.4]", "−1.8 [−2.9, −0.7]", "+6.1 [+4.0, +8.2]"]
    assert panel.get_xlabel() == "difference to the test accuracy of the original, 84.6% (points)"
    top, bottom = (panel.transData.transform((0, row))[1] for row in (0, 2))
    assert top > bottom


def test_a_difference_that_is_not_known_leaves_its_row_empty():
    original, changed = SMALL.judgement.variants
    run = replace(SMALL, judgement=replace(SMALL.judgement, variants=(original, replace(changed, difference=None))))
    assert drawn(run, "difference") == []
    assert texts(variants_figure(run).axes[0]) == []


@pytest.mark.parametrize("run", [VGG, LONG, SMALL, replace(SMALL, name="network" * 20)], ids=lambda run: run.name)
def test_no_text_covers_another_or_leaves_the_figure(run):
    require_room(variants_figure(run))
