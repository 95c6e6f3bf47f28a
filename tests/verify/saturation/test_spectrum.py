from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from rfcheck.verify.saturation.covariance import RunningCovariance
from rfcheck.verify.saturation.spectrum import effective_rank, eigenvalues, intrinsic_dimension, mean_saturation, saturation_of


def covariance_of(rows: torch.Tensor) -> RunningCovariance:
    covariance = RunningCovariance(rows.shape[-1])
    covariance.update(rows)
    return covariance


@pytest.mark.parametrize(
    ("variances", "delta", "dimension"),
    [
        ([1, 0, 0], 0.99, 1),
        ([1, 1, 1, 1], 0.99, 4),
        ([1, 1, 1, 1], 0.75, 3),
        ([1, 1, 1, 1], 0.76, 4),
        ([98, 1, 1], 0.99, 2),
        ([98.9, 1, 0.1], 0.99, 2),
        ([99.5, 0.5], 0.99, 1),
        ([3, 2, 1], 1.0, 3),
        ([3, 2, 0], 1.0, 2),
        ([0, 0], 0.99, 0),
    ],
)
def test_dimension_is_the_smallest_number_that_explains_enough(variances, delta, dimension):
    assert intrinsic_dimension(torch.tensor(variances, dtype=torch.float64), delta) == dimension


def test_eigenvalues_are_those_of_a_singular_value_decomposition():
    rows = np.random.default_rng(0).normal(size=(50, 6)) * [5, 3, 1, 1, 0.1, 0]
    centred = rows - rows.mean(0)
    expected = np.linalg.svd(centred, compute_uv=False) ** 2 / 50
    measured = eigenvalues(torch.tensor(np.cov(rows, rowvar=False, ddof=0)))
    np.testing.assert_allclose(measured, expected, atol=1e-12)
    assert float(measured.min()) >= 0


@pytest.mark.parametrize(("variances", "rank"), [([1, 1, 1, 1], 4), ([1, 0, 0], 1), ([0, 0], 0), ([7.5], 1), ([2, 2, 0], 2)])
def test_effective_rank_of_equal_variances(variances, rank):
    assert effective_rank(torch.tensor(variances, dtype=torch.float64)) == pytest.approx(rank)


def test_effective_rank_is_exp_of_entropy():
    from scipy.stats import entropy

    variances = np.random.default_rng(0).exponential(size=9)
    assert effective_rank(torch.tensor(variances)) == pytest.approx(math.exp(entropy(variances)), rel=1e-12)


def test_a_layer():
    rows = torch.randn(5000, 8) * torch.tensor([10.0, 10, 10, 0.1, 0.1, 0, 0, 0])
    exact = np.cov(rows.double().numpy(), rowvar=False, ddof=0)
    result = saturation_of("conv", covariance_of(rows))
    assert (result.layer, result.features, result.samples, result.dimension, result.saturation) == ("conv", 8, 5000, 3, 3 / 8)
    assert result.trace == pytest.approx(np.trace(exact), rel=1e-6)
    shares = np.linalg.eigvalsh(exact).clip(1e-300) / np.trace(exact)
    assert result.effective_rank == pytest.approx(math.exp(-(shares * np.log(shares)).sum()), rel=1e-6)


@pytest.mark.parametrize("value", [0.0, 0.1, 1 / 3, -12345.678, 1e-30])
@pytest.mark.parametrize("rows", [1, 2, 777, 9001])
def test_constant_outputs_need_no_direction(value, rows):
    result = saturation_of("x", covariance_of(torch.full((rows, 3), value)))
    assert (result.dimension, result.saturation, result.trace, result.effective_rank, result.samples) == (0, 0, 0, 0, rows)


def test_one_row_needs_no_direction():
    assert saturation_of("x", covariance_of(torch.randn(1, 3))).dimension == 0


def test_a_small_variance_beside_a_large_mean_is_seen():
    rows = 1000 + 0.01 * torch.randn(5000, 3)
    assert saturation_of("x", covariance_of(rows)).dimension == 3


def test_a_small_variance_beside_a_large_constant_is_seen():
    rows = 0.001 * torch.randn(5000, 3)
    rows[:, 1] = 1e6
    assert saturation_of("x", covariance_of(rows)).dimension == 2


@pytest.mark.parametrize("rows", [torch.full((4, 3), torch.nan), torch.randn(100, 20) * 1e30])
def test_no_number_where_outputs_or_their_products_are_not_finite(rows):
    result = saturation_of("x", covariance_of(rows))
    assert math.isnan(result.saturation)
    assert math.isnan(result.trace)
    assert math.isnan(result.effective_rank)
    assert result.dimension == 0
    assert result.samples + result.not_finite == len(rows)


def test_some_rows_not_finite():
    rows = torch.randn(500, 3)
    rows[7] = torch.inf
    result = saturation_of("x", covariance_of(rows))
    assert (result.saturation, result.samples, result.not_finite) == (1, 499, 1)


def test_mean_leaves_unknown_layers_out():
    assert mean_saturation([0.25, math.nan, 0.75]) == 0.5
    assert math.isnan(mean_saturation([math.nan]))
    assert math.isnan(mean_saturation([]))
