import json
import os
import random
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from rfcheck.errors import TrainingError
from rfcheck.verify.data.batches import evaluation_batches, training_batches
from rfcheck.verify.recipe import Training
from rfcheck.verify.training.randomness import seed_everything
from tests.verify.side_by_side import run_side_by_side
from tests.verify.training.small import SHORT, Net, numbers, short, small_data

ROOT = Path(__file__).parents[3]


def bare(training, data, seed):
    """The same training without anything around it."""
    seed_everything(seed, 0)
    model = Net()
    parameters = model.parameters()
    rate = training.learning_rate
    if training.optimizer == "adam":
        optimizer = torch.optim.Adam(parameters, rate)
    else:
        optimizer = torch.optim.SGD(parameters, rate, momentum=training.momentum)
    losses = []
    for epoch in range(1, training.epochs + 1):
        seed_everything(seed, epoch)
        model.train()
        for images, labels in training_batches(data, batch_size=training.batch_size, seed=seed, epoch=epoch):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(images), labels)
            loss.backward()
            optimizer.step()
        if epoch % training.decay_every == 0:
            optimizer.param_groups[0]["lr"] *= training.decay_factor
        model.eval()
        [(images, labels)] = evaluation_batches(data, "validation", batch_size=100)
        with torch.no_grad():
            losses.append(F.cross_entropy(model(images), labels).item())
    return model, losses


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_the_loop_is_the_bare_loop(tmp_path, optimizer):
    training = replace(SHORT, optimizer=optimizer)
    expected, losses = bare(training, small_data(), 3)
    trained = short(tmp_path, training=training)
    for name, value in expected.state_dict().items():
        assert torch.equal(trained.model.state_dict()[name], value), name
    assert [epoch.validation_loss for epoch in trained.epochs] == pytest.approx(losses, rel=1e-6)
    assert not trained.model.training


def test_a_seed_decides_everything(tmp_path):
    first = numbers(short(tmp_path / "a"))
    torch.rand(5)
    assert numbers(short(tmp_path / "b")) == first
    assert numbers(short(tmp_path / "c", seed=4))["weights"] != first["weights"]


def test_it_learns(tmp_path):
    data = small_data(per_class=100)
    trained = short(tmp_path, data=data, training=Training(epochs=6, batch_size=16, learning_rate=1e-2))
    assert trained.epochs[-1].validation_accuracy > 0.6  # of three classes
    assert trained.epochs[-1].train_loss < 0.9 * trained.epochs[0].train_loss


def test_what_is_finished_is_only_loaded(tmp_path):
    first = short(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    again = short(tmp_path)
    assert numbers(again) == numbers(first)
    assert again.epochs == first.epochs
    assert not again.model.training
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before


def test_another_training_in_the_same_folder(tmp_path):
    short(tmp_path)
    for change, difference in (
        ({"seed": 4}, "seed 3 there and 4 here"),
        ({"training": replace(SHORT, learning_rate=0.5)}, "learning_rate 0.01 there and 0.5 here"),
        ({"build": lambda: Net(width=7)}, "model which is not the same there and here"),
    ):
        with pytest.raises(TrainingError) as caught:
            short(tmp_path, **change)
        assert str(caught.value) == (
            f"{tmp_path / 'checkpoint.pt'}: belongs to another training, with {difference}; "
            "go on as it began, or begin a new run in another folder"
        )


def test_metrics_are_those_of_the_epochs(tmp_path):
    trained = short(tmp_path, tensorboard=True)
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    for line, epoch in zip(lines, trained.epochs, strict=True):
        assert (line["epoch"], line["train_loss"], line["validation_accuracy"], line["s_mu"]) == (
            epoch.number,
            epoch.train_loss,
            epoch.validation_accuracy,
            epoch.saturation,
        )
    assert lines[-1]["saturation"] == {layer.layer: layer.saturation for layer in trained.saturation}
    assert len(list((tmp_path / "tensorboard").iterdir())) == 1


@pytest.mark.parametrize("fails", [False, True])
def test_the_process_is_left_as_it_was(tmp_path, fails):
    def state():
        return (
            torch.get_rng_state().tolist(),
            random.getstate(),
            np.random.get_state()[1].tolist(),
            torch.get_num_threads(),
            torch.backends.cudnn.deterministic,
            torch.get_default_dtype(),
            list(warnings.filters),
            dict(os.environ),
        )

    before = state()
    if fails:
        with pytest.raises(TrainingError):
            short(tmp_path, lambda: Net(4))
    else:
        short(tmp_path)
    assert state() == before


def test_two_processes_train_as_one_would(tmp_path):
    """Without batch normalisation, whose statistics are those of each process' share, and without dropout."""
    answer = tmp_path / "{rank}.json"
    run_side_by_side(
        2, "-W", "error", "-m", "tests.verify.training.small", "--plain", str(tmp_path / "two"), "--answer", str(answer)
    )
    found, other = (json.loads((tmp_path / f"{rank}.json").read_text()) for rank in ("0", "1"))
    assert found == other
    expected = numbers(short(tmp_path / "one", lambda: Net(normalised=False, dropout=0)))
    for name, value in expected["weights"].items():
        assert np.allclose(found["weights"][name], value, rtol=1e-4, atol=1e-5), name
    for one, two in zip(expected["epochs"], found["epochs"], strict=True):
        assert two == pytest.approx(one, rel=1e-4)
    for one, two in zip(expected["saturation"], found["saturation"], strict=True):
        assert two.pop("layer") == one.pop("layer")
        assert two == pytest.approx(one, rel=1e-4)
    assert len((tmp_path / "two" / "metrics.jsonl").read_text().splitlines()) == 3


def killed(tmp_path, how):
    command = [sys.executable, "-m", "tests.verify.training.killed", str(tmp_path), how]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout)


def test_killed_whenever_a_file_changes(tmp_path):
    """Before each opening, renaming and removal of a file in its folder; what goes on ends bitwise the same."""
    found = killed(tmp_path, "files")
    assert found["killed"] >= 3 * 3


@pytest.mark.slow
def test_killed_at_random_moments(tmp_path):
    assert killed(tmp_path, "time")["killed"] >= 20
