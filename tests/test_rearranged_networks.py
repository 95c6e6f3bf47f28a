"""Receptive fields, sizes and live taps of random networks against propagated indicators."""

import pytest

from tests.indicators import disagreements, made_positive
from tests.rearranged_networks import PLAIN_KINDS, SIZE, Rearranged

BATCH = 10
SHAPE = (1, 2, SIZE, SIZE)


def assert_as_indicated(start: int, kinds: tuple[str, ...] = (), blocks: int = 3):
    for seed in range(start, start + BATCH):
        network = made_positive(Rearranged(seed, blocks, kinds))
        assert disagreements(network, SHAPE) == [], (seed, network)


@pytest.mark.parametrize("start", range(0, 250, BATCH))
def test_rearrangements(start):
    assert_as_indicated(start)


@pytest.mark.parametrize("start", range(0, 50, BATCH))
def test_convolutions_and_padding(start):
    assert_as_indicated(start, PLAIN_KINDS)


@pytest.mark.slow
@pytest.mark.parametrize("start", range(1000, 3500, BATCH))
def test_more_rearrangements(start):
    assert_as_indicated(start, blocks=4)


@pytest.mark.slow
@pytest.mark.parametrize("start", range(1000, 1500, BATCH))
def test_more_convolutions_and_padding(start):
    assert_as_indicated(start, PLAIN_KINDS, 5)
