"""Edits of dimensions, and what they read."""

from rfcheck.graph.axes import Blend, Digit, Plain, image_layout
from rfcheck.graph.reach import GLOBAL, Reach
from rfcheck.graph.reading import Reading
from tests.graph.test_axes import ARRANGED, Tracked


def test_an_inner_digit_that_grows_moves_the_digits_above_it():
    reading = Reading(Tracked(1, 1, 6, 4).view(1, 1, 2, 3, 4).layout)
    reading.resize(3, Reach(1, 1, (-1,), (0,)), 4)
    assert reading.layout[2:4] == ((Digit(0, 2, 4),), (Digit(0, 4, 1),))
    assert reading.reaches == {0: Reach(4, 3, (0, 0, 1, 2), (0, 1, 2, 2))}


def test_mixing_one_digit_reads_its_window_and_mixing_all_reads_everything():
    windows = Reading(ARRANGED["windows"].layout)
    windows.mix(1)
    assert windows.reaches == {0: Reach(3, 3, (0, 0, 0), (2, 2, 2)), 1: Reach(2, 2, (0, 0), (1, 1))}
    tokens = Reading(ARRANGED["tokens"].layout)
    tokens.mix(1)
    assert tokens.reaches == {0: GLOBAL, 1: GLOBAL}
    assert tokens.layout == ARRANGED["tokens"].layout


def test_a_dropped_dimension_leaves_no_positions():
    reading = Reading(ARRANGED["split rows"].layout)
    reading.drop(3)
    assert reading.layout[2:4] == ((Digit(0, 2, 1),), ())
    assert reading.reaches == {0: Reach(1, 3, (0,), (2,))}
    pooled = Reading(image_layout((1, 3, 1, 4), (0, 1)))
    pooled.drop(2)
    assert pooled.reaches == {0: GLOBAL}


def test_channels_beside_positions_become_positions():
    shuffled = Reading(((), (), (Digit(0, 4, 1), Plain(2))))
    assert shuffled.absorb(2)
    assert shuffled.layout[2] == (Digit(0, 8, 1),)
    assert shuffled.reaches == {0: Reach(2, 1, (0, 0), (0, 0))}
    repeated = Reading(((), (), (Plain(2), Digit(0, 4, 1))))
    assert repeated.absorb(2)
    assert repeated.reaches == {0: Reach(4, 0, (0, 1, 2, 3), (0, 1, 2, 3))}
    assert not Reading(ARRANGED["tokens"].layout).absorb(1)


def test_a_matrix_over_an_axis_keeps_it_and_one_over_a_part_of_it_ends_in_a_blend():
    rows = Reading(image_layout((1, 3, 6, 4), (0, 1)))
    rows.multiply(2, 9)
    assert rows.layout[2:] == ((Digit(0, 9, 1),), (Digit(1, 4, 1),))
    assert rows.reaches == {0: GLOBAL}
    part = Reading(ARRANGED["split rows"].layout)
    part.multiply(3, 5)
    assert part.layout[2:4] == ((Digit(0, 2, 1),), (Blend(5, (0,)),))
    assert part.reaches == {0: Reach(1, 3, (0,), (2,))}


def test_a_matrix_per_group_leaves_the_groups_apart():
    heads = Reading(((), (Plain(2), Digit(0, 6, 1))))
    heads.multiply(1, 12, groups=2)
    assert heads.layout == ((), (Plain(2), Digit(0, 6, 1)))
    assert heads.reaches == {0: GLOBAL}
    depthwise = Reading(((), (Digit(0, 6, 1),)))
    depthwise.multiply(1, 6, groups=6)
    assert depthwise.layout == ((), (Digit(0, 6, 1),))
    assert depthwise.reaches == {}


def test_overlapping_windows_hold_their_positions_again():
    framed = Reading(((), (Digit(0, 10, 1),)))
    assert framed.frames(1, 4, step=2, count=4)
    assert framed.layout == ((), (Digit(0, 4, 4),), (Digit(0, 4, 1),))
    assert framed.reaches == {0: Reach(4, 2, (0, 1, 2, 3), (0, 1, 2, 3))}


def test_a_lost_axis_is_adopted():
    reading = Reading(((), (Plain(8),)))
    reading.adopt(1, 0)
    assert reading.layout == ((), (Digit(0, 8, 1),))
    assert reading.reaches == {0: Reach(1, 0, (0,), (0,))}
