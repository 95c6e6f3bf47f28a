"""Units that border on copies, against the support of the input gradient of every unit."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from rfcheck import analyze
from tests.indicators import made_positive
from tests.oracle import Apply, gradient_spans


def widest(model: nn.Module, size: tuple[int, ...]) -> tuple[int, ...]:
    """Extent of what the widest unit of the output depends on, per axis."""
    spans = gradient_spans(model, (1, 1, *size))
    return tuple(max((span[1] - span[0] + 1 for span in along_axis if span is not None), default=0) for along_axis in spans)


def holes(stride: int = 2) -> nn.Module:
    """A transposed convolution whose units read one position or none."""
    return nn.ConvTranspose1d(1, 1, 1, stride, bias=False)


@pytest.mark.parametrize("mode", ["replicate", "reflect"])
@pytest.mark.parametrize("amounts", [(1, 0), (0, 1), (2, 3), (3, 3)])
@pytest.mark.parametrize(("kernel", "stride"), [(1, 2), (2, 2), (3, 1), (2, 3)])
@pytest.mark.parametrize("before", [holes, lambda: nn.Sequential(nn.Conv1d(1, 1, 2, bias=False), nn.Upsample(scale_factor=2))])
def test_every_unit_behind_uneven_units(mode, amounts, kernel, stride, before):
    model = made_positive(
        nn.Sequential(before(), Apply(lambda x: F.pad(x, amounts, mode=mode)), nn.Conv1d(1, 1, kernel, stride, bias=False))
    )
    (layer,) = (x for x in analyze(model, (1, 7)).layers if x.name == "2")
    large = widest(model, (60,))
    assert layer.r_max == tuple(map(max, large, widest(model, (7,))))
    assert layer.r_min is not None
    assert layer.r_max >= layer.r_min


def test_a_copied_border_in_a_decoder_reaches_the_layers_behind_it():
    model = made_positive(
        nn.Sequential(holes(), nn.ReplicationPad1d((1, 0)), nn.Conv1d(1, 1, 1, 2, bias=False), nn.Conv1d(1, 1, 3, bias=False))
    )
    layers = {layer.name: layer for layer in analyze(model, (1, 9)).layers}
    assert layers["2"].r_max == (1,) == widest(model[:3], (9,))
    assert layers["3"].r_max == (1,) == widest(model, (9,))


def test_each_axis_has_its_own_border():
    holes_in_columns = nn.ConvTranspose2d(1, 1, 1, (1, 2), bias=False)
    model = made_positive(
        nn.Sequential(holes_in_columns, nn.ReplicationPad2d((1, 0, 1, 0)), nn.Conv2d(1, 1, (3, 1), (1, 2), bias=False))
    )
    assert analyze(model, (1, 8, 8)).layers[-1].r_max == (3, 1) == widest(model, (8, 8))


@pytest.mark.parametrize("mode", ["replicate", "reflect"])
def test_where_all_units_read_alike_a_border_adds_nothing(mode):
    model = made_positive(nn.Sequential(*(nn.Conv2d(1, 1, 3, padding=1, padding_mode=mode, bias=False) for _ in range(3))))
    analysis = analyze(model, (1, 20, 20))
    assert analysis.layers[-1].r_max == (7, 7) == widest(model, (20, 20))
    assert all(field.copied == 0 for fields in analysis.network.fields.values() for field in fields)


def test_gates_do_not_count_at_the_border_either():
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.up, self.weigh, self.last = holes(), nn.Conv1d(1, 1, 5, padding=2, padding_mode="replicate"), nn.Conv1d(1, 1, 1)

        def forward(self, x):
            x = self.up(x)
            return self.last(x * torch.sigmoid(self.weigh(x)))

    assert analyze(Net(), (1, 9)).layer("last").r_max == (1,)


@pytest.mark.parametrize("mode", ["replicate", "reflect"])
def test_positions_that_a_view_has_repeated_are_copied_one_by_one(mode):
    """Two positions stand for each unit before the padding: what is copied is one of them, not both."""
    repeated = Apply(lambda x: F.pad(x[..., None].expand(-1, -1, -1, 2).flatten(2), (2, 1), mode=mode))
    model = made_positive(nn.Sequential(nn.Conv1d(1, 1, 3, 3, bias=False), repeated, nn.Conv1d(1, 1, 3, 2, bias=False)))
    assert analyze(model, (1, 30)).layer("2").r_max == widest(model, (30,)) == (6,)
