"""Views, padding and shifts, held against the support of the input gradient."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import rfcheck
from tests.graph.cases import assert_as_gradient, between, conv, moved, split_into_windows
from tests.oracle import Apply


def unfolded(kernel, stride, padding, dilation):
    def function(x):
        sizes = [
            (n + 2 * p - d * (k - 1) - 1) // s + 1
            for n, k, s, p, d in zip(x.shape[2:], kernel, stride, padding, dilation, strict=True)
        ]
        return F.unfold(x, kernel, dilation, padding, stride).view(len(x), -1, *sizes)

    return function


def folded(kernel, stride, padding, dilation):
    def function(x):
        sizes = [
            (n - 1) * s + d * (k - 1) + 1 - 2 * p
            for n, k, s, p, d in zip(x.shape[2:], kernel, stride, padding, dilation, strict=True)
        ]
        return F.fold(x.flatten(2), sizes, kernel, dilation, padding, stride)

    return function


def unfolded_and_folded(x, a, mix, b):
    x = a(x)
    columns = mix(F.unfold(x, 3, padding=1, stride=2).transpose(1, 2)).transpose(1, 2)
    return b(F.fold(columns, x.shape[2:], 3, padding=1, stride=2))


def depth_to_space(x):
    return x.view(-1, 2, 2, 3, 48, 40).permute(0, 1, 4, 2, 5, 3).reshape(-1, 2, 96, 120)


def space_to_batch(x, a, b):
    phases = split_into_windows(a(x), 2).permute(0, 3, 5, 1, 2, 4).flatten(0, 2)
    return b(phases).view(-1, 2, 2, 2, 24, 20).permute(0, 3, 4, 1, 5, 2).reshape(-1, 2, 48, 40)


def rows_as_series(x, a, b):
    return b(a(x).transpose(1, 2).flatten(0, 1)).view(-1, 48, 2, 40).transpose(1, 2)


ODD = ((3, 2), (1, 2), (2, 0), (2, 1))

REARRANGEMENTS = {
    "pixel_shuffle": moved(lambda x: F.pixel_shuffle(x, 3), 18),
    "pixel_unshuffle": moved(lambda x: F.pixel_unshuffle(x, 2), 2, 8),
    "unfold": moved(unfolded((3, 3), (2, 2), (1, 1), (1, 1)), 2, 18),
    "unfold, odd": moved(unfolded(*ODD), 2, 12),
    "fold": moved(folded((2, 2), (2, 2), (0, 0), (1, 1)), 8, 2),
    "fold, odd": moved(folded(*ODD), 12, 2),
    "unfold, linear, fold": Apply(unfolded_and_folded, conv(padding=1), nn.Linear(18, 18), conv()),
    "tensor.unfold": moved(lambda x: x.unfold(2, 3, 2).permute(0, 1, 4, 2, 3).flatten(1, 2), 2, 6),
    "pad": moved(lambda x: F.pad(x, (1, 2, 3, 0))),
    "pad reflect": moved(lambda x: F.pad(x, (1, 2, 3, 0), mode="reflect")),
    "pad replicate": moved(lambda x: F.pad(x, (1, 2, 3, 0), mode="replicate")),
    "pad circular": moved(lambda x: F.pad(x, (1, 2, 3, 0), mode="circular")),
    "crop by negative padding": moved(lambda x: F.pad(x, (-1, 2, -3, -2))),
    "roll": moved(lambda x: x.roll((3, -2), (2, 3))),
    "roll channels": moved(lambda x: x.roll(1, 1)),
    "flip": moved(lambda x: x.flip(2, 3)),
    "flip behind a stride": between(lambda x: x.flip(-1), conv((4, 2), stride=2), conv(2, stride=2, dilation=2)),
    "flip behind an interpolation": moved(lambda x: F.interpolate(x, scale_factor=2, mode="bilinear").flip(2)),
    "flip one branch": Apply(lambda x, a, b: a(x) + b(x.flip(3)).flip(3), conv(4, padding="same"), conv(2, padding="same")),
    "space-to-depth by views": moved(lambda x: split_into_windows(x, 2).permute(0, 3, 5, 1, 2, 4).flatten(1, 3), 2, 8),
    "space-to-depth by unflatten": moved(lambda x: x.unflatten(2, (24, 2)).movedim(3, 1).flatten(1, 2), 2, 4),
    "depth-to-space by views": moved(depth_to_space, 12, 2),
    "depth-to-space by expand": moved(lambda x: x[:, :, :, None, :, None].expand(-1, -1, -1, 2, -1, 3).reshape(-1, 2, 96, 120)),
    "depth-to-space by stack": moved(lambda x: torch.stack([x, x], -1).flatten(3)),
    "NHWC linear": Apply(lambda x, a, mix, b: b(mix(a(x).movedim(1, 3)).permute(0, 3, 1, 2)), conv(2), nn.Linear(2, 2), conv(2)),
    "transposed axes": Apply(lambda x, a, b: b(a(x).mT).transpose(2, 3), conv((3, 5)), conv((1, 4))),
    "channel shuffle by views": moved(lambda x: x.view(-1, 2, 4, 48, 40).transpose(1, 2).flatten(1, 2), 8, 8),
    "channel_shuffle": moved(lambda x: F.channel_shuffle(x, 4), 8, 8),
    "channels chosen by index": moved(lambda x: x[:, [1, 0, 1]], 2, 3),
    "repeat_interleave": moved(lambda x: x.repeat_interleave(3, 2).repeat_interleave(2, -1)),
    "repeat channels": moved(lambda x: x.repeat(1, 3, 1, 1), 2, 6),
    "rows as a series": Apply(rows_as_series, conv(padding=1), nn.Conv1d(2, 2, 5, padding=2)),
    "channels as a batch": Apply(lambda x, a, b: b(a(x).flatten(0, 1)[:, None]).view(-1, 2, 44, 36), conv(), conv(3, 1, 1)),
    "space-to-batch": Apply(space_to_batch, conv(padding=1), conv(padding=1)),
}  # fmt: skip


@pytest.mark.parametrize("name", REARRANGEMENTS)
def test_rearrangement(name):
    assert_as_gradient(REARRANGEMENTS[name], wraps=name in ("roll", "pad circular"))


@pytest.mark.parametrize("axis", [0, 1])
def test_repeat_reads_far_apart_positions_where_copies_meet(axis):
    times = [1, 1, 1, 1]
    times[axis + 2] = 2
    model = between(lambda x: x.repeat(times), conv(), conv())
    assert_as_gradient(model, (1, 2, 28, 28))
    assert rfcheck.analyze(model, (2, 28, 28)).layers[-1].r_max[axis] == 28
