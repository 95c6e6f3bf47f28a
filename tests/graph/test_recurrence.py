"""Recurrent layers: one a call, however it is traced; against the input gradient and torch's own counter."""

import copy
import math

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from torch.utils.flop_counter import FlopCounterMode

from rfcheck import analyze

LAYERS = {
    "LSTM": nn.LSTM(4, 3, batch_first=True),
    "LSTM of two layers and directions": nn.LSTM(4, 3, num_layers=2, bidirectional=True, batch_first=True),
    "LSTM with a projection": nn.LSTM(4, 6, proj_size=3, num_layers=2, batch_first=True),
    "GRU": nn.GRU(4, 3, bidirectional=True, batch_first=True),
    "RNN": nn.RNN(4, 3, num_layers=3, nonlinearity="relu", batch_first=True),
    "RNN without biases": nn.RNN(4, 3, bias=False, batch_first=True),
}


class Columns(nn.Module):
    """A recurrent layer over the columns of a map that was averaged over its rows."""

    def __init__(self, layer, *, reads_data=False):
        super().__init__()
        self.conv, self.layer, self.reads_data = nn.Conv2d(1, 4, 3, padding=1), layer, reads_data

    def forward(self, x):
        y = self.conv(x)
        if self.reads_data:
            y = y + 0 * y.sum().item()
        return self.layer(y.mean(2).transpose(1, 2))[0]


def by_torch(model, shape):
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        copy.deepcopy(model).to("meta").eval()(torch.empty(shape, device="meta"))
    return counter.get_total_flops() // 2


@pytest.mark.parametrize("reads_data", [False, True], ids=["meta", "real"])
@pytest.mark.parametrize("name", LAYERS)
def test_a_call_is_one_layer(name, reads_data):
    layer = LAYERS[name]
    analysis = analyze(Columns(layer, reads_data=reads_data), (1, 8, 20))
    found = analysis.layer("layer")
    assert analysis.traced_with == ("real" if reads_data else "meta")
    assert [x.name for x in analysis.layers if x.kind == "recurrent"] == ["layer"]
    assert (found.params, found.module_type) == (sum(p.numel() for p in layer.parameters()), type(layer).__name__)
    assert analysis.flops == by_torch(Columns(layer), (1, 1, 8, 20))
    assert (found.in_size, found.out_size, found.role, found.judged) == ((1, 20), (1, 20), "head", False)
    assert found.out_channels == analysis.graph.nodes["layer"]["shape"][2]
    assert found.r_max == (math.inf, math.inf)
    assert analysis.assumptions == ()


def test_columns_read_each_other_and_rows_do_not():
    """Rows are sequences of their own: each reads three rows of pixels, and every column of them."""

    class Rows(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.layer = nn.Conv2d(1, 4, 3, padding=1), nn.LSTM(4, 3, bidirectional=True)

        def forward(self, x):
            sequences = self.conv(x)[0].permute(2, 1, 0)  # (columns, rows, channels)
            return self.layer(sequences)[0].permute(2, 1, 0)[None]

    analysis = analyze(Rows(), (1, 8, 20))
    image = torch.rand(1, 1, 8, 20, dtype=torch.float64, requires_grad=True)
    Rows().double()(image)[0, :, 4, 10].sum().backward()
    assert [int(image.grad[0, 0].any(axis).sum()) for axis in (1, 0)] == [3, 20]
    assert analysis.layer("layer").r_max == (3, math.inf)
    assert (analysis.layer("layer").in_size, analysis.layer("layer").out_size) == ((8, 20), (8, 20))


def test_a_thousand_steps_are_one_node():
    analysis = analyze(nn.Sequential(nn.Conv1d(1, 4, 3, padding=1), Turned(nn.GRU(4, 3, batch_first=True))), (1, 1, 5000))
    assert len(analysis.graph) < 8
    assert analysis.layer("1.layer").flops == 5000 * (4 + 3) * 3 * 3


class Turned(nn.Module):
    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x):
        return self.layer(x.mT)[0].mT


def test_a_state_made_from_the_image_reaches_every_step():
    class Captioning(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.layer = nn.Conv2d(1, 3, 3), nn.GRU(2, 3, batch_first=True)
            self.words = nn.Parameter(torch.zeros(1, 7, 2))

        def forward(self, x):
            return self.layer(self.words, self.conv(x).mean((2, 3))[None])[0]

    analysis = analyze(Captioning(), (1, 8, 8))
    assert analysis.layer("layer").r_max == (math.inf, math.inf)
    assert (analysis.layer("layer").flops, analysis.assumptions) == (7 * (2 + 3) * 3 * 3, ())


def test_the_last_state_reads_everything():
    class Last(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.layer, self.fc = nn.Conv1d(4, 4, 1), nn.LSTM(4, 3), nn.Linear(3, 2)

        def forward(self, x):
            return self.fc(self.layer(self.conv(x).permute(2, 0, 1))[1][0][-1])

    assert analyze(Last(), (4, 9)).layer("fc").r_max == (math.inf,)


def test_packed_sequences():
    class Packed(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv1d(4, 4, 1)
            self.layer, self.fc = nn.LSTM(4, 3, batch_first=True), nn.Linear(3, 2)

        def forward(self, x):
            packed = pack_padded_sequence(self.conv(x).mT, torch.full((len(x),), x.shape[2], device="cpu"), batch_first=True)
            return self.fc(pad_packed_sequence(self.layer(packed)[0], batch_first=True)[0])

    layers = analyze(Packed(), (4, 9)).layers
    assert [(x.kind, x.r_max, x.in_size, x.flops) for x in layers[1:]] == [
        ("recurrent", (math.inf,), (9,), 9 * (4 + 3) * 3 * 4),
        ("linear", (math.inf,), (9,), 9 * 3 * 2),
    ]


def test_cells_called_step_by_step_stay_what_they_are():
    class Cells(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.cell = nn.Conv1d(4, 4, 1), nn.GRUCell(4, 3)

        def forward(self, x):
            state = x.new_zeros(1, 3)
            for step in self.conv(x).unbind(2):
                state = self.cell(step, state)
            return state

    assert [x.kind for x in analyze(Cells(), (4, 3)).layers] == ["conv"] + ["linear"] * 5  # the first state is constant


def test_a_scripted_layer_is_one_layer_too():
    analysis = analyze(torch.jit.script(Columns(nn.LSTM(4, 3, batch_first=True))), (1, 8, 20))
    assert [(x.kind, x.flops) for x in analysis.layers if x.kind != "pool"] == [("conv", 8 * 20 * 36), ("recurrent", 20 * 7 * 12)]
