import errno
import math
import os
from pathlib import Path

import pytest
import torch
from torch import nn

from rfcheck.errors import TrainingError
from rfcheck.verify.training import failures
from rfcheck.verify.training.failures import LossNotFiniteError
from tests.verify.training.small import Net

IMAGES = torch.rand(4, 1, 9, 9)


class Overflow(nn.Module):
    def forward(self, x):
        return x * 1e30 * 1e30


def sentence(model, *, epoch=2, precision="no", loss=math.nan):
    return str(failures.loss_not_finite(LossNotFiniteError(5, loss, IMAGES), model, epoch, 0.1, precision))


def test_the_first_layer_that_is_not_finite_is_named():
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Sequential(nn.Conv2d(4, 4, 3), Overflow()), nn.Conv2d(4, 4, 3))
    assert sentence(model) == (
        "the loss is nan at step 5 of epoch 2, where 2.1 is the first layer with outputs that are not finite; "
        "everything up to epoch 1 is kept; try a smaller learning rate than 0.1"
    )
    assert not any(module._forward_hooks for module in model.modules())


def test_weights_that_are_not_finite_are_named():
    model = Net()
    with torch.no_grad():
        model.conv2.bias[3] = math.inf
    assert sentence(model, epoch=1, precision="fp16", loss=math.inf) == (
        "the loss is inf at step 5 of epoch 1, where conv2.bias is not finite; "
        "no epoch was finished; try a smaller learning rate than 0.1, or precision bf16"
    )


def test_nothing_is_named_where_the_model_has_learnt_since():
    model = Net()
    with torch.no_grad():
        model.conv1.weight.fill_(math.nan)
    error = failures.loss_not_finite(LossNotFiniteError(7, math.inf, None), model, 1, 0.1, "no")
    assert str(error) == "the loss is inf at step 7 of epoch 1; no epoch was finished; try a smaller learning rate than 0.1"


def test_nothing_is_named_where_everything_is_finite():
    assert sentence(Net()) == (
        "the loss is nan at step 5 of epoch 2; everything up to epoch 1 is kept; try a smaller learning rate than 0.1"
    )


@pytest.mark.parametrize(
    ("precision", "remedy"),
    [
        ("bf16", "correct what the model computes, as nothing is learnt before that step"),
        ("fp16", "try a smaller learning rate than 0.1, or precision bf16"),
    ],
)
def test_the_learning_rate_is_not_blamed_for_the_first_step(precision, remedy):
    error = failures.loss_not_finite(LossNotFiniteError(1, math.nan, None), Net(), 1, 0.1, precision)
    assert str(error) == f"the loss is nan at step 1 of epoch 1; no epoch was finished; {remedy}"


@pytest.mark.parametrize(("losses", "epoch"), [([24.0, 23.1], 1), ([500.0, 23.0, 700.0], 2), ([2.3], 9)])
def test_no_divergence(losses, epoch):
    failures.require_no_divergence(losses, 10, epoch, 0.1)


def test_divergence():
    with pytest.raises(TrainingError) as caught:
        failures.require_no_divergence([300.0, 23.1, 1e9], 10, 4, 0.1)
    assert str(caught.value) == (
        "training diverges: no loss of epoch 4 is below 23.1, and guessing among 10 classes has 2.3; "
        "everything up to epoch 3 is kept; try a smaller learning rate than 0.1"
    )


def refused():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**46)
    return caught.value


def test_refused_memory_is_recognised():
    for error in (refused(), MemoryError(), torch.OutOfMemoryError("CUDA out of memory")):
        assert failures.is_out_of_memory(error)
    for error in (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), ValueError()):
        assert not failures.is_out_of_memory(error)


@pytest.mark.parametrize(("limit", "size"), [(100, 64), (64, 64), (63, 32), (1, 1), (0, None)])
def test_the_batch_that_fits(limit, size):
    tried = []

    def works(images):
        tried.append(images)
        if images > limit:
            raise MemoryError

    assert failures.largest_fitting(works, 128) == size
    assert tried == [64, 32, 16, 8, 4, 2, 1][: len(tried)]
    assert max([tried[-1], 1]) == (size or 1)


def test_no_batch_is_named_where_small_ones_fail_for_another_reason():
    def works(images):
        raise MemoryError if images > 1 else ValueError

    assert failures.largest_fitting(works, 128) is None
    assert failures.largest_fitting(works, 1) is None


@pytest.mark.parametrize(
    ("device", "fits", "sentence"),
    [
        (
            "cpu",
            32,
            "a batch of 128 images does not fit into the memory of this machine in epoch 1; no epoch was finished; "
            "a batch of 32 fits: begin a new run with --batch-size 32",
        ),
        (
            "cuda:1",
            None,
            "a batch of 128 images does not fit into the memory of cuda:1 in epoch 1; no epoch was finished; "
            "take a smaller model or batch",
        ),
    ],
)
def test_out_of_memory(device, fits, sentence):
    assert str(failures.out_of_memory(torch.device(device), 1, 128, fits)) == sentence


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.ENOSPC, "No space left on device; everything up to epoch 3 is kept; make room"),
        (errno.EACCES, "Permission denied; everything up to epoch 3 is kept; see to it that the folder can be written"),
    ],
)
def test_not_written(number, reason):
    error = failures.not_written(Path("runs/original"), OSError(number, os.strerror(number)), 3)
    assert str(error) == f"runs/original: cannot be written: {reason}, then resume the run"


def failure_of(model, images):
    try:
        model(images)
    except Exception as error:
        return error
    raise AssertionError("no failure")


def test_a_layer_that_fails_in_training_mode_is_named():
    model = nn.Sequential(nn.Conv2d(1, 4, 9), nn.Sequential(nn.BatchNorm2d(4)), nn.Flatten())
    error = failure_of(model.train(), IMAGES[:1])
    assert failures.is_of_model(error, model)
    assert str(failures.step_failed(error, model, 1)) == (
        "the model fails in training mode in 1.0: ValueError: Expected more than 1 value per channel when training, "
        "got input size torch.Size([1, 4, 1, 1]); no epoch was finished; take larger images or batches"
    )


@pytest.mark.parametrize("layer", [nn.AvgPool2d(9), nn.Conv2d(1, 1, 9)])
def test_a_head_that_only_training_uses_may_need_larger_images(layer):
    model = nn.Sequential(nn.MaxPool2d(2), layer)
    sentence = str(failures.step_failed(failure_of(model, IMAGES), model, 1))
    assert sentence.startswith("the model fails in training mode in 1: RuntimeError: ")
    assert sentence.endswith("; no epoch was finished; take larger images")


def test_a_model_that_fails_itself():
    class Fails(nn.Module):
        def forward(self, x):
            raise KeyError("targets")

    model = Fails()
    error = failure_of(model, IMAGES)
    assert failures.is_of_model(error, model)
    assert str(failures.step_failed(error, model, 3)) == (
        "the model fails in training mode: KeyError: 'targets'; everything up to epoch 2 is kept; "
        "make its forward work in training mode"
    )
    assert not failures.is_of_model(error, Net())
