from __future__ import annotations

import pytest
import torch
from torch import nn

from rfcheck.graph.feasibility import Feasible, Trials, TrialsEndedError, working_batch, working_channels, working_sizes
from rfcheck.graph.trace import can_trace


class Only(nn.Module):
    """Takes the sizes that a function allows."""

    def __init__(self, allowed):
        super().__init__()
        self.allowed, self.conv = allowed, nn.Conv2d(3, 4, 3, padding=1)

    def forward(self, x):
        assert all(map(self.allowed, x.shape[2:]))
        return self.conv(x)


class Rows(nn.Module):
    """Reads an image of one channel row by row; any other size becomes another number of images where it divides."""

    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(28, 4, batch_first=True)

    def forward(self, x):
        return self.rnn(x.reshape(-1, 28, 28))[0]


class Sixteen(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.linear = nn.Conv2d(3, 8, 3, stride=32, padding=1), nn.Linear(8, 10)

    def forward(self, x):
        return self.linear(self.conv(x).view(16, -1))


SHRINKING = nn.Sequential(nn.Conv2d(3, 4, 11, 4), nn.MaxPool2d(3, 2), nn.Conv2d(4, 4, 5))
BROKEN = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(5, 4, 3))


def tied(size: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(4 * (size - 2) ** 2, 2))


@pytest.mark.parametrize(
    ("model", "size", "expected"),
    [
        (Only(lambda n: n % 8 == 0), 100, Feasible(96, 104, 8, whole=True, is_least=False)),
        (Only(lambda n: n % 8 == 0), 3, Feasible(None, 8, 8, whole=True, is_least=True)),
        (Only(lambda n: n % 48 == 0), 50, Feasible(48, 96, 48, whole=True, is_least=False)),
        (Only(lambda n: n % 224 == 0), 500, Feasible(448, 672, 224, whole=True, is_least=False)),
        (Only(lambda n: n % 2 == 1), 32, Feasible(31, 33, 2, whole=False, is_least=False)),
        (Only(lambda n: n % 32 == 0 and n >= 256), 100, Feasible(None, 256, 32, whole=True, is_least=True)),
        (Only(lambda n: n <= 64), 100, Feasible(64, None, 1, whole=True, is_least=False)),
        (SHRINKING, 32, Feasible(None, 51, 1, whole=True, is_least=True)),
        (tied(32), 64, Feasible(32, None, 0, whole=False, is_least=False)),
        (Only(lambda _: False), 64, None),
        (BROKEN, 32, None),
        (Rows(), 64, None),
        (Sixteen(), 32, None),
    ],
    ids=["8", "8 below", "48", "224", "odd", "32 from 256", "up to 64", "from 51", "tied", "never", "broken", "rows", "batch"],
)
def test_what_works_instead(model, size, expected):
    found = working_sizes(Trials(model), (1, 3, size, size))
    assert found == expected
    for works in () if found is None else found.sizes:
        real = model(torch.zeros(1, 3, works, works))  # an oracle with data
        assert real.shape[0] == 1
    with pytest.raises((AssertionError, RuntimeError)):
        model(torch.zeros(1, 3, size, size))


def test_every_input_is_tried_once():
    calls = []

    class Counting(Only):
        def forward(self, x):
            calls.append(tuple(x.shape))
            return super().forward(x)

    trials = Trials(Counting(lambda n: n % 8 == 0))
    working_sizes(trials, (1, 3, 100, 100))
    working_sizes(trials, (1, 3, 100, 100))
    assert len(calls) == len(set(calls)) < 100


def test_the_search_ends(monkeypatch):
    monkeypatch.setattr("rfcheck.graph.feasibility._MOST_STEPS", 20)
    trials = Trials(Only(lambda n: n == 1000))  # two modules
    with pytest.raises(TrialsEndedError):
        working_sizes(trials, (1, 3, 100, 100))
    assert trials.working() == []
    assert len(trials._results) == 10


def test_with_data_large_inputs_end_it_sooner(monkeypatch):
    monkeypatch.setattr("rfcheck.graph.feasibility._MOST_STEPS", 190)
    trials = Trials(torch.jit.script(nn.Conv2d(3, 4, 3)))
    assert trials.works((1, 3, 8, 8))
    assert trials.works((1, 3, 256, 256))
    with pytest.raises(TrialsEndedError):
        trials.works((1, 3, 16, 16))
    assert trials.working() == [(1, 3, 8, 8), (1, 3, 256, 256)]


def test_batches():
    assert working_batch(Trials(Sixteen()), (1, 3, 32, 32)) == (16, 3, 32, 32)
    assert working_batch(Trials(Sixteen()), (1, 3, 64, 64), [16]) == (16, 3, 16, 16)
    assert working_batch(Trials(BROKEN), (1, 3, 32, 32)) is None


def test_channels():
    assert working_channels(Trials(Rows()), (1, 3, 64, 64), [1], []) == (1, 1, 28, 28)
    assert working_channels(Trials(SHRINKING), (1, 1, 64, 64), [1, 3], []) == (1, 3, 64, 64)
    assert working_channels(Trials(BROKEN), (1, 3, 64, 64), [1], []) is None


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_a_lazy_model_is_tried_on_copies(device):
    with torch.device(device):
        lazy = nn.Sequential(nn.LazyConv2d(4, 9), nn.LazyConv2d(4, 3))
    assert not can_trace(lazy, (1, 3, 32, 32))
    assert working_sizes(Trials(lazy), (1, 3, 8, 8)) == Feasible(None, 11, 1, whole=True, is_least=True)
    assert isinstance(lazy[0], nn.LazyConv2d)
