"""Entries chosen by known indices, held against the support of the input gradient."""

import pytest
import torch
from torch import nn

import rfcheck
from tests.graph.cases import TOKENS, assert_as_gradient, cases, conv

WINDOWS = torch.arange(48 * 40).view(6, 8, 5, 8).permute(0, 2, 1, 3).reshape(30, 64)


class Indexed(nn.Module):
    """A function of a map and an index that the module holds, between two convolutions."""

    def __init__(self, function, index: torch.Tensor) -> None:
        super().__init__()
        self.first, self.last, self.function = conv(padding=1), conv((2, 3), stride=(2, 1)), function
        self.register_buffer("index", index)

    def forward(self, x):
        return self.last(self.function(self.first(x), self.index))


def in_windows(x, index):
    windows = x.flatten(2)[..., index] * 2
    return windows.view(-1, 2, 6, 5, 8, 8).permute(0, 1, 2, 4, 3, 5).reshape(x.shape)


def assigned(x, index):
    result = torch.zeros_like(x)
    result[:, :, index] = x
    return result


INDEXED = {
    "mirrored rows": Indexed(lambda x, i: x[:, :, i], torch.arange(47, -1, -1)),
    "every second row": Indexed(lambda x, i: x.index_select(2, i), torch.arange(0, 48, 2)),
    "rows and columns": Indexed(lambda x, i: x[:, :, i[:, None], torch.arange(0, 40, 2)], torch.arange(0, 48, 2)),
    "gathered": Indexed(lambda x, i: x.gather(3, i.expand(len(x), 2, 48, 20)), torch.arange(0, 40, 2)),
    "along a dimension": Indexed(lambda x, i: torch.take_along_dim(x, i.view(1, 1, 48, 1), 2), torch.arange(47, -1, -1)),
    "windows": Indexed(in_windows, WINDOWS),
    "tokens mirrored": Indexed(lambda x, _: x.flatten(2).flip(2).view(x.shape), torch.zeros(1)),
    "index made in the pass": Indexed(lambda x, _: x[:, :, torch.arange(47, -1, -1, device=x.device)], torch.zeros(1)),
    "list of numbers": Indexed(lambda x, _: x[:, :, list(range(0, 48, 2))], torch.zeros(1)),
    "memory by strides": Indexed(lambda x, _: x.contiguous().as_strided((len(x), 2, 24, 40), (3840, 1920, 80, 1)), torch.zeros(1)),
    "frames by strides": Indexed(
        lambda x, _: x.contiguous().as_strided((len(x), 2, 46, 40, 3), (3840, 1920, 40, 1, 40)).mean(-1), torch.zeros(1)
    ),
    "written in the order of an index": Indexed(lambda x, i: torch.zeros_like(x).index_copy(2, i, x), torch.arange(47, -1, -1)),
    "assigned in the order of an index": Indexed(assigned, torch.arange(48)),
    "slice put elsewhere": Indexed(lambda x, _: torch.slice_scatter(torch.zeros_like(x), x[:, :, 2:], 2, 0, 46), torch.zeros(1)),
}


@cases(INDEXED)
def test_known_indices_are_followed(case):
    assert_as_gradient(case)


def test_a_mask_that_is_known_is_followed():
    model = Indexed(lambda x, i: x[..., i], torch.arange(40) % 2 == 0)
    assert_as_gradient(model)


@pytest.mark.parametrize(
    "shuffled", [torch.tensor([3, 0, 2, 1]).repeat(3), torch.tensor([5, 9, 1, 7])], ids=["cycles", "any order"]
)
def test_rows_in_any_order(shuffled):
    model = Indexed(lambda x, i: x[:, :, i], shuffled)
    analysis = rfcheck.analyze(model, TOKENS)
    first = [r + 1 for r in range(-1, 2)]  # a row and its neighbours
    taken = [int(i) for i in shuffled]
    widest = max(max(taken[q : q + 2]) - min(taken[q : q + 2]) for q in range(0, len(taken) - 1, 2)) + len(first)
    assert analysis.layer("last").r_max[0] == widest
    assert analysis.assumptions == ()


def test_positions_that_move_together_are_unknown_and_named():
    analysis = rfcheck.analyze(Indexed(lambda x, i: x.flatten(2)[..., i].view(1, 2, 6, 8), torch.randperm(192)[:48]), TOKENS)
    assert analysis.assumptions == ("index: aten::index: indexes positions of several axes that move together",)


class Coefficients(nn.Module):
    """Makes sums of the values in each 4x4 patch, chooses among them, and takes them for channels."""

    def __init__(self, chosen: list[int]) -> None:
        super().__init__()
        self.basis = nn.Parameter(torch.rand(4, 4))
        self.chosen = chosen
        self.last = nn.Conv2d(len(chosen), 2, 3)

    def forward(self, x):
        n, _, h, w = x.shape
        patches = x.reshape(n, h // 4, 4, w // 4, 4).permute(0, 1, 3, 2, 4)
        sums = (self.basis @ patches @ self.basis.mT).flatten(3)[..., self.chosen]
        return self.last(sums.permute(0, 3, 1, 2))


@pytest.mark.parametrize("chosen", [[0, 1, 4, 8, 5, 2, 3, 6, 9, 12, 13, 10, 7, 11, 14, 15], [0, 1, 4, 8, 5]], ids=["all", "some"])
def test_coefficients_of_patches_in_another_order(chosen):
    analysis = rfcheck.analyze(Coefficients(chosen), (1, 32, 32))
    last = analysis.layer("last")
    assert (last.in_size, last.r_max, analysis.assumptions) == ((8, 8), (12, 12), ())  # three patches of four
