from __future__ import annotations

import json
import re

import pytest
import torch
from torch import nn

from rfcheck import analyze, apply_fix
from rfcheck.errors import InputSizeError, TraceError
from rfcheck.input_reading import read_shape
from rfcheck.input_size import AfterBatch


class Maps(nn.Module):
    """Two convolutions behind something that turns the input into their maps."""

    def __init__(self, turn, *convolutions):
        super().__init__()
        self.turn, (self.a, self.b) = turn, convolutions

    def forward(self, x):
        return self.b(self.a(self.turn(x)))


def channels_last() -> Maps:
    return Maps(lambda x: x.permute(0, 3, 1, 2), nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1))


def series() -> Maps:
    return Maps(lambda x: x.transpose(1, 2), nn.Conv1d(6, 8, 3, padding=1), nn.Conv1d(8, 8, 3, padding=2, dilation=2))


def waveform() -> Maps:
    return Maps(lambda x: x[:, None], nn.Conv1d(1, 8, 80, stride=16), nn.Conv1d(8, 8, 3))


def electrodes() -> Maps:
    return Maps(lambda x: x.unsqueeze(1), nn.Conv2d(1, 8, (1, 25)), nn.Conv2d(8, 8, (22, 1)))


def video() -> Maps:
    return Maps(lambda x: x.transpose(1, 2), nn.Conv3d(3, 8, 3, padding=1), nn.Conv3d(8, 8, (1, 3, 3)))


def usual(axes: int = 2, channels: int = 3) -> Maps:
    kind = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}[axes]
    return Maps(lambda x: x, kind(channels, 8, 3, padding=1), kind(8, 8, 3, padding=1))


LAST = "since the first convolution takes its channels from dimension"
NONE = "without a dimension for channels"


def reach(model: nn.Module, shape: tuple[int, ...], held: tuple[int, ...]) -> tuple[int, ...]:
    """How far the positions that move the middle of the output lie apart, per axis, with data."""
    image = torch.zeros(shape, dtype=torch.float64, requires_grad=True)
    for parameter in model.parameters():
        nn.init.ones_(parameter)
    out = model.double()(image).abs() + model(image)
    out[(0, 0, *(n // 2 for n in out.shape[2:]))].backward()
    moved = image.grad[0].nonzero()
    return tuple(int(moved[:, d - 1].max() - moved[:, d - 1].min()) + 1 for d in held)


@pytest.mark.parametrize(
    ("make", "sizes", "extents", "channels", "held", "read"),
    [
        (
            channels_last,
            [(1, 16, 20, 3), (16, 20, 3), (16, 20), (3, 16, 20), AfterBatch((16, 20, 3)), AfterBatch((3, 16, 20))],
            (16, 20),
            3,
            (1, 2),
            f"input: 1x16x20x3 is read as (N, H, W, C), {LAST} 3",
        ),
        (series, [(100, 6), (6, 100), (1, 100, 6), AfterBatch((100, 6))], (100,), 6, (1,), f"input: 1x100x6 is read as (N, L, C), {LAST} 2"),
        (
            waveform,
            [1600, (1600,), (1, 1600), (1, 1, 1600), AfterBatch((1600,)), AfterBatch((1, 1600))],
            (1600,),
            0,
            (1,),
            f"input: 1x1600 is read as (N, L), {NONE}",
        ),
        (
            electrodes,
            [(22, 100), (1, 22, 100), (1, 1, 22, 100), AfterBatch((22, 100))],
            (22, 100),
            0,
            (1, 2),
            f"input: 1x22x100 is read as (N, H, W), {NONE}",
        ),
        (
            video,
            [(1, 8, 3, 16, 16), (8, 3, 16, 16), (3, 8, 16, 16), AfterBatch((8, 3, 16, 16))],
            (8, 16, 16),
            3,
            (1, 3, 4),
            f"input: 1x8x3x16x16 is read as (N, D, C, H, W), {LAST} 2",
        ),
    ],
    ids=["channels last", "steps first", "no channel", "electrodes", "frames first"],
)  # fmt: skip
def test_the_input_is_read_as_the_model_takes_it(make, sizes, extents, channels, held, read):
    for size in sizes:
        analysis = analyze(make(), size)
        assert (analysis.input_size, analysis.network.channels, analysis.assumptions) == (extents, channels, (read,))
        assert [layer.role for layer in analysis.layers] == ["features", "features"]
        assert analysis.layers[0].in_size == extents
    shape = analysis.graph.graph["input_shape"]
    assert analysis.layer("b").r_max == reach(make(), shape, held)
    plain = json.loads(analysis.to_json())
    assert plain["input"] == {"channels": channels, "size": list(extents)}
    assert plain["assumptions"] == [read]


def test_the_usual_reading_says_nothing():
    assert analyze(usual(), 16).assumptions == ()
    assert analyze(usual(), (3, 16, 16)).graph.graph["input_axes"] == (2, 3)
    first = nn.Sequential(nn.PixelUnshuffle(2), nn.Conv2d(12, 4, 3))  # parts of both axes go into the channels, none as a whole
    assert analyze(first, 16).assumptions == ()


def test_frames_that_are_folded_into_the_batch():
    class Frames(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.Conv2d(3, 8, 3, padding=1)

        def forward(self, x):
            y = self.a(x.flatten(0, 1))
            return y.view(*x.shape[:2], *y.shape[1:])

    analysis = analyze(Frames(), (1, 8, 3, 16, 16))
    assert (analysis.input_size, analysis.layers[0].r_max) == ((8, 16, 16), (1, 3, 3))


@pytest.mark.parametrize(
    ("model", "size", "message"),
    [
        (usual(), AfterBatch((3, 32)), "--input-size 3,32 has one image extent, the model reads two: write 3,32,32"),
        (usual(), AfterBatch((32,)), "--input-size 32 has no image extent, the model reads two: write 3,32,32"),
        (usual(), AfterBatch((3, 8, 32, 48)), "--input-size 3,8,32,48 has three image extents, the model reads two: write 3,32,48"),
        (usual(3, 1), AfterBatch((32, 32)), "--input-size 32,32 has one image extent, the model reads three: write 1,32,32,32"),
        (usual(2, 1), AfterBatch((32, 32)), "--input-size 32,32 has one image extent, the model reads two: write 1,32,32"),
        (usual(3), AfterBatch((3, 32, 48)), "--input-size 3,32,48 has two image extents, the model reads three: write 3,32,48,48"),
        (usual(1), AfterBatch((3, 12, 512)), "--input-size 3,12,512 has two image extents, the model reads one: write 3,512"),
    ],
)
def test_another_number_of_extents_is_refused(model, size, message):
    with pytest.raises(InputSizeError) as error:
        analyze(model, size)
    assert str(error.value) == message
    written = re.search(r"write ([\d,]+)$", message)
    assert written is not None
    analyze(model, AfterBatch(map(int, written[1].split(","))))  # the remedy works


def test_an_image_is_not_taken_for_one_without_a_batch():
    one = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1))
    one(torch.zeros(1, 8, 32))  # torch reads this as one image of one channel
    with pytest.raises(InputSizeError) as error:
        analyze(one, AfterBatch((8, 32)))
    assert str(error.value) == "--input-size 8,32 has one image extent, the model reads two: write 1,8,32"


def test_a_size_whose_first_number_fits_by_chance_is_not_turned_round():
    with pytest.raises(TraceError, match="the layer expects 32 channels and the input has 3"):
        analyze(nn.Sequential(nn.Conv2d(32, 4, 3, padding=1)), (3, 32, 32))


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_lazy_modules_get_their_shapes_on_a_copy(device):
    with torch.device(device):
        model = nn.Sequential(
            nn.LazyConv2d(6, 5, padding=2), nn.MaxPool2d(2), nn.LazyConv2d(16, 5), nn.Flatten(), nn.LazyLinear(120)
        )
    analysis = analyze(model, (1, 28, 28))
    assert analysis.params == 5 * 5 * 6 + 6 + 5 * 5 * 6 * 16 + 16 + 16 * 10 * 10 * 120 + 120
    assert [layer.r_max for layer in analysis.layers[:3]] == [(5, 5), (6, 6), (14, 14)]
    assert isinstance(model[0], nn.LazyConv2d)


def test_a_fix_is_carried_out_on_the_input_that_it_was_made_for():
    model = Maps(lambda x: x.permute(0, 3, 1, 2), nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 41, padding=20))
    analysis = analyze(model, (16, 16, 3))
    crop = next(fix for fix in analysis.fixes if fix.name.startswith("crop-kernels"))
    changed = apply_fix(model, crop, (16, 16, 3))
    image = torch.rand(1, 16, 16, 3)
    assert torch.allclose(changed(image), model(image), atol=1e-5)
    assert analyze(changed, 16).input_size == (16, 16)


def test_shapes_that_a_size_stands_for():
    model = usual()
    assert read_shape(model, 16, 3, ()) == (1, 3, 16, 16)
    assert read_shape(model, 16, 3, (1, 16, 16, 3)) == (1, 16, 16, 3)
    assert read_shape(model, (16,), 3, (1, 16)) == (1, 16)
    with pytest.raises(InputSizeError):
        read_shape(model, (16,), 3, (1, 5))
