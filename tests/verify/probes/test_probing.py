from __future__ import annotations

import json
import math
import re
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from rfcheck.verify.probes.features import Collected, collect
from rfcheck.verify.probes.probing import correct, train_probes
from rfcheck.verify.probes.storage import LayerFeatures

from .networks import LAYERS, batches, digits, network

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    model = network()
    images, labels = digits(900)
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    for _ in range(4):
        for some, wanted in batches(images, labels):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(some), wanted).backward()
            optimizer.step()
    return model


def both(model, folder, memory=2**30, layers=LAYERS) -> tuple[Collected, Collected]:
    return tuple(
        collect(model, batches(*digits(count, start)), layers, count=count, memory=memory, folder=folder / name)
        for name, count, start in (("train", 900, 0), ("test", 800, 900))
    )


def facts(probe):
    return probe.layer, probe.features, probe.l2, probe.train_accuracy, probe.correct.tobytes()


def test_against_scikit_learn(model, tmp_path):
    """Within half a point of its converged solution on the same features, standardised, with the same regularisation."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    train, test = both(model, tmp_path)
    probes = train_probes(train, test, LAYERS, 10, folder=tmp_path / "probes", device=CPU)
    assert [(probe.layer, probe.features) for probe in probes] == [("0", 96), ("3", 128), ("7", 10)]
    for probe in probes:
        x, others = (
            (f.values.double() * f.scale + f.shift).numpy() for f in (train.features(probe.layer), test.features(probe.layer))
        )
        regression = LogisticRegression(C=1 / (probe.l2 * 900), tol=1e-8, max_iter=20_000)
        reference = make_pipeline(StandardScaler(), regression).fit(x, train.labels.numpy())
        assert abs(probe.test_accuracy - reference.score(others, test.labels.numpy())) <= 0.005
        assert abs(probe.train_accuracy - reference.score(x, train.labels.numpy())) <= 0.005
        agreement = (reference.predict(others) == test.labels.numpy()) == probe.correct
        assert agreement.mean() > 0.99
        assert probe.correct.dtype == bool
        assert probe.correct.shape == (800,)


def test_disk_gives_what_memory_does(model, tmp_path):
    inside = train_probes(*both(model, tmp_path), LAYERS, 10, folder=tmp_path / "a", device=CPU)
    outside = train_probes(*both(model, tmp_path, memory=0), LAYERS, 10, folder=tmp_path / "b", device=CPU)
    assert [facts(probe) for probe in inside] == [facts(probe) for probe in outside]


def test_what_is_kept_is_not_trained_again(model, tmp_path):
    """A probe that is kept is taken as it is, here with an accuracy that no training gives; the others are trained."""
    train, test = both(model, tmp_path)
    folder = tmp_path / "probes"
    first = train_probes(train, test, LAYERS, 10, folder=folder, device=CPU)
    files = sorted(folder.iterdir())
    assert len(files) == 3
    files[0].write_text(json.dumps(json.loads(files[0].read_text()) | {"train_accuracy": 7.5}))
    files[1].write_bytes(files[1].read_bytes()[:-20])
    files[2].unlink()
    second = train_probes(train, test, LAYERS, 10, folder=folder, device=CPU)
    assert second[0].train_accuracy == 7.5
    assert [facts(probe) for probe in second[1:]] == [facts(probe) for probe in first[1:]]
    assert sorted(folder.iterdir()) == files


class StopError(Exception):
    pass


def test_a_run_that_ends_in_between_goes_on(model, tmp_path):
    told = []

    class Told:
        def stage(self, name, total):
            told.append((name, total))

        def step(self, note=""):
            told.append(note)
            if len(told) == 3:
                raise StopError

    train, test = both(model, tmp_path)
    with pytest.raises(StopError):
        train_probes(train, test, LAYERS, 10, folder=tmp_path / "probes", device=CPU, progress=Told())
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "probes").iterdir()}
    probes = train_probes(train, test, LAYERS, 10, folder=tmp_path / "probes", device=CPU)
    assert told == [("probes", 3), *(f"{probe.layer} {probe.test_accuracy:.1%}" for probe in probes[:2])]
    assert len(before) == 2
    assert all(path.stat().st_mtime_ns == time for path, time in before.items())


def collected(values: torch.Tensor, labels: torch.Tensor, not_finite: torch.Tensor | None = None) -> Collected:
    bad = torch.zeros(len(values), dtype=torch.bool) if not_finite is None else not_finite
    width = values.shape[1]
    layer = LayerFeatures(values.half(), torch.ones(width), torch.zeros(width), bad)
    return Collected({"layer": layer}, labels, torch.zeros(len(values), 3), 2**30)


def test_infinity_in_training_leaves_no_probe(tmp_path):
    labels = torch.arange(60) % 3
    values = torch.randn(60, 4)
    bad = torch.arange(60) == 17
    (probe,) = train_probes(collected(values, labels, bad), collected(values, labels), ["layer"], 3, folder=tmp_path, device=CPU)
    assert math.isnan(probe.train_accuracy)
    assert math.isnan(probe.l2)
    assert probe.test_accuracy == 0


def test_infinity_in_testing_is_a_wrong_label(tmp_path):
    labels = torch.arange(60) % 3
    values = 5 * nn.functional.one_hot(labels, 4).float()
    bad = torch.arange(60) == 17
    (probe,) = train_probes(collected(values, labels), collected(values, labels, bad), ["layer"], 3, folder=tmp_path, device=CPU)
    assert probe.train_accuracy == 1
    assert np.flatnonzero(~probe.correct).tolist() == [17]


def test_features_without_information_give_the_most_frequent_class(tmp_path):
    labels = torch.tensor([2] * 40 + [0] * 10 + [1] * 10)
    train, test = collected(torch.zeros(60, 4), labels), collected(torch.ones(60, 4), labels)
    (probe,) = train_probes(train, test, ["layer"], 3, folder=tmp_path, device=CPU)
    assert np.array_equal(probe.correct, (labels == 2).numpy())


def test_correct():
    logits = torch.tensor([[[0.0, 1.0], [3.0, 2.0]], [[1.0, 0.0], [2.0, 3.0]]])
    assert correct(logits, torch.tensor([1, 0])).tolist() == [[True, True], [False, False]]


FULL = """
import resource, signal, sys
from pathlib import Path
import torch
from rfcheck.errors import VerifyError
from tests.verify.probes.test_probing import collected, train_probes
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
labels = torch.arange(60) % 3
features = collected(torch.randn(60, 4), labels)
resource.setrlimit(resource.RLIMIT_FSIZE, (16, 16))
try:
    train_probes(features, features, ["layer"], 3, folder=Path(sys.argv[1]), device=torch.device("cpu"))
except VerifyError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits of file sizes are POSIX")
def test_a_full_disk(tmp_path):
    done = subprocess.run([sys.executable, "-c", FULL, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert re.fullmatch(
        rf"{re.escape(str(tmp_path))}/layer-\w+\.json: cannot be written: File too large; make room, then resume the run\n",
        done.stdout,
    )
    assert list(tmp_path.iterdir()) == []
