"""What relates distant pixels behind the last feature map, against the gradient of a feature of the network's middle unit."""

import math

import pytest
import torch
from torch import nn

from rfcheck import analyze

LENGTH, STEPS = 64, 16  # samples, and steps that two strided convolutions make of them


class Behind(nn.Module):
    """Two convolutions that see 11 of 64 samples, and something behind them."""

    def __init__(self, head, **parts: nn.Module) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv1d(3, 8, 3, 2, 1), nn.ReLU(), nn.Conv1d(8, 8, 5, 2, 2))
        self.head = head
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, x):
        return self.head(self, self.features(x))


def steps(x):
    return x.transpose(1, 2)


def last_step(m, x):
    return m.fc(m.rnn(steps(x))[0][:, -1])


def all_steps(m, x):
    return m.fc(m.rnn(steps(x))[0])


def by_hand(m, x):
    state = x.new_zeros(1, 8)
    for step in x.unbind(2):
        state = m.rnn(step, state)
    return m.fc(state)


def attention(m, x):
    tokens = steps(x)
    return m.fc(m.attend(tokens, tokens, tokens, need_weights=False)[0].mean(1))


def attention_written_out(m, x):
    weights = (steps(x) @ x / 8**0.5).softmax(-1)
    return m.fc((weights @ steps(x)).mean(1))


def attention_pool(m, x):
    """One query, the mean of all positions, as CLIP has it."""
    weights = (x.mean(2, keepdim=True).transpose(1, 2) @ x).softmax(-1)
    return m.fc((weights @ steps(x))[:, 0])


def competing_weights(m, x):
    return m.fc((x * m.score(x).softmax(-1)).sum(2))


def fourier(m, x):
    return m.fc(torch.fft.rfft(x).abs().mean(2))


def bilinear_pool(m, x):
    return m.fc((x @ steps(x)).mean(1))


def average(m, x):
    return m.fc(x.mean(2))


def statistics(m, x):
    return m.fc(torch.cat([x.mean(2)[:, :4], x.amax(2)[:, 4:]], 1))


def reweighed_average(m, x):
    return m.fc((x * m.score(x).sigmoid()).mean(2))


def flattened(m, x):
    return m.flat(x.flatten(1))


FC = {"fc": nn.Linear(8, 2)}


@pytest.mark.parametrize(
    ("head", "parts"),
    [
        pytest.param(last_step, FC | {"rnn": nn.GRU(8, 4, batch_first=True, bidirectional=True)}, id="GRU"),
        pytest.param(all_steps, FC | {"rnn": nn.LSTM(8, 4, batch_first=True, bidirectional=True)}, id="LSTM"),
        pytest.param(last_step, FC | {"rnn": nn.LSTM(8, 8, batch_first=True)}, id="one direction"),
        pytest.param(last_step, FC | {"rnn": nn.RNN(8, 8, batch_first=True)}, id="RNN"),
        pytest.param(by_hand, FC | {"rnn": nn.GRUCell(8, 8)}, id="cell by cell"),
        pytest.param(attention, FC | {"attend": nn.MultiheadAttention(8, 2, batch_first=True)}, id="attention"),
        pytest.param(attention_written_out, FC, id="attention written out"),
        pytest.param(attention_pool, FC, id="attention pool"),
        pytest.param(competing_weights, FC | {"score": nn.Conv1d(8, 1, 1)}, id="weights that compete"),
        pytest.param(fourier, FC, id="Fourier"),
    ],
)
def test_what_mixes_positions_relates_them(head, parts):
    assert "RF104" not in {finding.code for finding in analyze(Behind(head, **parts), (3, LENGTH)).findings}


@pytest.mark.parametrize(
    ("head", "parts"),
    [
        pytest.param(average, FC, id="average"),
        pytest.param(statistics, FC, id="mean and maximum"),
        pytest.param(bilinear_pool, FC, id="bilinear pool"),
        pytest.param(reweighed_average, FC | {"score": nn.Conv1d(8, 1, 1)}, id="weights one by one"),
        pytest.param(flattened, {"flat": nn.Linear(8 * STEPS, 2)}, id="one weight for each position"),
    ],
)
def test_a_head_that_combines_relates_nothing(head, parts):
    (finding,) = (f for f in analyze(Behind(head, **parts), (3, LENGTH)).findings if f.code == "RF104")
    assert "its units see 11 px" in finding.message


def test_a_last_map_that_is_unbounded_on_one_axis_only():
    model = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.AdaptiveAvgPool2d((1, None)))
    analysis = analyze(model, (16, 32))
    (finding,) = (f for f in analysis.findings if f.code == "RF104")
    assert "its units see the whole height x 3 px, so" in finding.message
    assert analysis.network.last_map is not None
    assert analysis.network.last_map.r_max == (math.inf, 3)
