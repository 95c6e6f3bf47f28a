"""Matrices as wholes, held against the support of the input gradient."""

import math

import pytest
import torch
from torch import nn

import rfcheck
from tests.graph.cases import EXACT, TOKENS, assert_as_gradient, cases, conv, moved
from tests.oracle import Apply, gradient_extents

CODES = torch.rand(30, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def over_pixels(function) -> nn.Module:
    """A function of a 2x2 matrix at each position, symmetric and positive."""

    def apply(x):
        square = x.movedim(1, -1).unflatten(-1, (2, 2))
        made = function(square @ square.mT + torch.eye(2).to(x))
        return made.flatten(3).movedim(-1, 1)

    return moved(apply, 4, 4)


MATRICES = {
    "inverse": torch.linalg.inv,
    "pseudoinverse": torch.linalg.pinv,
    "exponential": torch.matrix_exp,
    "power": lambda m: torch.linalg.matrix_power(m, 3),
    "cholesky": torch.linalg.cholesky,
    "solution": lambda m: torch.linalg.solve(m, m.sin()),
    "triangular solution": lambda m: torch.linalg.solve_triangular(m, m.sin(), upper=True),
    "q": lambda m: torch.linalg.qr(m).Q,
    "eigenvectors": lambda m: torch.linalg.eigh(m).eigenvectors,
    "svd": lambda m: torch.linalg.svd(m).U,
    "determinant": lambda m: torch.linalg.det(m)[..., None, None] * m,
    "cross": lambda m: torch.linalg.cross(m.flatten(-2)[..., :3], m.flatten(-2)[..., 1:]).repeat(1, 1, 1, 2)[..., :4],
}


@pytest.mark.parametrize("function", MATRICES.values(), ids=MATRICES)
def test_matrices_at_each_position_stay_there(function):
    model = over_pixels(function)
    analysis = rfcheck.analyze(model, TOKENS)
    assert (analysis.layers[-1].r_max, analysis.assumptions) == ((4, 5), ())
    assert gradient_extents(model, TOKENS) == (4, 5)


def test_a_matrix_of_positions_is_read_whole():
    model = moved(lambda x: torch.linalg.inv(x + 9 * torch.eye(12).to(x)))
    assert (
        rfcheck.analyze(model, (1, 2, 12, 12)).layers[-1].r_max == gradient_extents(model, (1, 2, 12, 12)) == (math.inf, math.inf)
    )


@pytest.mark.parametrize("count", [9, 30], ids=["directly", "by products"])
def test_distances_from_constants_are_local(count):
    def function(x):
        return torch.cdist(x.flatten(2).transpose(1, 2), CODES[None, :count].to(x)).transpose(1, 2).unflatten(2, x.shape[2:])

    assert_as_gradient(moved(function, 4, count), TOKENS)


def test_distances_of_constants_from_positions_are_local():
    def function(x):
        return torch.cdist(CODES[None, :9].to(x), x.flatten(2).transpose(1, 2)).unflatten(2, x.shape[2:])

    assert_as_gradient(moved(function, 4, 9), TOKENS)


@cases({"directly": (3, 3), "by products": (16, 12)})
def test_distances_between_all_positions_read_rows_of_both(case):
    rows, columns = case

    def function(x):
        x = x[..., :rows, :columns]
        between = torch.cdist(x.flatten(2).transpose(1, 2), x.sin().flatten(2).transpose(1, 2))
        return between.sum(2).view(1, 1, rows, columns)

    model = Apply(lambda x, a: function(a(x)), conv(padding=1))
    analysis = rfcheck.analyze(model, TOKENS, settings=EXACT)
    assert analysis.assumptions == ()
    output = analysis.graph.graph["outputs"][0]
    assert [field.r_max for field in analysis.network.fields[output]] == [math.inf, math.inf]
