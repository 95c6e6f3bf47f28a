"""Sampling at given places, held against the support of the gradient and against changes of single lines of pixels."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import rfcheck
from tests.graph.cases import TOKENS, assert_as_changed, assert_as_gradient, cases, conv, moved
from tests.oracle import Apply

ops = pytest.importorskip("torchvision.ops")


def places(height: int, width: int, like: torch.Tensor) -> torch.Tensor:
    """The grid of the centres of so many positions, written out."""
    rows, columns = ((torch.arange(n, dtype=like.dtype) + 0.5) * 2 / n - 1 for n in (height, width))
    return torch.stack(torch.meshgrid(rows, columns, indexing="ij")[::-1], -1)[None].to(like)


def affine(theta, size, mode="bilinear", padding="zeros", corners=False):
    """Sampling at a constant affine map of the positions."""

    def function(x):
        maps = torch.tensor([theta], dtype=x.dtype).expand(len(x), -1, -1)
        grid = F.affine_grid(maps, [len(x), 1, *size], align_corners=corners)
        return F.grid_sample(x, grid, mode=mode, padding_mode=padding, align_corners=corners)

    return function


IDENTITY, SAME = [[1.0, 0, 0], [0, 1.0, 0]], (16, 12)


@cases(
    {
        "identity": affine(IDENTITY, SAME),
        "identity, nearest": affine(IDENTITY, SAME, "nearest"),
        "identity, bicubic": affine(IDENTITY, SAME, "bicubic"),
        "identity, corners": affine(IDENTITY, SAME, corners=True),
        "identity, border": affine(IDENTITY, SAME, padding="border"),
        "identity, reflection": affine(IDENTITY, SAME, padding="reflection"),
        "twice the size": affine(IDENTITY, (32, 24)),
        "twice the size, bicubic": affine(IDENTITY, (32, 24), "bicubic", "border"),
        "half the size": affine(IDENTITY, (8, 6)),
        "the middle": affine([[0.5, 0, 0], [0, 0.5, 0]], (8, 6)),
        "shifted by half a position": affine([[1.0, 0, 1 / 12], [0, 1.0, 1 / 16]], SAME),
        "mirrored": affine([[-1.0, 0, 0], [0, 1.0, 0]], SAME),
        "turned": lambda x: affine([[0, 1.0, 0], [-1.0, 0, 0]], (12, 16))(x).transpose(2, 3),
        "by hand": lambda x: F.grid_sample(x, places(16, 12, x).expand(len(x), -1, -1, -1), align_corners=False),
    }
)
def test_constant_grids_are_followed(case):
    assert_as_gradient(Apply(lambda x, a, b: b(case(a(x))), conv(padding=1), conv(padding=1)), TOKENS, periodic=False)


def test_a_grid_with_bounded_offsets_is_a_window():
    def function(x, a, flow):
        offsets = 0.24 * torch.sin(40 * flow(x)).permute(0, 2, 3, 1)  # up to 1.44 columns and 1.92 rows
        return F.grid_sample(a(x), places(16, 12, x) + offsets, align_corners=False, padding_mode="border")

    model = Apply(function, conv(padding=1), conv(1))
    fields = rfcheck.analyze(model, TOKENS).network.fields
    assert [field.r_max for field in fields[list(fields)[-1]]] == [7, 7]
    assert_as_changed(model, TOKENS, inputs=40)


def test_a_table_that_the_image_looks_up_is_local():
    table = torch.rand(1, 2, 5, 5, 5)
    model = moved(
        lambda x: F.grid_sample(table.to(x).expand(len(x), -1, -1, -1, -1), x.sin().movedim(1, -1)[:, None], align_corners=True)[
            :, :, 0
        ],
        3,
        2,
    )
    assert_as_gradient(model, TOKENS)


class Deformed(nn.Module):
    """A deformable convolution between two others."""

    def __init__(self, offsets, kernel: int = 3, padding: int = 1, dilation: int = 1) -> None:
        super().__init__()
        self.first, self.last = conv(padding=1), conv(padding=1)
        self.places = nn.Conv2d(2, 2 * kernel * kernel, 3, padding=1)
        self.deformed = ops.DeformConv2d(2, 2, kernel, padding=padding, dilation=dilation)
        self.offsets = offsets

    def forward(self, x):
        x = self.first(x)
        return self.last(self.deformed(x, self.offsets(self.places(x))))


def waves(size: float):
    return lambda found: size * torch.sin(30 * found)


@cases(
    {
        "no offsets": Deformed(torch.zeros_like),
        "no offsets, dilated": Deformed(torch.zeros_like, padding=2, dilation=2),
        "no offsets, 1x1": Deformed(torch.zeros_like, kernel=1, padding=0),
        "half a position": Deformed(lambda found: torch.full_like(found, 0.5)),
        "two positions back": Deformed(lambda found: torch.full_like(found, -2.0)),
    }
)
def test_constant_offsets_are_followed(case):
    assert_as_gradient(case, TOKENS)
    layer = rfcheck.analyze(case, TOKENS).layer("deformed")
    assert (layer.kind, layer.role, layer.judged) == ("conv", "features", True)


@cases(
    {
        "less than one position": (Deformed(waves(0.75)), (9, 9)),
        "less than two positions": (Deformed(waves(1.5), padding=2, dilation=2), (13, 13)),
        "forward only": (Deformed(lambda found: 2 * torch.sin(30 * found).clamp(min=0)), (9, 9)),
        "in parts": (Deformed(lambda found: 0.75 * torch.cat(found.mul(30).sin().chunk(2, 1), 1)), (9, 9)),
    }
)
def test_bounded_offsets_widen_the_window(case):
    model, r_max = case
    assert_as_changed(model, (1, 2, 32, 30), inputs=12)
    assert rfcheck.analyze(model, (1, 2, 32, 30)).layer("last").r_max == r_max


@pytest.mark.parametrize(
    "bounded", [torch.tanh, torch.sigmoid, lambda found: found.clamp(-1, 1), F.hardtanh, lambda f: f.tanh() - 0.5]
)
def test_other_bounds_are_known(bounded):
    assert rfcheck.analyze(Deformed(bounded), TOKENS).layer("last").r_max is not None


def test_places_that_nothing_bounds_are_named():
    free = rfcheck.analyze(Deformed(lambda found: found), TOKENS)
    assert free.layers[-1].r_max is None
    assert [text.partition(": ")[2] for text in free.assumptions] == [
        "torchvision::deform_conv2d: reads at positions that it computes itself"
    ]
    learned = Deformed(lambda found: found)
    learned.offsets = nn.Sequential(nn.Conv2d(18, 18, 1))
    assert rfcheck.analyze(learned, TOKENS).layers[-1].r_max is None
    turned = moved(affine([[0.8, 0.6, 0], [-0.6, 0.8, 0]], SAME))
    assert [text.partition(": ")[2] for text in rfcheck.analyze(turned, TOKENS).assumptions] == [
        "aten::grid_sampler_2d: reads at positions given by a grid"
    ]


def test_a_grid_over_all_of_the_image_is_global():
    model = moved(lambda x: F.grid_sample(x, (9 * x).tanh().movedim(1, -1), align_corners=True))
    assert rfcheck.analyze(model, TOKENS).layers[-1].r_max == (math.inf, math.inf)
