from __future__ import annotations

import pytest
import torch
from torch import nn

from rfcheck.graph.feasibility import working_resolution
from rfcheck.graph.trace import can_trace

SHRINKING = nn.Sequential(nn.Conv2d(3, 4, 11, 4), nn.MaxPool2d(3, 2), nn.Conv2d(4, 4, 5))
FIXED = nn.Sequential(nn.Conv2d(3, 4, 2, 2), nn.Flatten(), nn.Linear(4 * 16 * 16, 2))
BROKEN = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(5, 4, 3))


@pytest.mark.parametrize(
    ("model", "size", "expected"), [(SHRINKING, 32, (51, False)), (FIXED, 224, (32, False)), (BROKEN, 32, None)]
)
def test_what_works_instead(model, size, expected):
    assert working_resolution(model, (1, 3, size, size)) == expected


def test_the_answer_is_the_smallest():
    assert can_trace(SHRINKING, (1, 3, 51, 51))
    assert not can_trace(SHRINKING, (1, 3, 50, 50))


def test_a_model_tied_to_one_resolution():
    tied = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(4 * 30 * 30, 2))
    assert working_resolution(tied, (1, 3, 64, 64)) == (32, True)


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_a_lazy_model_works_nowhere(device):
    with torch.device(device):
        lazy = nn.Sequential(nn.LazyConv2d(4, 3), nn.LazyConv2d(4, 3))
    assert not can_trace(lazy, (1, 3, 32, 32))
    assert working_resolution(lazy, (1, 3, 32, 32)) is None
