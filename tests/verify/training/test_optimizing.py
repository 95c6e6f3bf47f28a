import pytest
import torch
from torch import nn
from torch.optim import SGD, Adam

from rfcheck.errors import TrainingError
from rfcheck.verify.recipe import PRESETS, Training
from rfcheck.verify.training.optimizing import make_optimizer, make_schedule


def test_adam_of_the_thesis():
    optimizer = make_optimizer(nn.Linear(2, 2), PRESETS["table-12"])
    assert isinstance(optimizer, Adam)
    group = optimizer.param_groups[0]
    assert (group["lr"], group["betas"], group["eps"], group["weight_decay"]) == (1e-4, (0.9, 0.999), 1e-8, 0)


def test_sgd_of_the_thesis():
    optimizer = make_optimizer(nn.Linear(2, 2), PRESETS["table-6"])
    assert isinstance(optimizer, SGD)
    group = optimizer.param_groups[0]
    assert (group["lr"], group["momentum"], group["nesterov"]) == (0.1, 0.9, False)


def test_weight_decay_is_passed_on():
    for name in ("adam", "sgd"):
        optimizer = make_optimizer(nn.Linear(2, 2), Training(optimizer=name, weight_decay=0.25))
        assert optimizer.param_groups[0]["weight_decay"] == 0.25


@pytest.mark.parametrize(
    ("training", "epoch", "rate"),
    [(PRESETS["table-6"], e, r) for e, r in ((1, 0.1), (30, 0.1), (31, 0.01), (60, 0.01), (61, 0.001), (90, 0.001))]
    + [(PRESETS["table-12"], 60, 1e-4), (Training(decay_every=1, decay_factor=0.5, learning_rate=8), 4, 1)],
)
def test_learning_rates(training, epoch, rate):
    optimizer = make_optimizer(nn.Linear(2, 2), training)
    schedule = make_schedule(optimizer, training)
    for _ in range(epoch - 1):
        optimizer.step()
        schedule.step()
    assert optimizer.param_groups[0]["lr"] == pytest.approx(rate, rel=1e-12)


def test_frozen_parameters_are_left_alone():
    model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    model[0].requires_grad_(False)
    parameters = make_optimizer(model, Training()).param_groups[0]["params"]
    assert [id(parameter) for parameter in parameters] == [id(parameter) for parameter in model[1].parameters()]


@pytest.mark.parametrize("model", [nn.ReLU(), nn.Linear(2, 2).requires_grad_(False)])
def test_nothing_to_train(model):
    with pytest.raises(TrainingError) as caught:
        make_optimizer(model, Training())
    assert str(caught.value) == "the model has no parameters that require gradients, so nothing can be trained; unfreeze some"
    assert torch.is_grad_enabled()
