from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rfcheck.errors import VerifyError
from rfcheck.verify.saturation.covariance import RunningCovariance
from rfcheck.verify.saturation.spectrum import saturation_of


def exact(rows: torch.Tensor) -> np.ndarray:
    """Numpy's covariance in float64."""
    return np.cov(rows.reshape(-1, rows.shape[-1]).double().numpy(), rowvar=False, ddof=0).reshape(rows.shape[-1], -1)


def of(*batches: torch.Tensor) -> RunningCovariance:
    covariance = RunningCovariance(batches[0].shape[-1])
    for batch in batches:
        covariance.update(batch)
    return covariance


def relative_error(measured: torch.Tensor, expected: np.ndarray) -> float:
    return float(np.abs(measured.numpy() - expected).max() / np.abs(expected).max())


def correlated(rows: int, features: int, generator: torch.Generator) -> torch.Tensor:
    """Rows whose variances along principal directions fall from 1 to 1e-4."""
    directions = torch.linalg.qr(torch.randn(features, features, generator=generator, dtype=torch.float64))[0]
    scales = torch.logspace(0, -2, features, dtype=torch.float64)
    return torch.randn(rows, features, generator=generator, dtype=torch.float64) * scales @ directions


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    features=st.integers(1, 12),
    sizes=st.lists(st.one_of(st.integers(0, 40), st.integers(3000, 9000)), min_size=1, max_size=6),
    conditioning=st.sampled_from([0.0, 1.0, 1e3, 1e5]),
    dtype=st.sampled_from([torch.float32, torch.float64]),
)
def test_as_numpy_however_rows_are_split(seed, features, sizes, conditioning, dtype):
    generator = torch.Generator().manual_seed(seed)
    rows = (correlated(sum(sizes) + 20, features, generator) + conditioning).to(dtype)
    covariance = of(*rows.split([*sizes, 20]))
    assert covariance.count == len(rows)
    assert relative_error(covariance.covariance(), exact(rows)) <= 1e-6
    np.testing.assert_allclose(covariance.mean, rows.double().numpy().mean(0), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("features", [1, 2, 15, 16, 17, 64])
def test_number_of_features(features):
    errors = []
    for seed in range(20):
        rows = torch.randn(4096, features, generator=torch.Generator().manual_seed(seed)) - 2
        errors.append(relative_error(of(rows).covariance(), exact(rows)))
    assert max(errors) <= 6e-7


@pytest.mark.parametrize("conditioning", [0, 1e2, 1e4, 1e5])
def test_bad_conditioning_changes_no_saturation(conditioning):
    rows = (correlated(30_000, 64, torch.Generator().manual_seed(1)) + conditioning).float()
    variances = np.linalg.eigvalsh(exact(rows))[::-1]
    dimension = 1 + int((variances.cumsum() < 0.99 * variances.sum()).sum())
    assert 1 < dimension < 64
    assert saturation_of("x", of(*rows.split(777))).dimension == dimension


def test_the_plain_sums_of_float32_would_fail_these_tests():
    rows = (correlated(30_000, 64, torch.Generator().manual_seed(1)) + 1e4).float()
    plain = rows.T @ rows / len(rows) - torch.outer(rows.mean(0), rows.mean(0))
    assert relative_error(plain, exact(rows)) > 1e-3


@pytest.mark.parametrize(
    "shape", [(4096, 3), (3, 5, 7, 3), (2, 5000, 3), (1, 4096, 3), (1, 4097, 3), (3, 3000, 3), (2, 9, 9, 9, 3)]
)
@pytest.mark.parametrize("layout", ["row", "feature"])
def test_every_position_of_a_map_is_a_row(shape, layout):
    maps = torch.randn(shape) + 2
    if layout == "feature" and maps.ndim > 2:
        maps = maps.movedim(-1, 1).contiguous().movedim(1, -1)
    covariance = of(maps, maps[:1] + 1)
    rows = torch.cat([maps.reshape(-1, 3), (maps[:1] + 1).reshape(-1, 3)])
    assert covariance.count == len(rows)
    assert relative_error(covariance.covariance(), exact(rows)) <= 1e-6


def test_one_row_alone():
    rows = torch.randn(7, 3)
    assert relative_error(of(*rows).covariance(), exact(rows)) <= 1e-6


def test_channels_last_maps():
    maps = torch.randn(4, 8, 9, 9).to(memory_format=torch.channels_last)
    assert relative_error(of(maps.movedim(1, -1)).covariance(), exact(maps.movedim(1, -1))) <= 1e-6


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_summed_in_single(dtype):
    rows = (torch.randn(10_000, 8) + 30).to(dtype)
    assert relative_error(of(*rows.split(999)).covariance(), exact(rows)) <= 1e-6


def test_double_precision_is_kept():
    rows = torch.randn(9000, 5, dtype=torch.float64) + 1e6
    assert relative_error(of(*rows.split(500)).covariance(), exact(rows)) <= 1e-11


def test_precision_may_change_on_the_way():
    rows = torch.randn(300, 5)
    covariance = of(rows[:100], rows[100:200].double(), rows[200:].bfloat16())
    assert covariance.count == 300
    assert relative_error(covariance.covariance(), exact(torch.cat([rows[:200], rows[200:].bfloat16().float()]))) <= 1e-6


def test_rows_that_are_not_finite_are_counted_and_left_out():
    rows = torch.randn(9000, 4)
    good = torch.cat([rows[:10], rows[11:]])
    rows[10, 2] = torch.nan
    covariance = of(*rows.split(4000))
    assert (covariance.count, covariance.not_finite) == (8999, 1)
    assert relative_error(covariance.covariance(), exact(good)) <= 1e-6


def test_looking_changes_nothing():
    rows = torch.randn(6000, 4)
    looked, plain = RunningCovariance(4), RunningCovariance(4)
    for batch in rows.split(700):
        looked.update(batch)
        plain.update(batch)
        assert looked.covariance().shape == (4, 4)
    assert torch.equal(looked.covariance(), plain.covariance())


def test_the_rows_stay_as_they_are():
    rows = torch.randn(9000, 4)
    before = rows.clone()
    of(rows)
    assert torch.equal(rows, before)


@pytest.mark.parametrize("layout", ["row", "feature"])
def test_goes_on_from_its_state_to_the_same_bits(layout, tmp_path):
    maps = torch.randn(20, 8, 30, 30) + 1
    rows = maps.movedim(1, -1) if layout == "feature" else maps.movedim(1, -1).contiguous()
    whole = of(*rows.split(3))
    for cut in (3, 9, 15):
        first = of(*rows[:cut].split(3))
        torch.save(first.state_dict(), tmp_path / "state")
        first.update(rows)
        second = RunningCovariance(8)
        second.load_state_dict(torch.load(tmp_path / "state", weights_only=True))
        for batch in rows[cut:].split(3):
            second.update(batch)
        assert torch.equal(second.covariance(), whole.covariance())
        assert torch.equal(second.mean, whole.mean)
    fresh = RunningCovariance(8)
    fresh.load_state_dict(RunningCovariance(8).state_dict())
    assert fresh.count == 0


@pytest.mark.parametrize("first", [torch.inference_mode, torch.no_grad, torch.enable_grad])
@pytest.mark.parametrize("then", [torch.inference_mode, torch.no_grad, torch.enable_grad])
def test_in_any_gradient_mode(first, then):
    rows = torch.randn(6000, 4, requires_grad=True)
    covariance = RunningCovariance(4)
    with first():
        covariance.update(rows[:5000] * 1)
        state = covariance.state_dict()
    with then():
        covariance.load_state_dict(state)
        covariance.update(rows[5000:] * 1)
    assert relative_error(covariance.covariance(), exact(rows.detach())) <= 1e-6
    assert not covariance.covariance().requires_grad


def test_memory_does_not_grow_with_rows():
    covariance = RunningCovariance(4)
    held = []
    for _ in range(6):
        for _ in range(4):
            covariance.update(torch.randn(3000, 4))
        held.append(sum(t.untyped_storage().nbytes() for t in (covariance._buffer, covariance._moments.scatter)))
    assert len(set(held)) == 1


def test_nothing_yet():
    covariance = RunningCovariance(3)
    covariance.update(torch.empty(0, 3))
    covariance.update(torch.empty(4, 0, 0, 3))
    assert covariance.count == 0
    assert covariance.covariance().tolist() == [[0] * 3] * 3


@pytest.mark.parametrize(
    ("action", "sentence"),
    [
        (lambda: RunningCovariance(0), "a covariance needs a positive number of features, not 0"),
        (lambda: RunningCovariance(2.5), "a covariance needs a positive number of features, not 2.5"),
        (lambda: of(torch.zeros(2, 3)).update(torch.zeros(2, 4)), "expected rows of 3 real numbers, got a tensor of shape (2, 4) in float32"),
        (lambda: of(torch.zeros(2, 3, dtype=torch.int64)), "expected rows of 3 real numbers, got a tensor of shape (2, 3) in int64"),
        (
            lambda: RunningCovariance(3).load_state_dict(RunningCovariance(4).state_dict()),
            "the state of a covariance of 4 features does not fit one of 3",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be(action, sentence):
    with pytest.raises(VerifyError) as error:
        action()
    assert str(error.value) == sentence
