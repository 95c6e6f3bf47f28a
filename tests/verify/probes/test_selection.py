from __future__ import annotations

import numpy as np
import pytest
import torch

from rfcheck.errors import VerifyError
from rfcheck.verify.probes.design import Design
from rfcheck.verify.probes.regression import fit
from rfcheck.verify.probes.selection import GRID, held_out, select_and_fit

from .networks import digits


def design_of(features: torch.Tensor) -> Design:
    ones = torch.ones(features.shape[0], features.shape[2])
    return Design(features, ones, torch.zeros_like(ones), torch.device("cpu"), 2**30)


def test_a_fifth_of_each_class_is_held_out():
    for labels in (torch.arange(300) % 10, torch.arange(300) // 30, torch.tensor([0] * 271 + [1] * 29)):
        held = held_out(labels)
        shares = held.double() @ torch.nn.functional.one_hot(labels).double() / labels.bincount()
        assert (shares - 0.2).abs().max() <= 1 / 29
        assert torch.equal(held, held_out(labels))


def test_too_few_images():
    with pytest.raises(VerifyError) as raised:
        held_out(torch.zeros(9, dtype=torch.int64))
    assert str(raised.value) == "probes need at least 10 training images, not 9; add images"
    assert held_out(torch.zeros(10, dtype=torch.int64)).sum() == 2


def losses(features: torch.Tensor, labels: torch.Tensor) -> np.ndarray:
    """Held-out cross-entropy of scikit-learn's solutions over the grid."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import log_loss

    held = held_out(labels).numpy()
    x, y = features.double().numpy(), labels.numpy()
    found = []
    for l2 in GRID:
        model = LogisticRegression(C=1 / (l2 * (~held).sum()), tol=1e-6, max_iter=5000).fit(x[~held], y[~held])
        found.append(log_loss(y[held], model.predict_proba(x[held]), labels=model.classes_))
    return np.array(found)


def test_the_strength_that_is_best_on_the_held_out_images():
    images, labels = digits(400)
    noisy = 4 * (images.flatten(1) - 0.3) + 2 * torch.randn(400, 64)
    small = noisy[:, :4]
    strengths, fitted = select_and_fit(design_of(noisy[None]), labels, 10)
    expected = losses(noisy, labels)
    assert 0 < expected.argmin() < len(GRID) - 1
    assert float(strengths[0]) == GRID[expected.argmin()]
    again = fit(design_of(noisy[None]), labels, 10, strengths)
    torch.testing.assert_close(fitted.logits, again.logits, atol=0.05, rtol=0.02)
    assert losses(small, labels)[GRID.index(float(select_and_fit(design_of(small[None]), labels, 10)[0][0]))] <= (
        losses(small, labels).min() + 0.005
    )


def test_features_that_tell_little_need_weak_regularisation():
    """The strongest regularisations suppress a single feature altogether, all alike; the search goes on to those that do not."""
    labels = torch.arange(3000) % 2
    feature = (torch.randn(3000, 1) + 0.12 * (2 * labels[:, None] - 1)).clone()
    strengths, _ = select_and_fit(design_of(feature[None]), labels, 2)
    expected = losses(feature, labels)
    assert expected[0] - expected[1] < 1e-3
    assert losses(feature, labels)[GRID.index(float(strengths[0]))] <= expected.min() + 2e-3
    assert float(strengths[0]) < 1


def test_several_regressions_choose_for_themselves():
    images, labels = digits(300)
    clean = 4 * (images.flatten(1) - 0.3)
    several = torch.stack((clean, torch.randn(300, 64), clean + 2 * torch.randn(300, 64)))
    strengths, fitted = select_and_fit(design_of(several), labels, 10)
    assert float(strengths[1]) > float(strengths[2]) > float(strengths[0])
    for p in range(3):
        alone, single = select_and_fit(design_of(several[p : p + 1]), labels, 10)
        assert float(alone[0]) == float(strengths[p])
        torch.testing.assert_close(fitted.logits[p], single.logits[0], atol=0.05, rtol=0.02)


def test_one_class_alone():
    _, fitted = select_and_fit(design_of(torch.randn(1, 30, 4)), torch.full((30,), 2), 3)
    assert (fitted.logits.argmax(2) == 2).all()


def test_a_class_that_only_the_held_out_images_have():
    labels = torch.arange(40) % 2
    held = held_out(torch.cat((labels, torch.tensor([2]))))
    assert held[-1]
    _, fitted = select_and_fit(design_of(torch.randn(1, 41, 4)), torch.cat((labels, torch.tensor([2]))), 3)
    assert fitted.weights.isfinite().all()
