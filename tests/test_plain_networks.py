"""Receptive fields, sizes and live taps of random networks of windows, against propagated indicators."""

from __future__ import annotations

import pytest

from rfcheck import analyze
from tests.indicators import disagreements, made_positive
from tests.plain_networks import PlainNetwork

BATCH = 25


def assert_as_indicated(seeds: range, blocks: int):
    for seed in seeds:
        network = PlainNetwork(seed, blocks)
        shape = network.shape
        assert disagreements(made_positive(network), shape, gates="ignore") == [], (seed, network)
        for layer in analyze(network, shape).layers:  # with stand-ins for projections too
            assert layer.r_min is not None
            assert layer.r_max is not None
            assert all(a <= b for a, b in zip(layer.r_min, layer.r_max, strict=True)), (seed, layer.name, network)


@pytest.mark.parametrize("start", range(0, 150, BATCH))
def test_networks_of_windows(start):
    assert_as_indicated(range(start, start + BATCH), 4)


@pytest.mark.slow
@pytest.mark.parametrize("start", range(10_000, 11_500, BATCH))
def test_more_networks_of_windows(start):
    assert_as_indicated(range(start, start + BATCH), 6)


@pytest.mark.parametrize("start", range(0, 50, BATCH))
def test_circular_padding_counts_as_if_the_image_went_on(start):
    """The windows of the same network padded with zeros; the convention is named wherever positions wrap."""
    for seed in range(start, start + BATCH):
        circular, zeros = (PlainNetwork(seed, 4, (mode,)) for mode in ("circular", "zeros"))
        if repr(zeros) != repr(circular).replace(", padding_mode=circular", ""):
            continue  # what does not run on a small map was drawn again
        analysis = analyze(circular, circular.shape)
        padded = [layer for layer in circular.layers if getattr(layer, "padding_mode", "") == "circular" and any(layer.padding)]
        assert analysis.assumptions or not padded, (seed, circular)
        wanted = {layer.name: (layer.r_min, layer.r_max) for layer in analyze(zeros, zeros.shape).layers}
        assert {layer.name: (layer.r_min, layer.r_max) for layer in analysis.layers} == wanted, (seed, circular)
