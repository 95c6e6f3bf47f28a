"""What changes the weights, and how fast: optimizer and schedule of a training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn
from torch.optim import SGD, Adam, Optimizer
from torch.optim.lr_scheduler import StepLR

from rfcheck.errors import TrainingError

if TYPE_CHECKING:
    from rfcheck.verify.recipe import Training

BETAS = (0.9, 0.999)
EPSILON = 1e-8


def make_optimizer(model: nn.Module, training: Training) -> Optimizer:
    """Adam or SGD over the parameters that are to be trained.

    Raises:
        TrainingError: if there are none.

    Source: Richter 2022, tables 6 to 12.
    """
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if not parameters:
        raise TrainingError("the model has no parameters that require gradients, so nothing can be trained; unfreeze some")
    if training.optimizer == "adam":
        return Adam(parameters, training.learning_rate, BETAS, EPSILON, training.weight_decay)
    return SGD(parameters, training.learning_rate, training.momentum, weight_decay=training.weight_decay)


def make_schedule(optimizer: Optimizer, training: Training) -> StepLR:
    """The learning rate per epoch: multiplied by the decay factor at fixed intervals, or constant."""
    return StepLR(optimizer, training.decay_every or training.epochs + 1, training.decay_factor)
