from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from rfcheck.errors import VerifyError
from rfcheck.verify.probes.pooling import at_positions, channels_first, pooled

CONV = nn.Conv2d(3, 5, 1)
LINEAR = nn.Linear(3, 5)


def averages(array: np.ndarray, size: int) -> np.ndarray:
    """Adaptive averages over the last axis: part i goes from floor(i n / size) to ceil((i + 1) n / size)."""
    extent = array.shape[-1]
    parts = [array[..., i * extent // size : -(-(i + 1) * extent // size)].mean(axis=-1) for i in range(size)]
    return np.stack(parts, axis=-1)


@pytest.mark.parametrize(
    ("extents", "kept"), [((8, 8), (4, 4)), ((7, 9), (4, 4)), ((3, 10), (3, 4)), ((1, 1), (1, 1)), ((4, 2), (4, 2))]
)
def test_maps_are_averaged_and_never_enlarged(extents, kept):
    output = torch.randn(6, 5, *extents)
    rows = averages(output.double().numpy(), kept[1]).swapaxes(2, 3)
    expected = averages(rows, kept[0]).swapaxes(2, 3).reshape(6, -1)
    features = pooled("conv", CONV, output, 6, 4)
    assert features.shape == (6, 5 * kept[0] * kept[1])
    np.testing.assert_allclose(features.numpy(), expected, atol=1e-6)
    torch.testing.assert_close(features, F.adaptive_avg_pool2d(output, kept).flatten(1))


def test_one_and_three_image_axes():
    wave, volume = torch.randn(2, 5, 9), torch.randn(2, 5, 3, 6, 2)
    np.testing.assert_allclose(
        pooled("conv", nn.Conv1d(3, 5, 1), wave, 2, 4).numpy(), averages(wave.numpy(), 4).reshape(2, -1), atol=1e-6
    )
    expected = F.adaptive_avg_pool3d(volume, (3, 4, 2)).flatten(1)
    torch.testing.assert_close(pooled("conv", nn.Conv3d(3, 5, 1), volume, 2, 4), expected)


def test_rows_are_kept_as_they_are():
    output = torch.randn(6, 5)
    assert torch.equal(pooled("fc", LINEAR, output, 6, 4), output)


def test_tokens_are_averaged_to_as_many_as_a_map_has():
    output = torch.randn(2, 50, 5)
    expected = averages(output.double().numpy().swapaxes(1, 2), 16).reshape(2, -1)
    np.testing.assert_allclose(pooled("fc", LINEAR, output, 2, 4).numpy(), expected, atol=1e-6)
    assert pooled("fc", LINEAR, output[:, :7], 2, 4).shape == (2, 5 * 7)


def test_a_linear_layer_over_a_map():
    output = torch.randn(2, 8, 6, 5)
    torch.testing.assert_close(pooled("fc", LINEAR, output, 2, 4), F.adaptive_avg_pool2d(output.permute(0, 3, 1, 2), 4).flatten(1))


def test_windows_on_axes_of_their_own():
    output = torch.randn(2, 3, 2, 4, 4, 5)
    assert torch.equal(pooled("fc", LINEAR, output, 2, 4), pooled("fc", LINEAR, output.reshape(2, 96, 5), 2, 4))
    assert pooled("fc", LINEAR, output[:, :1, :1, :2, :2], 2, 4).shape == (2, 5 * 4)


def test_time_first():
    output = torch.randn(9, 2, 5)
    expected = F.adaptive_avg_pool1d(output.permute(1, 2, 0), 4).flatten(1)
    torch.testing.assert_close(pooled("fc", LINEAR, output, 2, 2), expected)
    torch.testing.assert_close(pooled("lstm", nn.LSTM(3, 5), output, 2, 2), expected)
    torch.testing.assert_close(pooled("lstm", nn.LSTM(3, 5, batch_first=True), output.transpose(0, 1), 2, 2), expected)


def test_windows_of_an_image_become_its_positions():
    windows = torch.randn(2 * 6, 4, 5)
    assert torch.equal(channels_first("fc", LINEAR, windows, 2), windows.reshape(2, 24, 5).transpose(1, 2))
    frames = torch.randn(2 * 3, 5, 4, 4)
    assert torch.equal(channels_first("conv", CONV, frames, 2), frames.reshape(2, 15, 4, 4))


def test_half_precision_becomes_single():
    output = torch.randn(2, 5, 8, 8, dtype=torch.bfloat16)
    features = pooled("conv", CONV, output, 2, 4)
    assert features.dtype == torch.float32
    torch.testing.assert_close(features, F.adaptive_avg_pool2d(output.float(), 4).flatten(1))


@pytest.mark.parametrize(("module", "shape"), [(nn.LSTM(3, 5), (13, 5)), (LINEAR, (7, 5)), (CONV, (3, 5, 4, 4)), (CONV, (5, 4, 4))])
def test_an_output_without_images(module, shape):
    with pytest.raises(VerifyError) as raised:
        pooled("odd", module, torch.zeros(shape), 2, 4)
    assert str(raised.value) == (
        f"layer 'odd' puts out {shape} for 2 images, which cannot be told apart by image; "
        "probes need outputs with the images in the first dimension"
    )


def test_positions_are_outermost():
    output = torch.randn(2, 5, 3, 4)
    features = at_positions(output).reshape(2, 3, 4, 5)
    assert torch.equal(features[1, 2, 3], output[1, :, 2, 3])
    assert torch.equal(features[0, 0, 1], output[0, :, 0, 1])
