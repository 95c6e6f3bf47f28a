from __future__ import annotations

import math

import numpy as np
import pytest

from rfcheck.verify.verdict.tail_pattern import tail_pattern


def brute(values: list[float], min_layers: int, share: float):
    best = None
    for start in range(len(values)):
        for end in range(start + min_layers, len(values) + 1):
            inside, outside = values[start:end], [v for v in values[:start] + values[end:] if not math.isnan(v)]
            if any(math.isnan(v) for v in inside) or not outside:
                continue
            mean, rest = np.mean(inside), np.mean(outside)
            if rest > 0 and mean <= (1 - share) * rest:
                candidate = (np.var(inside) * len(inside) + np.var(outside) * len(outside), -(end - start), start)
                if best is None or candidate < (best[0] - 1e-12, *best[1:]):
                    best = candidate
    return None if best is None else list(range(best[2], best[2] - best[1]))


@pytest.mark.parametrize("seed", range(60))
def test_against_brute_force(seed):
    generator = np.random.default_rng(seed)
    values = list(generator.random(generator.integers(0, 12)) * generator.choice([0.2, 1.0], 1))
    if seed % 2:
        values = [v * (0.2 if i > 4 else 1) for i, v in enumerate(values)]
    if seed % 3 == 0:
        values = [math.nan if generator.random() < 0.15 else v for v in values]
    found = tail_pattern([str(i) for i in range(len(values))], values, 3, 0.5)
    expected = brute(values, 3, 0.5)
    assert (None if found is None else [int(name) for name in found.layers]) == expected
    if found is not None:
        rest = [v for i, v in enumerate(values) if i not in expected and not math.isnan(v)]
        assert found.mean == pytest.approx(np.mean([values[i] for i in expected]))
        assert found.rest == pytest.approx(np.mean(rest))


def names(values: list[float], min_layers: int = 3, share: float = 0.5) -> str:
    found = tail_pattern([chr(97 + i) for i in range(len(values))], values, min_layers, share)
    return "" if found is None else "".join(found.layers)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.6] * 5 + [0.05] * 8, "fghijklm"),  # all of the tail, and nothing of the rest
        ([0.05] * 4 + [0.6] * 5, "abcd"),
        ([0.6, 0.1, 0.1, 0.1, 0.6], "bcd"),
        ([0.9] * 6 + [0.6, 0.5, 0.4, 0.3, 0.2, 0.15, 0.1, 0.08, 0.06], "hijklmno"),  # not only the lowest three
        ([0.6, 0.6, 0.6, 0.1, 0.1], "cde"),  # two low layers and one of the rest are three by the definition
        ([0.5, 0.5, 0.25, 0.25, 0.25], "cde"),  # exactly half
        ([0.5, 0.5, 0.26, 0.25, 0.25], ""),
        ([0.1] * 6, ""),
        ([0.0] * 6, ""),
        ([0.5, 0.0, 0.0, 0.0, 0.0, 0.5], "bcde"),  # of equals the longest
        ([], ""),
        ([math.nan] * 5, ""),
        ([0.6, 0.6, 0.1, math.nan, 0.1, 0.1], ""),  # no pattern reaches across an unknown layer
        ([0.6, 0.6, math.nan, 0.1, 0.1, 0.1], "def"),
    ],
)
def test_which_sequence_is_chosen(values, expected):
    assert names(values) == expected


def test_limits():
    assert names([0.6, 0.6, 0.6, 0.2, 0.2], min_layers=2) == "de"
    assert names([0.6, 0.6, 0.6, 0.2, 0.2, 0.2], share=0.7) == ""
