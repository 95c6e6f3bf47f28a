from __future__ import annotations

import numpy as np
import pytest
import torch

from rfcheck.verify.probes import standardising
from rfcheck.verify.probes.standardising import standard
from rfcheck.verify.probes.storage import LayerFeatures, Writer

CPU = torch.device("cpu")


def kept(features: torch.Tensor) -> LayerFeatures:
    writer = Writer(features[:20], len(features), None)
    writer.add(features)
    return writer.finish()


def matrix(design) -> torch.Tensor:
    return design.sample(torch.arange(design.rows))


@pytest.mark.parametrize("block", [2**20, 300])
def test_mean_zero_and_deviation_one_on_the_training_images(block, monkeypatch):
    from sklearn.preprocessing import StandardScaler

    monkeypatch.setattr(standardising, "BLOCK", block)
    train = torch.randn(150, 6) * torch.tensor([1e-3, 1, 10, 1e5, 2, 3]) + torch.tensor([1.0, 0, 100, 0, -5, 0])
    test = torch.randn(70, 6) * train.std(0) * 2 + train.mean(0)
    scaler = StandardScaler().fit(train.double().numpy())
    measured = standard(kept(train).values[None], kept(train))
    for images in (train, test):
        features = kept(images)
        found = matrix(measured.design(features.values[None], features, CPU, 2**20))[0]
        np.testing.assert_allclose(found.numpy(), scaler.transform(images.double().numpy()), atol=0.01, rtol=2e-3)


def test_constant_features_are_zero_everywhere():
    train, test = torch.randn(60, 3), torch.randn(40, 3)
    train[:, 1] = 0.1
    measured = standard(kept(train).values[None], kept(train))
    for images in (train, test):
        found = matrix(measured.design(kept(images).values[None], kept(images), CPU, 2**20))[0]
        assert (found[:, 1] == 0).all()
        assert (found[:, 0] != 0).all()


def test_one_image_that_differs_is_not_constant():
    features = torch.full((5000, 1), 1.0)
    features[77] = 1.01
    values = features.half()
    layer = LayerFeatures(values, torch.ones(1), torch.zeros(1), torch.zeros(5000, dtype=torch.bool))
    found = matrix(standard(values[None], layer).design(values[None], layer, CPU, 2**20))[0]
    assert float(found[77]) == pytest.approx(5000**0.5, rel=0.02)


def test_regressions_next_to_each_other():
    """The features of two regressions lie next to each other in those of the layer."""
    features = torch.randn(80, 2 * 3) * torch.arange(1, 7) + 3
    layer = kept(features)
    values = layer.values.reshape(80, 2, 3).transpose(0, 1)
    found = matrix(standard(values, layer).design(values, layer, CPU, 2**20))
    data = features.double().numpy()
    expected = ((data - data.mean(0)) / data.std(0)).reshape(80, 2, 3).swapaxes(0, 1)
    np.testing.assert_allclose(found.numpy(), expected, atol=0.01)
