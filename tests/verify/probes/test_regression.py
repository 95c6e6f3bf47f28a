from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.special import log_softmax, softmax

from rfcheck.verify.probes.design import Design
from rfcheck.verify.probes.regression import fit

from .networks import digits


def design_of(features: torch.Tensor, memory: int = 2**30) -> Design:
    features = features if features.dim() == 3 else features[None]
    ones = torch.ones(features.shape[0], features.shape[2])
    return Design(features, ones, torch.zeros_like(ones), torch.device("cpu"), memory)


def objective(features, labels, weights, l2: float) -> float:
    """In float64, by numpy."""
    x, w = features.double().numpy(), weights.double().numpy()
    logits = x @ w[:, :-1].T + w[:, -1]
    return -log_softmax(logits, axis=1)[np.arange(len(x)), labels.numpy()].mean() + l2 / 2 * (w[:, :-1] ** 2).sum()


def gradient(features, labels, weights, l2: float) -> np.ndarray:
    x, w = features.double().numpy(), weights.double().numpy()
    residuals = softmax(x @ w[:, :-1].T + w[:, -1], axis=1)
    residuals[np.arange(len(x)), labels.numpy()] -= 1
    return np.hstack((residuals.T @ x / len(x) + l2 * w[:, :-1], residuals.mean(0)[:, None]))


def by_sklearn(features, labels, l2: float, solver: str = "lbfgs", tolerance: float = 1e-8, steps: int = 10_000):
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1 / (l2 * len(labels)), tol=tolerance, max_iter=steps, solver=solver, random_state=0)
    return model.fit(features.double().numpy(), labels.numpy())


def scans(count: int = 900, start: int = 0):
    images, labels = digits(count, start)
    return 4 * (images.flatten(1) - 0.3), labels


@pytest.mark.parametrize("l2", [1.0, 0.03, 1e-3])
def test_against_scikit_learn(l2):
    features, labels = scans()
    others, wanted = scans(800, 900)
    found = fit(design_of(features), labels, 10, l2, tolerance=1e-8)
    expected = by_sklearn(features, labels, l2)
    weights = found.weights[0]
    np.testing.assert_allclose(weights[:, :-1].numpy(), expected.coef_, atol=2e-3 * np.abs(expected.coef_).max())
    accuracy = (found.weights[0, :, :-1] @ others.T + weights[:, -1:]).argmax(0).eq(wanted).float().mean()
    assert abs(float(accuracy) - expected.score(others.double().numpy(), wanted.numpy())) <= 0.0025
    torch.testing.assert_close(found.logits, design_of(features).logits(found.weights), atol=1e-4, rtol=1e-4)


def test_against_saga():
    features, labels = scans()
    expected = by_sklearn(features, labels, 0.03, "saga", 1e-4, 2000)
    found = fit(design_of(features), labels, 10, 0.03)
    assert float(found.logits[0].argmax(1).eq(labels).float().mean()) == pytest.approx(
        expected.score(features.double().numpy(), labels.numpy()), abs=0.005
    )


@pytest.mark.parametrize(("images", "features"), [(60, 300), (400, 7), (50, 50)])
def test_the_tolerance_holds(images, features):
    """More features than images, fewer, and as many: the excess over the minimum is what was asked for."""
    data, labels = torch.randn(images, features), torch.randint(0, 4, (images,))
    least = by_sklearn(data, labels, 0.01)
    reference = torch.tensor(np.hstack((least.coef_, least.intercept_[:, None])))
    best = objective(data, labels, reference, 0.01)
    for tolerance in (1e-2, 1e-5):
        found = fit(design_of(data), labels, 4, 0.01, tolerance=tolerance).weights[0]
        assert -1e-7 <= objective(data, labels, found, 0.01) - best <= tolerance


def test_the_gradient_is_zero_at_the_solution():
    features, labels = scans()
    found = fit(design_of(features), labels, 10, 0.01, tolerance=1e-9)
    assert np.abs(gradient(features, labels, found.weights[0], 0.01)).max() < 1e-5
    start = np.abs(gradient(features, labels, torch.zeros_like(found.weights[0]), 0.01)).max()
    assert start > 0.01


def test_separable_classes_do_not_diverge():
    data = torch.cat((torch.randn(50, 5) + 20, torch.randn(50, 5) - 20))
    labels = torch.arange(100) // 50
    found = fit(design_of(data), labels, 2, 1e-4, tolerance=1e-9)
    assert found.weights.isfinite().all()
    assert torch.equal(found.logits[0].argmax(1), labels)
    expected = by_sklearn(data, labels, 1e-4)
    # scikit-learn has one row of weights for two classes, the difference of ours, which is penalised half as much
    doubled = by_sklearn(data, labels, 5e-5)
    ours = float((found.weights[0, 1, :-1] - found.weights[0, 0, :-1]).norm())
    assert ours == pytest.approx(float(np.linalg.norm(doubled.coef_)), rel=0.02)
    assert ours != pytest.approx(float(np.linalg.norm(expected.coef_)), rel=0.02)


def test_a_class_without_images():
    data, labels = torch.randn(100, 4), torch.randint(0, 2, (100,))
    found = fit(design_of(data), labels, 3, 0.1)
    assert found.weights.isfinite().all()
    assert float(found.logits.softmax(2)[..., 2].max()) < 1e-3


def test_one_class_alone():
    found = fit(design_of(torch.randn(40, 3)), torch.ones(40, dtype=torch.int64), 3, 0.1)
    assert found.weights.isfinite().all()
    assert (found.logits[0].argmax(1) == 1).all()


@pytest.mark.parametrize("factor", [1e-4, 1e4])
def test_features_that_are_not_standardised(factor):
    """The same regression in other units needs the regularisation in these units."""
    features, labels = scans(300)
    expected = fit(design_of(features), labels, 10, 0.01, tolerance=1e-7).logits
    found = fit(design_of(features * factor), labels, 10, 0.01 * factor**2, tolerance=1e-7).logits
    torch.testing.assert_close(found, expected, atol=0.02, rtol=0.02)


def test_several_regressions_at_once():
    features, labels = scans(300)
    several = torch.stack((features, features.flip(1) * 0.5, torch.zeros_like(features)))
    strengths = torch.tensor([0.1, 0.001, 0.01])
    together = fit(design_of(several), labels, 10, strengths, tolerance=1e-7)
    for p in range(3):
        alone = fit(design_of(several[p]), labels, 10, float(strengths[p]), tolerance=1e-7)
        torch.testing.assert_close(together.logits[p], alone.logits[0], atol=0.02, rtol=0.01)


def test_blocks_of_float16_give_the_same():
    features, labels = scans(300)
    whole = fit(design_of(features.half()), labels, 10, 0.01)
    blocks = fit(design_of(features.half(), memory=0), labels, 10, 0.01)
    torch.testing.assert_close(blocks.logits, whole.logits, atol=1e-3, rtol=1e-3)


def test_shares_leave_images_out():
    features, labels = scans(300)
    kept = torch.arange(300) % 3 > 0
    part = fit(design_of(features[kept]), labels[kept], 10, 0.1, tolerance=1e-7)
    shares = kept.float() / kept.sum()
    found = fit(design_of(features), labels, 10, 0.1, shares=shares, tolerance=1e-7)
    torch.testing.assert_close(found.logits[:, kept], part.logits, atol=0.01, rtol=0.01)


def test_a_start_near_the_solution_takes_fewer_steps_to_the_same():
    features, labels = scans(300)
    near = fit(design_of(features), labels, 10, 0.02).weights
    cold, warm = (fit(design_of(features), labels, 10, 0.01, start=start) for start in (None, near))
    assert 0 < warm.steps < cold.steps
    torch.testing.assert_close(warm.logits, cold.logits, atol=0.05, rtol=0.05)


def test_it_repeats_bitwise():
    features, labels = scans(300)
    assert torch.equal(fit(design_of(features), labels, 10, 0.01).weights, fit(design_of(features), labels, 10, 0.01).weights)
