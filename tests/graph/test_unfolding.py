"""Patches and columns, held against the support of the input gradient."""

import torch.nn.functional as F
from torch import nn

import rfcheck
from tests.graph.cases import EXACT, assert_as_gradient, cases, conv
from tests.oracle import Apply, gradient_extents


def inside_patches(x, a, inner, b):
    x = a(x)
    n, c, h, w = x.shape
    y = inner(F.unfold(x, 8, stride=8).transpose(1, 2).reshape(-1, c, 8, 8))
    return b(F.fold(y.reshape(n, -1, c * 64).transpose(1, 2), (h, w), 8, stride=8))


def apart_again(x, a, b):
    """Windows that overlap, scaled and laid over one another: every position stays its own."""
    x = a(x)
    return b(F.fold(2 * F.unfold(x, 3, padding=1, dilation=2, stride=2), x.shape[2:], 3, padding=1, dilation=2, stride=2))


def blocks_with_halo(x, a, b):
    x = a(x)
    n, c, h, w = x.shape
    q = x.reshape(n, c, h // 4, 4, w // 4, 4).permute(0, 1, 3, 5, 2, 4).reshape(n, c, 16, -1).transpose(1, 3)
    kv = F.pad(x, [1] * 4).unfold(2, 6, 4).unfold(3, 6, 4).reshape(n, c, h * w // 16, 36).permute(0, 2, 3, 1)
    y = (0.1 * q @ kv.transpose(-1, -2)).softmax(-1) @ kv
    return b(y.transpose(1, 3).reshape(n, c, 4, 4, h // 4, w // 4).permute(0, 1, 4, 2, 5, 3).reshape(n, c, h, w))


def mean_of_frames(x, a, b):
    return b(a(x).unfold(2, 5, 3).mean(-1))


@cases(
    {
        "convolution inside patches": Apply(inside_patches, conv(padding=1), conv(3, padding=1), conv()),
        "overlapping columns and back": Apply(apart_again, conv(padding=1), conv((2, 3))),
        "attention in blocks with a halo": Apply(blocks_with_halo, conv(padding=1), conv((2, 3))),
        "frames": Apply(mean_of_frames, conv(padding=1), conv((2, 3))),
    }
)
def test_windows_are_positions_of_their_own(case):
    assert_as_gradient(case, periodic=False)


def test_a_convolution_inside_patches_sees_its_patch_only():
    model = Apply(lambda x, inner: inner(F.unfold(x, 8, stride=8).transpose(1, 2).reshape(-1, 2, 8, 8)), conv(3, padding=1))
    layer = rfcheck.analyze(model, (1, 2, 48, 40), settings=EXACT).layers[0]
    assert (layer.in_size, layer.out_size, layer.r_max) == ((8, 8), (8, 8), (3, 3))


def test_columns_mixed_by_a_layer_read_whole_windows():
    mix = nn.Linear(18, 18)
    model = Apply(lambda x, m: F.fold(m(F.unfold(x, 3, padding=1).mT).mT, x.shape[2:], 3, padding=1), mix)
    analysis = rfcheck.analyze(model, (1, 2, 24, 24))
    folded = analysis.network.fields[analysis.graph.graph["outputs"][0]]
    assert [field.r_max for field in folded] == [5, 5] == list(gradient_extents(model, (1, 2, 24, 24)))
