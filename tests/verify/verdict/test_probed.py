from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from rfcheck.verify.verdict.probed import is_usable, probed
from tests.verify.verdict.curves import labels, measurement, variant

LAYERS = variant(3).layers


def test_shares_are_those_of_the_seeds():
    generator = np.random.default_rng(0)
    bits = generator.random((2, 3, 50)) < 0.7
    probes = probed(LAYERS, [measurement(list(seed), accuracy=seed[0]) for seed in bits])
    assert probes.names == ("0", "1", "2")
    assert probes.shares == pytest.approx((bits[0].astype(float) + bits[1]) / 2)
    assert probes.accuracy("1") == pytest.approx(bits[:, 1].mean())


def test_a_layer_counts_if_every_seed_has_a_usable_probe():
    whole, part = measurement([0.5, 0.6, 0.7]), measurement([0.5, 0.6, 0.7], seed=1)
    broken = replace(part.probes[1], train_accuracy=math.nan)
    assert not is_usable(broken)
    assert not is_usable(replace(broken, train_accuracy=0.5, correct=np.zeros(0, dtype=bool)))
    assert probed(LAYERS, [whole, replace(part, probes=(part.probes[0], broken))]).names == ("0",)
    assert probed(LAYERS, [replace(whole, probes=())]).names == ()


def test_the_head_is_not_among_them():
    one = measurement([0.5, 0.6, 0.7])
    head = replace(one.probes[0], layer="head")
    assert probed(LAYERS, [replace(one, probes=(*one.probes, head))]).names == ("0", "1", "2")


def test_gains():
    probes = probed(LAYERS, [measurement([0.5, 0.7, 0.6])])
    gain = probes.gain("0", probes.after("0"))
    assert (gain.reference, gain.best, gain.difference.value) == ("0", "1", pytest.approx(0.2))
    assert probes.gain("2", probes.after("2")) is None
    back = probes.gain_over(("0", "1"), "2")
    assert (back.reference, back.best, back.difference.value) == ("1", "2", pytest.approx(-0.1))
    assert back.difference.low < -0.1 < back.difference.high
    assert probes.gain_over((), "0") is None
    assert probes.known(["2", "x", "0"]) == ("0", "2")
    assert probes.best(("0", "1", "2")) == "1"


def test_the_reverse_of_a_gain_has_its_ends_exchanged():
    probes = probed(
        LAYERS,
        [measurement([labels(0.5, 400, 0.1, 1), labels(0.55, 400, 0.1, 2), labels(0.6, 400, 0.1, 3)], accuracy=labels(0.5, 400))],
    )
    forth, back = probes.gain("2", ("0", "1")).difference, probes.gain_over(("0", "1"), "2").difference
    assert (back.low, back.value, back.high) == (-forth.high, -forth.value, -forth.low)
