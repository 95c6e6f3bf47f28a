from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch

from rfcheck.errors import VerifyError
from rfcheck.verify.probes.storage import LARGEST, Writer, units


def written(features: torch.Tensor, path=None, batch: int = 50):
    parts = features.split(batch)
    writer = Writer(parts[0], len(features), path)
    for part in parts:
        writer.add(part)
    return writer.finish()


def true_values(kept) -> np.ndarray:
    return kept.values.double().numpy() * kept.scale.double().numpy() + kept.shift.double().numpy()


@pytest.mark.parametrize("factor", [1.0, 1e-30, 1e30])
@pytest.mark.parametrize("offset", [0.0, 1000.0])
def test_values_come_back(factor, offset):
    features = ((torch.randn(200, 7) + offset) * factor).float()
    kept = written(features)
    deviation = features.double().std(0).numpy()
    error = np.abs(true_values(kept) - features.double().numpy()) / deviation
    assert kept.values.dtype == torch.float16
    assert error.max() < 4 * 2**-11 + 1e-6 * offset


def test_features_of_very_different_sizes():
    features = torch.randn(200, 3) * torch.tensor([1e-3, 1.0, 1e4])
    error = np.abs(true_values(written(features)) - features.double().numpy()) / features.std(0).double().numpy()
    assert error.max() < 4 * 2**-11


def test_a_feature_that_is_constant_at_first():
    features = torch.randn(200, 3)
    features[:50, 1] = 2.5
    np.testing.assert_allclose(true_values(written(features)), features.numpy(), atol=0.01)


@pytest.mark.parametrize("first", [0.0, 3.0, -1e20])
def test_a_first_batch_without_variation(first):
    features = torch.full((100, 3), first)
    kept = written(features)
    np.testing.assert_allclose(true_values(kept), features.numpy(), rtol=1e-6)
    assert kept.values.isfinite().all()


def test_a_first_batch_of_one_image():
    features = torch.randn(40, 3) * 1e6
    np.testing.assert_allclose(true_values(written(features, batch=1)), features.numpy(), rtol=2e-3, atol=1e4)


def test_outliers_are_cut_rather_than_infinite():
    features = torch.randn(100, 2)
    features[70, 0] = 1e12
    kept = written(features)
    assert float(kept.values[70, 0]) == LARGEST
    assert kept.values.isfinite().all()


def test_images_with_nan_or_infinity_are_named():
    features = torch.randn(100, 3)
    features[3, 1], features[60, 0], features[99, 2] = torch.nan, torch.inf, -torch.inf
    kept = written(features)
    assert kept.not_finite.nonzero().flatten().tolist() == [3, 60, 99]
    assert kept.values.isfinite().all()
    assert (kept.values[60] == 0).all()


def test_units_are_standard_deviations_and_means():
    features = torch.randn(500, 4) * torch.tensor([1.0, 2.0, 0.5, 3.0]) + 7
    scale, shift = units(features)
    np.testing.assert_allclose(scale.numpy(), features.double().numpy().std(0), rtol=1e-5)
    np.testing.assert_allclose(shift.numpy(), features.double().numpy().mean(0), rtol=1e-5)


def test_a_file_holds_what_memory_does(tmp_path):
    features = torch.randn(230, 11)
    memory, disk = written(features), written(features, tmp_path / "features")
    assert torch.equal(memory.values, disk.values)
    assert (tmp_path / "features").stat().st_size == 2 * features.numel()


def test_too_few_images():
    writer = Writer(torch.randn(5, 2), 9, None)
    writer.add(torch.randn(5, 2))
    with pytest.raises(AssertionError, match="5 images were given of 9"):
        writer.finish()


FULL = """
import resource, signal, sys
from pathlib import Path
import torch
from rfcheck.errors import VerifyError
from rfcheck.verify.probes.storage import Writer
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1024**2, 1024**2))
features = torch.randn(1000, 1024)
writer = Writer(features, 4000, Path(sys.argv[1]) / "features")
try:
    for _ in range(4):
        writer.add(features)
except VerifyError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits of file sizes are POSIX")
def test_a_full_disk(tmp_path):
    done = subprocess.run([sys.executable, "-c", FULL, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout == (
        f"{tmp_path / 'features'}: cannot be written: File too large; the features of a layer take 8 MiB; make room and resume the "
        "run, or begin a new one with more --probe-memory or a smaller --probe-size\n"
    )


def test_a_file_that_cannot_be_written(tmp_path):
    path = tmp_path / "gone" / "features"
    features = torch.zeros(2, 3)
    with pytest.raises(VerifyError) as raised:
        Writer(features, 2, path).add(features)
    reason = "No such file or directory; see to it that the folder can be written, then resume the run"
    assert str(raised.value) == f"{path}: cannot be written: {reason}"
