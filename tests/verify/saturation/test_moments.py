from __future__ import annotations

import numpy as np
import pytest
import torch

from rfcheck.verify.saturation.moments import BLOCK_ROWS, Moments, block_rows, moments_of


def scatter(rows: np.ndarray) -> np.ndarray:
    rows = rows.astype(np.float64)
    return (rows - rows.mean(0)).T @ (rows - rows.mean(0))


@pytest.mark.parametrize("rows", [1, 2, 100, BLOCK_ROWS, 2 * BLOCK_ROWS, 3 * BLOCK_ROWS + 5])
def test_of_a_block(rows):
    block = torch.randn(rows, 6) + 10
    expected = block.numpy().copy()
    moments = moments_of(block)
    assert (int(moments.count), int(moments.not_finite)) == (rows, 0)
    np.testing.assert_allclose(moments.mean, expected.astype(np.float64).mean(0), rtol=1e-6)
    np.testing.assert_allclose(moments.scatter, scatter(expected), rtol=1e-6, atol=1e-6 * rows)


def test_either_memory_layout():
    block = torch.randn(5000, 6)
    by_row, by_feature = moments_of(block.clone()), moments_of(block.T.contiguous().T)
    np.testing.assert_allclose(by_row.scatter, by_feature.scatter, rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_rows_that_are_not_finite_are_left_out(value):
    block = torch.randn(50, 4) + 100
    good = np.delete(block.numpy(), [3, 17], axis=0)
    block[3, 1] = block[17, 0] = block[17, 2] = value
    moments = moments_of(block)
    assert (int(moments.count), int(moments.not_finite)) == (48, 2)
    np.testing.assert_allclose(moments.mean, good.astype(np.float64).mean(0), rtol=1e-7)
    np.testing.assert_allclose(moments.scatter, scatter(good), rtol=1e-5, atol=1e-5)


def test_no_row_is_finite():
    moments = moments_of(torch.full((3, 2), torch.nan))
    assert (int(moments.count), int(moments.not_finite)) == (0, 3)
    whole = Moments.nothing(2, "cpu")
    whole.add(moments)
    assert whole.mean.tolist() == [0, 0]
    assert whole.scatter.tolist() == [[0, 0], [0, 0]]


def test_the_product_keeps_its_digits_under_autocast():
    block = torch.randn(200, 4)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = moments_of(block.clone())
    assert torch.equal(inside.scatter, moments_of(block.clone()).scatter)


def test_those_of_a_union():
    a, b = torch.randn(300, 4) * 3, torch.randn(7, 4) + 50
    whole = Moments.nothing(4, "cpu")
    for rows in (a, b):
        whole.add(moments_of(rows.clone()))
    both = torch.cat([a, b]).numpy()
    assert int(whole.count) == 307
    np.testing.assert_allclose(whole.mean, both.astype(np.float64).mean(0), rtol=1e-6)
    np.testing.assert_allclose(whole.scatter, scatter(both), rtol=1e-6)


def test_a_copy_is_apart():
    one = moments_of(torch.randn(5, 2))
    copy = one.clone()
    copy.add(one)
    assert (int(one.count), int(copy.count)) == (5, 10)


def test_alone_a_process_has_all_rows():
    one = moments_of(torch.randn(5, 2))
    assert one.all_reduce() is one


def test_rows_of_a_product():
    assert [block_rows(features) for features in (1, 2048, 4096)] == [4096, 4096, 8192]


@pytest.mark.parametrize("off", [0.0, 0.5, 3.0, 1e4])
def test_rows_whose_mean_was_taken_off_before(off):
    """Be it near to the mean of these rows or far from it."""
    block = (torch.randn(3000, 5) + 1e5).float()
    shift = (block.mean(0) + off).float()
    moments = moments_of(block - shift, shift)
    shifted = (block - shift).double().numpy()
    np.testing.assert_allclose(moments.mean, shifted.mean(0) + shift.double().numpy(), rtol=1e-9)
    np.testing.assert_allclose(moments.scatter, scatter(shifted), rtol=2e-6, atol=1e-2)


def test_a_shift_of_rows_that_are_not_finite():
    block = torch.randn(50, 4)
    block[7, 2] = float("nan")
    shift = torch.full((4,), 2.0)
    moments = moments_of(block - shift, shift)
    good = np.delete(block.double().numpy(), 7, axis=0)
    assert (int(moments.count), int(moments.not_finite)) == (49, 1)
    np.testing.assert_allclose(moments.mean, good.mean(0), atol=1e-6)
