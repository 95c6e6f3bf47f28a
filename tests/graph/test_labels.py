"""Parts of concatenations behind what moves their channels, held against the support of the input gradient."""

import torch
import torch.nn.functional as F
from torch import nn

from tests.graph.cases import assert_as_gradient, cases, conv
from tests.oracle import Apply


def channels_of(take, *layers):
    """A convolution of what is taken of two maps side by side, two channels each, of windows 3 and 7."""

    def function(x, small, large, last, *others):
        return last(take(torch.cat([small(x), large(x)], 1), *others))

    return Apply(function, conv(padding=1), conv(7, padding=3), conv((2, 3)), *layers)


@cases(
    {
        "four parts": channels_of(lambda y: torch.cat(y.chunk(4, 1)[:2], 1)),
        "normalised": channels_of(lambda y, norm: norm(y).narrow(1, 2, 2), nn.BatchNorm2d(4).eval()),
        "mirrored": channels_of(lambda y: y.flip(1)[:, :2]),
        "rolled": channels_of(lambda y: y.roll(2, 1)[:, :2]),
        "rolled by one": channels_of(lambda y: y.roll(1, 1)[:, 1:3]),
        "channels of padding before": channels_of(lambda y: F.pad(y, (0, 0, 0, 0, 1, 0))[:, 1:3]),
        "channels cropped": channels_of(lambda y: F.pad(y, (0, 0, 0, 0, -1, 1))[:, 1:3]),
        "padding and one input": channels_of(lambda y: F.pad(y, (0, 0, 0, 0, 1, 0))[:, :2]),
        "repeated": channels_of(lambda y: y.repeat(1, 2, 1, 1)[:, 4:6]),
        "chosen": channels_of(lambda y: y.index_select(1, torch.tensor([3, 2]))),
        "chosen of both": channels_of(lambda y: y.index_select(1, torch.tensor([0, 3]))),
        "shuffled": channels_of(lambda y: F.channel_shuffle(y, 2)[:, ::2]),
        "beside others": channels_of(lambda y: torch.cat([y, y], 1)[:, 4:6]),
        "groups of a convolution": channels_of(lambda y, mix: mix(y)[:, :2], nn.Conv2d(4, 4, 3, groups=2)),
        "groups across inputs": channels_of(lambda y, mix: mix(y.roll(1, 1))[:, :2], nn.Conv2d(4, 4, 3, groups=2)),
        "depth-wise": channels_of(lambda y, mix: mix(y)[:, 2:4], nn.Conv2d(4, 4, 3, groups=4)),
    }
)
def test_a_part_reads_its_own_inputs(case):
    assert_as_gradient(case)
