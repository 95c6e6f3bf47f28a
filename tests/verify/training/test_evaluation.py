import numpy as np
import pytest
import torch
from torch import nn

from rfcheck.verify.data.batches import evaluation_batches
from rfcheck.verify.training.evaluation import evaluate
from tests.verify.training.small import Net, small_data


def expected(model, batches):
    """Cross-entropy and accuracy in NumPy's float64."""
    with torch.no_grad():
        scores = np.concatenate([model(images).numpy() for images, _ in batches]).astype(np.float64)
    labels = np.concatenate([labels.numpy() for _, labels in batches])
    logs = scores - np.log(np.exp(scores).sum(1, keepdims=True))
    return -logs[np.arange(len(labels)), labels].mean(), (scores.argmax(1) == labels).mean()


@pytest.mark.parametrize("batch_size", [1, 5, 36, 100])
def test_against_numpy(batch_size):
    model, data = Net().eval(), small_data()
    batches = list(evaluation_batches(data, "train", batch_size=batch_size))
    found = evaluate(model, batches)
    loss, accuracy = expected(model, batches)
    assert found.loss == pytest.approx(loss, rel=1e-6)
    assert found.accuracy == accuracy


def test_the_model_is_in_evaluation_mode_only_meanwhile():
    model = Net()
    model.norm.eval()
    modes = []
    model.register_forward_hook(lambda module, *_: modes.append(module.training))
    evaluate(model.train(), evaluation_batches(small_data(), "validation", batch_size=2))
    assert modes == [False, False]
    assert model.training
    assert model.norm.training


def test_after_a_failure_too():
    model = nn.Sequential(nn.Linear(2, 2))
    with pytest.raises(RuntimeError):
        evaluate(model, [(torch.rand(1, 3), torch.zeros(1, dtype=torch.int64))])
    assert model.training


def test_no_gradients_are_kept():
    model = Net()
    evaluate(model, evaluation_batches(small_data(), "validation", batch_size=2))
    assert all(parameter.grad is None for parameter in model.parameters())


def test_scores_in_tuples_and_half_precision():
    class Half(nn.Module):
        def forward(self, x):
            return x.half(), None

    scores = torch.tensor([[0.25, 4.0], [1.5, 0.5]])
    found = evaluate(Half(), [(scores, torch.tensor([1, 1]))])
    losses = [np.log(1 + np.exp(0.25 - 4)), np.log(1 + np.exp(1.0))]
    assert found.loss == pytest.approx(np.mean(losses), rel=1e-6)
    assert found.accuracy == 0.5
