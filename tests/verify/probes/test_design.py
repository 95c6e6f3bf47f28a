from __future__ import annotations

import pytest
import torch

from rfcheck.verify.probes import design as module
from rfcheck.verify.probes.design import Design

CPU = torch.device("cpu")


@pytest.fixture(params=["whole", "blocks"])
def made(request, monkeypatch):
    """A design of 2 regressions over 30 images and 5 features, and its matrix in float64; in one piece or in blocks of 4 images."""
    values, factor, offset = torch.randn(2, 30, 5).half(), torch.rand(2, 5), torch.randn(2, 5)
    monkeypatch.setattr(module, "BLOCK", 4 * 2 * 5 * 4)
    design = Design(values, factor, offset, CPU, 2**20 if request.param == "whole" else 0)
    return design, values.double() * factor.double()[:, None] + offset.double()[:, None]


def test_logits(made):
    design, matrix = made
    weights = torch.randn(2, 3, 6)
    expected = torch.einsum("pnf,pkf->pnk", matrix, weights[..., :5].double()) + weights[:, None, :, 5].double()
    torch.testing.assert_close(design.logits(weights).double(), expected, atol=1e-5, rtol=1e-5)


def test_gradient(made):
    design, matrix = made
    residuals = torch.randn(2, 30, 3)
    extended = torch.cat((matrix, torch.ones(2, 30, 1, dtype=torch.float64)), 2)
    expected = torch.einsum("pnk,pnf->pkf", residuals.double(), extended)
    torch.testing.assert_close(design.gradient(residuals).double(), expected, atol=1e-4, rtol=1e-5)


def test_sample(made):
    design, matrix = made
    torch.testing.assert_close(design.sample(torch.tensor([2, 29])).double(), matrix[:, [2, 29]], atol=1e-6, rtol=1e-6)
