from __future__ import annotations

import pytest
import torch

from rfcheck.verify.probes import preconditioner as module
from rfcheck.verify.probes.design import Design
from rfcheck.verify.probes.preconditioner import Preconditioner


def design_of(features: torch.Tensor) -> Design:
    ones = torch.ones(features.shape[0], features.shape[2])
    return Design(features, ones, torch.zeros_like(ones), torch.device("cpu"), 2**30)


@pytest.mark.parametrize("images", [40, 9])
def test_it_is_the_inverse_where_all_directions_are_told_apart(images):
    """Both with fewer features than images and with more."""
    features = torch.randn(2, images, 20)
    l2, uncertainty = torch.tensor([0.1, 2.0]), torch.tensor([0.25, 0.1])
    gradient = torch.randn(2, 3, 21)
    found = Preconditioner(design_of(features)).apply(gradient, uncertainty, l2)
    for p in range(2):
        data = features[p].double()
        hessian = uncertainty[p].double() * data.T @ data / images + l2[p].double() * torch.eye(20, dtype=torch.float64)
        expected = torch.linalg.solve(hessian, gradient[p, :, :20].double().T).T
        torch.testing.assert_close(found[p, :, :20].double(), expected, atol=1e-4, rtol=1e-3)
        torch.testing.assert_close(found[p, :, 20], gradient[p, :, 20] / uncertainty[p])


def test_other_directions_count_with_their_mean_variance(monkeypatch):
    monkeypatch.setattr(module, "DIRECTIONS", 2)
    features = torch.diag(torch.tensor([4.0, 3.0, 2.0, 1.0])).repeat(3, 1)[None]
    gradient = torch.tensor([[[0.0, 0.0, 1.0, 1.0, 0.0]]])
    found = Preconditioner(design_of(features)).apply(gradient, torch.tensor([1.0]), torch.tensor([0.5]))
    torch.testing.assert_close(found[0, 0, 2:4], torch.full((2,), 1 / ((2.0**2 + 1) / 4 / 2 + 0.5)))


def test_features_without_variation():
    found = Preconditioner(design_of(torch.zeros(1, 30, 4))).apply(torch.ones(1, 2, 5), torch.tensor([0.5]), torch.tensor([0.1]))
    torch.testing.assert_close(found, torch.tensor([10.0, 10, 10, 10, 2]).expand(1, 2, 5))
