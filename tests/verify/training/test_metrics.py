import json
import math
from dataclasses import replace

import pytest

from rfcheck.verify.records import Epoch, LayerSaturation
from rfcheck.verify.training.checkpoint import Past
from rfcheck.verify.training.metrics import line, metrics_in


def past(number):
    layers = tuple(LayerSaturation(name, 8, 100, 4, share, 2.5, 3.0) for name, share in (("conv1", 0.5), ("conv2", 0.25)))
    return Past(Epoch(number, 1.5 / number, 0.25, 1.25, 0.5, 1e-4, 0.375, 2.0004), layers)


def test_a_line():
    assert json.loads(line(past(3))) == {
        "epoch": 3,
        "train_loss": 0.5,
        "train_accuracy": 0.25,
        "validation_loss": 1.25,
        "validation_accuracy": 0.5,
        "learning_rate": 1e-4,
        "s_mu": 0.375,
        "saturation": {"conv1": 0.5, "conv2": 0.25},
        "seconds": 2.0,
    }
    assert line(past(3)).endswith("}\n")


def test_what_is_not_finite_is_null():
    part = past(1)
    epoch = replace(part.epoch, validation_loss=math.inf, saturation=None)
    content = json.loads(line(Past(epoch, (replace(part.saturation[0], saturation=math.nan),))))
    assert (content["validation_loss"], content["s_mu"], content["saturation"]) == (None, None, {"conv1": None})


def epochs_in(folder):
    return [json.loads(text)["epoch"] for text in (folder / "metrics.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("there", ["", '{"epoch": 1}\n{"epoch": 2}\n{"epoch": 3}\n', '{"epoch": 1}\n{"epo'])
def test_every_epoch_once_after_an_interruption(tmp_path, there):
    (tmp_path / "metrics.jsonl").write_text(there)
    with metrics_in(tmp_path, (past(1), past(2)), tensorboard=False) as metrics:
        assert epochs_in(tmp_path) == [1, 2]
        metrics.add(past(3))
        assert epochs_in(tmp_path) == [1, 2, 3]
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.jsonl"]


def test_tensorboard_too(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    for known in (), (past(1),), (past(1), past(2)):
        with metrics_in(tmp_path, known, tensorboard=True) as metrics:
            metrics.add(past(len(known) + 1))
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert sorted(events.Tags()["scalars"]) == [
        "accuracy/train",
        "accuracy/validation",
        "learning_rate",
        "loss/train",
        "loss/validation",
        "saturation/conv1",
        "saturation/conv2",
        "saturation/mean",
    ]
    assert [(event.step, event.value) for event in events.Scalars("loss/train")] == [(1, 1.5), (2, 0.75), (3, 0.5)]
    assert [event.value for event in events.Scalars("saturation/conv2")] == [0.25] * 3
