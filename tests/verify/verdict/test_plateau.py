from __future__ import annotations

from dataclasses import replace

import pytest

from rfcheck.verify.records import Interval
from rfcheck.verify.verdict.flow import Flow
from rfcheck.verify.verdict.plateau import gain_after_border, gain_before_border, improves, plateau, skipped_layers
from rfcheck.verify.verdict.probed import probed
from tests.verify.verdict.curves import chain_of, labels, measurement, variant


def curve(*accuracies: float):
    return probed(variant(len(accuracies)).layers, [measurement(accuracies)])


@pytest.mark.parametrize(
    ("accuracies", "expected"),
    [
        ((0.4, 0.6, 0.7, 0.7, 0.7), "2"),
        ((0.4, 0.6, 0.7, 0.65, 0.6), "2"),
        ((0.4, 0.6, 0.5, 0.7, 0.7), "3"),  # a dip is no plateau
        ((0.4, 0.6, 0.7, 0.705, 0.709), "2"),  # less than what counts
        ((0.4, 0.6, 0.7, 0.705, 0.711), "3"),
        ((0.4, 0.5, 0.6), None),
        ((0.6, 0.6, 0.6), "0"),
        ((0.6,), None),
        ((), None),
        # VGG-11, a quarter of the width, measured
        ((0.401, 0.610, 0.659, 0.707, 0.741, 0.757, 0.774, 0.776), "6"),
    ],
)
def test_the_first_layer_from_which_no_later_probe_improves(accuracies, expected):
    gain = plateau(curve(*accuracies), 0.01)
    assert (gain.reference if gain else None) == expected


def test_a_gain_that_may_be_luck_does_not_count():
    noisy = [labels(0.7, 300, 0.15, 1), labels(0.72, 300, 0.15, 2), labels(0.72, 300, 0.15, 3)]
    probes = probed(variant(3).layers, [measurement(noisy, accuracy=labels(0.7, 300))])
    assert probes.gain("0", ("1", "2")).difference.value > 0.01
    gain = plateau(probes, 0.01)
    assert gain == probes.gain("0", ("1", "2"))
    assert gain.difference.low < 0


@pytest.mark.parametrize(
    ("interval", "expected"),
    [((0.02, 0.01, 0.03), True), ((0.02, 0.0, 0.04), False), ((0.009, 0.008, 0.02), False), ((0.01, 0.001, 0.02), True)],
)
def test_what_counts_as_an_improvement(interval, expected):
    assert improves(Interval(*interval), 0.01) is expected


def test_gains_around_the_border():
    probes = curve(0.4, 0.6, 0.7, 0.72, 0.71)
    flow, tail = chain_of(probes.names), ("2", "3", "4")
    before, after = gain_before_border(probes, "2", tail, flow), gain_after_border(probes, "2", tail, flow)
    assert (before.reference, before.best, before.difference.value) == ("1", "3", pytest.approx(0.12))
    assert (after.reference, after.best, after.difference.value) == ("2", "3", pytest.approx(0.02))


def test_the_border_layer_may_read_several():
    probes = curve(0.4, 0.65, 0.6, 0.7)
    flow = Flow({"3": ("1", "2")}, frozenset())
    assert gain_before_border(probes, "3", ("3",), flow).reference == "1"


def test_no_gain_without_probes():
    probes = curve(0.4, 0.6)
    flow = chain_of(probes.names)
    assert gain_after_border(probes, "1", ("1",), flow) is None
    assert gain_after_border(probes, "5", ("5", "6"), flow) is None
    assert gain_before_border(probes, "0", ("0", "1"), chain_of(probes.names)) is None


def test_a_border_layer_that_a_shortcut_passes_by():
    """1 feeds the branch of 2, which is the border layer and skipped; 3 reads the sum of both, 4 what is behind 3."""
    probes, tail = curve(0.5, 0.7, 0.6, 0.705, 0.7), ("2", "3", "4")
    flow = Flow({"1": ("0",), "2": ("1",), "3": ("1", "2"), "4": ("2", "3")}, frozenset("2"))
    gain = gain_after_border(probes, "2", tail, flow)
    assert (gain.reference, gain.best, gain.difference.value) == ("1", "3", pytest.approx(0.005))
    assert gain_after_border(probes, "2", tail, chain_of(probes.names)).difference.value == pytest.approx(0.105)


def test_a_block_at_the_end_is_skipped_where_the_head_recovers():
    """Figure 87 of the thesis names the last convolution of the last block."""
    network = variant(4)
    flow = Flow({"1": ("0",), "2": ("1",), "3": ("2", "0"), "head": ("1", "3")}, frozenset("23"))

    def skipped(head: float) -> frozenset[str]:
        one = measurement([0.5, 0.7, 0.71, 0.6, head])
        named = (*one.probes[:4], replace(one.probes[4], layer="head"))
        return skipped_layers(probed(network.layers, [replace(one, probes=named)]), flow, 0.01)

    assert skipped(0.71) == {"3"}
    assert skipped(0.6) == frozenset()


def test_a_residual_block_that_is_skipped():
    """0 is the stem; 1 and 2, 3 and 4 the convolutions of two blocks; 5 reads the second block."""
    flow = Flow({"1": ("0",), "2": ("1",), "3": ("2", "0"), "4": ("3",), "5": ("4", "2", "0")}, frozenset("1234"))
    assert skipped_layers(curve(0.5, 0.6, 0.7, 0.71, 0.65, 0.71), flow, 0.01) == {"4"}
    assert skipped_layers(curve(0.5, 0.6, 0.7, 0.71, 0.72, 0.73), flow, 0.01) == frozenset()
    assert skipped_layers(curve(0.5, 0.6, 0.7, 0.71, 0.65, 0.65), flow, 0.01) == frozenset()  # nothing recovers
    assert skipped_layers(curve(0.5, 0.6, 0.7, 0.71, 0.705, 0.71), flow, 0.01) == frozenset()  # less than what counts


def test_a_slow_decay_beside_a_long_shortcut():
    """The experiment of Alain and Bengio: each layer is little worse than the one before it."""
    accuracies = [0.9, *(0.9 - 0.006 * i for i in range(1, 9)), 0.9]
    names = [str(i) for i in range(10)]
    flow = Flow({**chain_of(names).reads, "9": ("8", "0")}, frozenset(names[1:9]))
    assert skipped_layers(curve(*accuracies), flow, 0.01) == {"2", "3", "4", "5", "6", "7", "8"}


def test_a_layer_that_all_features_go_through_is_not_skipped():
    flow = Flow({"1": ("0",), "2": ("1",)}, frozenset())
    assert skipped_layers(curve(0.7, 0.5, 0.7), flow, 0.01) == frozenset()
