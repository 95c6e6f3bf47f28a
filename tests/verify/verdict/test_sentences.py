from __future__ import annotations

from rfcheck.verify.conclusions import Gain
from rfcheck.verify.records import Interval
from rfcheck.verify.verdict.sentences import best_sentence, gain_sentence, listed, percent, points, with_interval

GAIN = Gain("a", "b", Interval(0.0123, -0.0004, 0.0251))


def test_numbers():
    assert percent(0.8461) == "84.6%"
    assert [points(value) for value in (0.0123, -0.02, 0.0, -0.0001)] == [
        "+1.2 points",
        "-2.0 points",
        "0.0 points",
        "0.0 points",
    ]
    assert with_interval(GAIN.difference) == "+1.2 points (95%: 0.0 to +2.5)"


def test_an_interval_without_zero_reads_as_such():
    assert with_interval(Interval(0.0012, 0.0004, 0.002)) == "+0.12 points (95%: +0.04 to +0.20)"
    assert with_interval(Interval(-0.1, -0.2, -0.00004)) == "-10.000 points (95%: -20.000 to -0.004)"
    assert with_interval(Interval(0.1, 0.0, 0.2)) == "+10.0 points (95%: 0.0 to +20.0)"


def test_gains():
    assert gain_sentence(GAIN) == "the probe of b gains +1.2 points on that of a (95%: 0.0 to +2.5)"
    assert best_sentence(GAIN) == "the best probe behind a, that of b, gains +1.2 points on it (95%: 0.0 to +2.5)"


def test_listed():
    assert listed(["a", "b"]) == "a, b"
    assert listed(list("abcdefg")) == "a, b, c, d, e and 2 more"
