import os
import zipfile
from dataclasses import asdict, replace

import pytest
import torch
from accelerate import Accelerator
from torch.nn import functional as F

from rfcheck.errors import TrainingError
from rfcheck.verify.recipe import Training
from rfcheck.verify.training.checkpoint import finished, fitting, load_checkpoint, restore, save_checkpoint, take
from rfcheck.verify.training.devices import accelerated
from rfcheck.verify.training.optimizing import make_optimizer, make_schedule
from rfcheck.verify.training.steps import Learner
from tests.verify.training.small import Net
from tests.verify.training.test_metrics import past

IDENTITY = {"epochs": 3, "learning_rate": 0.1, "seed": 0, "data": "a" * 64, "layers": ["conv1"]}
IMAGES, LABELS = torch.rand(6, 1, 9, 9), torch.tensor([0, 1, 2, 0, 1, 2])


@pytest.fixture
def accelerator():
    with accelerated("no", "cpu") as accelerator:
        yield accelerator


def parts(accelerator: Accelerator, training):
    model = Net(dropout=0)
    optimizer = make_optimizer(model, training)
    return model, Learner(model, accelerator.prepare(optimizer), accelerator), make_schedule(optimizer, training)


def step(model, learner, schedule):
    loss, _ = learner.look(IMAGES, LABELS, len(LABELS))
    learner.learn(loss)
    schedule.step()
    return loss.item()


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_going_on_from_a_file_is_as_if_nothing_had_happened(tmp_path, accelerator, optimizer):
    training = Training(optimizer=optimizer, learning_rate=0.1, decay_every=2)
    going = parts(accelerator, training)
    step(*going)
    saved = take(going[0], going[1], going[2], (past(1),))
    save_checkpoint(tmp_path / "checkpoint.pt", saved, IDENTITY)
    expected = [step(*going) for _ in range(4)]
    loaded = load_checkpoint(tmp_path / "checkpoint.pt", IDENTITY)
    assert loaded.past == (past(1),)
    resumed = parts(accelerator, training)
    restore(loaded, *resumed)
    assert [step(*resumed) for _ in range(4)] == expected
    for name, value in resumed[0].state_dict().items():
        assert torch.equal(value, going[0].state_dict()[name])
    assert F.cross_entropy(going[0](IMAGES), LABELS) == F.cross_entropy(resumed[0](IMAGES), LABELS)


def test_a_finished_training_keeps_its_weights_only(tmp_path, accelerator):
    model, *others = parts(accelerator, Training(optimizer="adam"))
    step(model, *others)
    state = take(model, *others, (past(1),))
    for name, kept in (("going.pt", state), ("finished.pt", finished(state))):
        save_checkpoint(tmp_path / name, kept, IDENTITY)
    loaded = load_checkpoint(tmp_path / "finished.pt", IDENTITY)
    assert all(torch.equal(loaded.model[name], value) for name, value in model.state_dict().items())
    assert (loaded.past, loaded.optimizer, loaded.schedule) == ((past(1),), {}, {})
    assert (tmp_path / "finished.pt").stat().st_size < (tmp_path / "going.pt").stat().st_size


@pytest.fixture
def saved(tmp_path, accelerator):
    path = tmp_path / "checkpoint.pt"
    save_checkpoint(path, take(*parts(accelerator, Training()), ()), IDENTITY)
    return path


def test_no_file_no_checkpoint(tmp_path):
    assert load_checkpoint(tmp_path / "checkpoint.pt", IDENTITY) is None


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ({"learning_rate": 0.01}, "learning_rate 0.1 there and 0.01 here"),
        ({"seed": 4, "epochs": 9}, "epochs 3 there and 9 here"),
        ({"layers": ["conv1", "conv2"]}, "layers ['conv1'] there and ['conv1', 'conv2'] here"),
        ({"data": "b" * 64}, "data which is not the same there and here"),
    ],
)
def test_a_checkpoint_of_another_training(saved, change, difference):
    with pytest.raises(TrainingError) as caught:
        load_checkpoint(saved, IDENTITY | change)
    assert str(caught.value) == (
        f"{saved}: belongs to another training, with {difference}; go on as it began, or begin a new run in another folder"
    )


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04" + bytes(100)])
def test_not_a_checkpoint(tmp_path, content):
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(content)
    with pytest.raises(
        TrainingError, match=r"cannot be read as a checkpoint \(.+\); delete it to train this model anew$"
    ) as caught:
        load_checkpoint(path, IDENTITY)
    assert "\n" not in str(caught.value)


def test_half_a_checkpoint(saved):
    saved.write_bytes(saved.read_bytes()[:-500])
    with pytest.raises(TrainingError, match="cannot be read as a checkpoint"):
        load_checkpoint(saved, IDENTITY)


WHOLE = {"version": 1, "identity": IDENTITY, "past": [], "model": {}, "optimizer": {}, "schedule": {}, "scaler": None}
SECOND = {"epoch": asdict(past(2).epoch), "saturation": []}
WRONG = {"epoch": asdict(past(1).epoch) | {"train_loss": "::error::x"}, "saturation": []}


@pytest.mark.parametrize(
    "content",
    [
        {"version": 1},
        {},
        [1],
        {"version": 1, "identity": IDENTITY, "past": [{"epoch": {}}]},
        WHOLE | {"identity": [1]},
        WHOLE | {"past": [SECOND]},
        WHOLE | {"past": [WRONG]},
    ],
)
def test_another_content(tmp_path, content):
    torch.save(content, tmp_path / "checkpoint.pt")
    with pytest.raises(TrainingError, match="cannot be read as a checkpoint"):
        load_checkpoint(tmp_path / "checkpoint.pt", IDENTITY)


def test_another_version(tmp_path):
    torch.save({"version": 0}, tmp_path / "checkpoint.pt")
    with pytest.raises(TrainingError) as caught:
        load_checkpoint(tmp_path / "checkpoint.pt", IDENTITY)
    assert str(caught.value) == (
        f"{tmp_path / 'checkpoint.pt'}: was written by another version of rfcheck; delete it to train this model anew"
    )


def test_a_checkpoint_that_would_run_code_is_refused(tmp_path):
    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "done"),)

    torch.save({"version": 1, "identity": Evil()}, tmp_path / "checkpoint.pt")
    with pytest.raises(TrainingError, match="cannot be read as a checkpoint"):
        load_checkpoint(tmp_path / "checkpoint.pt", IDENTITY)
    assert not (tmp_path / "done").exists()


def test_a_packed_checkpoint_is_refused_before_it_is_unpacked(saved):
    with zipfile.ZipFile(saved) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    with zipfile.ZipFile(saved, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in parts.items():
            file.writestr(name, content)
    with pytest.raises(TrainingError, match=r"cannot be read as a checkpoint \(it is packed\)"):
        load_checkpoint(saved, IDENTITY)


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "checkpoint.pt")
    with pytest.raises(TrainingError, match="is a pipe, not a file"):
        load_checkpoint(tmp_path / "checkpoint.pt", IDENTITY)


@pytest.mark.parametrize(
    "change",
    [
        {"model": {"x": torch.zeros(2)}},
        {"schedule": {"last_epoch": "::error::x"}},
        {"optimizer": {"state": {}, "param_groups": [{"lr": "x"}]}},
        {"optimizer": {}},
    ],
    ids=str,
)
def test_a_state_of_something_else_does_not_fit(tmp_path, accelerator, change):
    going = parts(accelerator, Training())
    state = replace(take(*going, ()), **change)
    with pytest.raises(TrainingError) as caught, fitting(tmp_path / "checkpoint.pt"):
        restore(state, *going)
    assert str(caught.value).startswith(f"{tmp_path / 'checkpoint.pt'}: does not fit this training (")
    assert str(caught.value).endswith("; delete it to train this model anew")
