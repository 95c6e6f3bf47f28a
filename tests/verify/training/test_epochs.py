import math
import resource
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from rfcheck.errors import TrainingError
from rfcheck.verify.observing import observable
from rfcheck.verify.recipe import Training
from tests.verify.training.small import LAYERS, SHORT, Net, numbers, short


def samples(folder):
    """Observations behind the saturation of each epoch of the checkpoint, per layer."""
    content = torch.load(folder / "checkpoint.pt", weights_only=True)
    return [[layer["samples"] for layer in part["saturation"]] for part in content["past"]]


def test_all_outputs_of_the_last_epoch_and_some_of_the_others_count(tmp_path):
    trained = short(tmp_path)
    some, every = 8 + 4, 36  # of five batches, the first and the last
    assert samples(tmp_path) == [[images * positions for positions in (81, 16, 1)] for images in (some, some, every)]
    assert [layer.layer for layer in trained.saturation] == list(LAYERS)
    for epoch in trained.epochs:
        assert 0 < epoch.saturation <= 1
    assert trained.epochs[-1].saturation == pytest.approx(np.mean([layer.saturation for layer in trained.saturation]), rel=1e-15)


def test_without_layers_there_is_no_saturation(tmp_path):
    trained = short(tmp_path, layers=())
    assert trained.saturation == ()
    assert [epoch.saturation for epoch in trained.epochs] == [None] * 3


def test_saturation_does_not_change_the_training(tmp_path):
    with_it, without = numbers(short(tmp_path / "a")), numbers(short(tmp_path / "b", layers=()))
    assert with_it["weights"] == without["weights"]


def test_learning_rates_per_epoch(tmp_path):
    rates = [epoch.learning_rate for epoch in short(tmp_path, training=replace(SHORT, epochs=5)).epochs]
    assert rates == pytest.approx([1e-2, 1e-2, 1e-3, 1e-3, 1e-4], rel=1e-12)


class Notes:
    def __init__(self):
        self.stages, self.notes = [], []

    def stage(self, name, total):
        self.stages.append((name, total))

    def step(self, note=""):
        self.notes.append(note)


def test_progress_is_told_with_live_numbers(tmp_path):
    notes = Notes()
    trained = short(tmp_path, progress=notes)
    assert notes.stages == [("training", 15)]
    assert len(notes.notes) == 15
    first, second = trained.epochs[:2]
    assert notes.notes[4] == f"epoch 1 of 3: accuracy {100 * first.train_accuracy:.1f}%"
    assert notes.notes[9] == (
        f"epoch 2 of 3: accuracy {100 * second.train_accuracy:.1f}%, validation {100 * first.validation_accuracy:.1f}%, "
        f"saturation {first.saturation:.2f}"
    )


def failure(folder, *args, **options):
    with pytest.raises(TrainingError) as caught:
        short(folder, *args, **options)
    return str(caught.value)


class Steep(nn.Module):
    """A network whose outputs overflow as soon as its weights have grown."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(81, 3)

    def forward(self, x):
        return torch.exp(self.linear(x.flatten(1)))


def test_a_loss_that_is_not_finite(tmp_path):
    sentence = failure(tmp_path, Steep, training=Training(batch_size=8, learning_rate=500.0), layers=("linear",))
    assert sentence == "the loss is nan at step 2 of epoch 1; no epoch was finished; try a smaller learning rate than 500"
    assert not (tmp_path / "checkpoint.pt").exists()


def test_a_loss_that_diverges(tmp_path):
    """Gradient descent far beyond the learning rate at which it is stable."""
    training = Training(batch_size=8, optimizer="sgd", learning_rate=100.0, momentum=0.9, epochs=4)
    sentence = failure(tmp_path, lambda: nn.Sequential(nn.Flatten(), nn.Linear(81, 3)), training=training, layers=("1",))
    assert sentence.startswith("training diverges: no loss of epoch 2 is below ")
    assert sentence.endswith(
        "guessing among 3 classes has 1.1; everything up to epoch 1 is kept; try a smaller learning rate than 100"
    )
    assert samples(tmp_path) == [[8 + 4]]


def test_a_model_that_only_fails_in_training_mode(tmp_path):
    def build():
        return nn.Sequential(nn.Conv2d(1, 4, 9), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 3))

    sentence = failure(tmp_path, build, training=replace(SHORT, batch_size=1), layers=("0",))
    assert sentence == (
        "the model fails in training mode in 1: ValueError: Expected more than 1 value per channel when training, "
        "got input size torch.Size([1, 4, 1, 1]); no epoch was finished; take larger images or batches"
    )


def test_a_model_that_cannot_go_backwards(tmp_path):
    class InPlace(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(81, 3)

        def forward(self, x):
            scores = torch.sigmoid(self.linear(x.flatten(1)))
            return scores.mul_(2)

    sentence = failure(tmp_path, InPlace, layers=("linear",))
    assert sentence.startswith(
        "the model fails in training mode: RuntimeError: one of the variables needed for gradient computation has been modified"
    )
    assert sentence.endswith("no epoch was finished; make its forward work in training mode")


def test_nothing_to_train(tmp_path):
    sentence = failure(tmp_path, lambda: Net().requires_grad_(False))
    assert sentence == "the model has no parameters that require gradients, so nothing can be trained; unfreeze some"


class Hungry(Net):
    """Asks for memory that no machine has when a batch in training is larger than four images."""

    def forward(self, x):
        if self.training and len(x) > 4:
            torch.empty(2**46)
        return super().forward(x)


def test_a_batch_that_does_not_fit_into_memory(tmp_path):
    sentence = failure(tmp_path, Hungry, training=replace(SHORT, batch_size=32))
    assert sentence == (
        "a batch of 32 images does not fit into the memory of this machine in epoch 1; no epoch was finished; "
        "a batch of 4 fits: begin a new run with --batch-size 4"
    )


class Stop(Notes):
    """Ctrl-C after some steps."""

    def __init__(self, after):
        super().__init__()
        self.after = after

    def step(self, note=""):
        super().step(note)
        if len(self.notes) == self.after:
            raise KeyboardInterrupt


@contextmanager
def files_up_to(size):
    """Files cannot grow beyond a size, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("finished", [0, 1, 2])
@pytest.mark.parametrize("what", ["checkpoint", "metrics", "events"])
def test_a_full_disk(tmp_path, finished, what):
    folder, tensorboard = tmp_path / "run", what == "events"
    expected = numbers(short(tmp_path / "whole", tensorboard=tensorboard))
    if finished:
        with pytest.raises(KeyboardInterrupt):
            short(folder, progress=Stop(5 * finished + 1), tensorboard=tensorboard)
    file = {"checkpoint": "checkpoint.pt", "metrics": "metrics.jsonl", "events": "tensorboard"}[what]
    size = sum(path.stat().st_size for path in folder.rglob("*") if file in str(path)) if finished else 100
    if what == "checkpoint" and finished == 2:
        size //= 4  # the last one keeps only the weights
    with files_up_to(size + 50):
        sentence = failure(folder, tensorboard=tensorboard)
    kept = f"everything up to epoch {finished} is kept" if finished else "no epoch was finished"
    assert sentence == (f"{folder}: cannot be written: File too large; {kept}; make room, then resume the run")
    assert not list(folder.glob(".*"))
    assert numbers(short(folder, tensorboard=tensorboard)) == expected


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    assert failure(tmp_path / "file" / "run") == (
        f"{tmp_path / 'file' / 'run'}: cannot be written: Not a directory; no epoch was finished; "
        "see to it that the folder can be written, then resume the run"
    )


@pytest.mark.parametrize("after", [1, 5, 6, 15])
def test_after_an_interruption_training_goes_on_where_it_was(tmp_path, after):
    expected = numbers(short(tmp_path / "whole"))
    with pytest.raises(KeyboardInterrupt):
        short(tmp_path / "run", progress=Stop(after))
    notes = Notes()
    assert numbers(short(tmp_path / "run", progress=notes)) == expected
    assert notes.stages == [("training", 15 - 5 * ((after - 1) // 5))]


def test_after_any_end_the_model_has_no_hook(tmp_path):
    models = []

    def build():
        models.append(Net())
        return models[-1]

    with pytest.raises(KeyboardInterrupt):
        short(tmp_path, build, progress=Stop(3))
    short(tmp_path, build)
    for model in models:
        assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())
        assert set(model.__dict__) == set(Net().__dict__)
        assert observable(model).keys() == set(LAYERS)
    assert all(parameter.grad is None for parameter in models[-1].parameters())


def test_half_precision_trains_too(tmp_path):
    trained = short(tmp_path, training=replace(SHORT, precision="bf16"))
    full = short(tmp_path / "full")
    assert all(value.dtype == torch.float32 for value in trained.model.parameters())
    losses = [[epoch.train_loss for epoch in one.epochs] for one in (trained, full)]
    assert losses[0] != losses[1]
    assert losses[0] == pytest.approx(losses[1], rel=0.02)
    assert not any(math.isnan(layer.saturation) for layer in trained.saturation)


def test_models_with_auxiliary_scores_are_trained_by_the_first(tmp_path):
    class Auxiliary(Net):
        def __init__(self):
            super().__init__()
            self.auxiliary = nn.Linear(8, 3)

        def forward(self, x):
            scores = super().forward(x)
            return (scores, self.auxiliary(scores.new_ones(len(x), 8))) if self.training else scores

    trained = short(tmp_path, Auxiliary)
    assert trained.epochs[-1].train_loss != trained.epochs[0].train_loss
