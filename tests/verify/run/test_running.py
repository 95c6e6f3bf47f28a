"""Whole verifications on scikit-learn's digits."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import torch

import rfcheck
from rfcheck.config import Settings
from rfcheck.errors import VerifyError
from rfcheck.verify.progress import SILENT, Silent
from rfcheck.verify.recipe import Recipe, Training
from rfcheck.verify.run.folder import RunFolder
from rfcheck.verify.run.measurement_file import read_measurement
from rfcheck.verify.run.recipe_file import RunFile, read_run_file
from rfcheck.verify.run.running import run

from .killed import timeless
from .networks import HEALTHY, PARITY, PLAIN, PLANTED

ROOT = Path(__file__).parents[3]

SCHEMA = json.loads((Path(rfcheck.__file__).parent / "schemas" / "verify-v1.schema.json").read_text(encoding="utf-8"))
QUICK = Training(epochs=12, learning_rate=1e-3)


def verified(target: str, folder: Path, training: Training = QUICK, began_with: str = torch.__version__, progress=SILENT, **recipe):
    file = RunFile(Recipe(target, (3, 32, 32), training=training, **recipe), Settings(), str(folder), {"torch": began_with})
    return run(file, RunFolder(folder / "run"), download=False, progress=progress)


class Stages(Silent):
    """Takes note of the names of stages."""

    def __init__(self):
        self.names: list[str] = []

    def stage(self, name, total):
        self.names.append(name)


def test_a_planted_tail_is_confirmed(model_file, tmp_path):
    model_file(PLANTED)
    stages = Stages()
    finished = verified("model.py:planted", tmp_path, progress=stages, fixes=("truncate",), heatmaps=("3.0",))
    judgement = finished.judgement
    (verdict,) = (verdict for verdict in judgement.verdicts if verdict.finding.code == "RF101")
    assert (judgement.status, verdict.status, verdict.finding.layer) == ("confirmed", "confirmed", "5.0")
    original, truncated = finished.measurements
    assert original.test_accuracy > 0.5  # it learnt: ten classes, a tenth each
    assert judgement.variants[1].variant.params < judgement.variants[0].variant.params
    assert [probe.layer for probe in original.probes] == [layer.layer for layer in original.saturation["train"]]
    assert [layer.layer.name for layer in judgement.layers] == [probe.layer for probe in original.probes]
    assert [len(row) for row in finished.heatmaps[0].relative] == [2, 2]
    document = json.loads((tmp_path / "run" / "report.json").read_text(encoding="utf-8"))
    jsonschema.validate(document, SCHEMA)
    assert {path.name for path in (tmp_path / "run").glob("*.png")} == {"report.png", "variants.png", "heatmaps.png"}
    assert len(truncated.correct) == finished.sizes.test == 599
    of_models = ("training", "training images: features", "test images: features", "probes")
    of_map = ("training images: features", "test images: features", "probes")
    names = [f"{model}, seed 0: {stage}" for model in ("1/2: original", "2/2: truncate") for stage in of_models]
    assert stages.names == [*names, *(f"heatmap 3.0: {stage}" for stage in of_map)]


def test_a_healthy_network_has_no_tail_to_confirm(model_file, tmp_path):
    model_file(HEALTHY)
    judgement = verified("model.py:healthy", tmp_path).judgement
    assert judgement.status != "refuted"
    assert not [verdict for verdict in judgement.verdicts if verdict.finding.code == "RF101"]
    assert judgement.before_border is None
    assert judgement.after_border is None


def test_a_tail_that_still_gains_is_refuted(model_file, tmp_path):
    model_file(PARITY)
    training = Training(epochs=30, learning_rate=1e-2, batch_size=64, augment=False)
    judgement = verified("model.py:late", tmp_path, training, data="model.py:data").judgement
    (verdict,) = (verdict for verdict in judgement.verdicts if verdict.finding.code == "RF101")
    assert (judgement.status, verdict.status) == ("refuted", "refuted")
    assert judgement.after_border.difference.low > 0.2
    assert judgement.plateau not in (None, judgement.layers[0].layer.name)


def test_a_model_that_did_not_learn_decides_nothing(model_file, tmp_path):
    model_file(PLANTED)
    judgement = verified("model.py:planted", tmp_path, Training(epochs=1, learning_rate=1e-9)).judgement
    assert judgement.status == "inconclusive"
    assert "did not learn" in judgement.summary


def test_what_is_measured_is_what_the_model_does(model_file, tmp_path):
    """Accuracy, eval saturation and the weights in the folder belong together."""
    from rfcheck.verify.data.prepared import prepare
    from rfcheck.verify.data.sources import load_dataset

    model_file(HEALTHY)
    finished = verified("model.py:healthy", tmp_path, Training(epochs=2, learning_rate=1e-3))
    saved = torch.load(tmp_path / "run" / "models" / "original" / "seed-0" / "checkpoint.pt", weights_only=True)
    data = prepare(load_dataset("digits"), (3, 32, 32))
    from rfcheck.target.load import load_targets

    model = load_targets("model.py:healthy")[0].build_with_data()
    model.load_state_dict(saved["model"])
    images = data.preprocessing.evaluation(data.test.pixels, torch.Generator())
    outputs: list[torch.Tensor] = []
    model[0][0].register_forward_hook(lambda module, inputs, output: outputs.append(output.double()))
    with torch.no_grad():
        correct = model.eval()(images).argmax(1) == data.test.labels
    (measured,) = finished.measurements
    np.testing.assert_array_equal(measured.correct, correct.numpy())
    rows = outputs[0].movedim(1, -1).flatten(0, -2).numpy()
    shares = np.sort(np.linalg.eigvalsh(np.cov(rows.T)))[::-1].cumsum()
    dimension = int((shares < 0.99 * shares[-1]).sum()) + 1
    assert measured.saturation["eval"][0].dimension == dimension
    assert measured.saturation["eval"][0].samples == len(rows)


def test_a_finished_run_is_only_read(model_file, tmp_path):
    model_file(HEALTHY)
    brief = Training(epochs=1)
    first = verified("model.py:healthy", tmp_path, brief)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "run").rglob("*") if path.is_file()}
    file = read_run_file(tmp_path / "run" / "run.toml")
    again = run(file, RunFolder(tmp_path / "run"), download=False, progress=SILENT)
    assert repr(again.judgement) == repr(first.judgement)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert file.fingerprint == first.fingerprint
    assert (file.sizes, file.classes) == (first.sizes, first.classes)


def test_a_run_that_goes_on_with_other_versions_says_so(model_file, tmp_path):
    model_file(HEALTHY)
    finished = verified("model.py:healthy", tmp_path, Training(epochs=1), began_with="2.0.0")
    both = f"2.0.0, then {torch.__version__}"
    assert finished.environment["torch"] == both
    said = f"went on in another environment (torch: {both}), which may have changed the numbers"
    assert finished.judgement.caveats[-1] == said
    assert json.loads((tmp_path / "run" / "report.json").read_text(encoding="utf-8"))["caveats"][-1] == said
    path = tmp_path / "run" / "run.toml"
    path.write_text(path.read_text(encoding="utf-8").replace(both, "2.0.0"), encoding="utf-8")
    shown = run(read_run_file(path), RunFolder(tmp_path / "run"), download=False, progress=SILENT)
    assert shown.environment["torch"] == "2.0.0", "what is finished is only read"


def test_other_data_cannot_go_on_with_a_run(model_file, tmp_path):
    model_file(HEALTHY)
    verified("model.py:healthy", tmp_path, Training(epochs=1))
    path = tmp_path / "run" / "run.toml"
    text = path.read_text(encoding="utf-8")
    fingerprint = read_run_file(path).fingerprint
    path.write_text(text.replace(fingerprint, "0" * 64), encoding="utf-8")
    with pytest.raises(VerifyError) as caught:
        run(read_run_file(path), RunFolder(tmp_path / "run"), download=False, progress=SILENT)
    expected = f"{tmp_path / 'run'}: the data changed since the run began; bring the old data back, or begin a new run"
    assert str(caught.value) == expected


def test_a_broken_measurement_is_measured_again(model_file, tmp_path):
    model_file(HEALTHY)
    first = verified("model.py:healthy", tmp_path, Training(epochs=1))
    path = tmp_path / "run" / "models" / "original" / "seed-0" / "measurement.npz"
    path.write_bytes(path.read_bytes()[:100])
    run(read_run_file(tmp_path / "run" / "run.toml"), RunFolder(tmp_path / "run"), download=False, progress=SILENT)
    again = read_measurement(path)
    assert again is not None
    assert [probe.l2 for probe in again.probes] == [probe.l2 for probe in first.measurements[0].probes]
    np.testing.assert_array_equal(again.correct, first.measurements[0].correct)


def interrupted(folder: Path, *how: str) -> dict[str, int]:
    command = [sys.executable, "-m", "tests.verify.run.killed", str(folder), *how]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout)


@pytest.mark.slow
def test_killed_while_files_are_written(tmp_path):
    """The report is that of an undisturbed run but for times, and nothing else is left."""
    assert interrupted(tmp_path, "files", "probes/2.0", "report.json") == {"interrupted": 2, "finished": 1}


@pytest.mark.slow
def test_killed_while_most_files_are_written(tmp_path):
    names = ("run.toml", "checkpoint.pt", "metrics.jsonl", "features-0", "measurement.npz", "heatmaps/3.0", "report.png")
    assert interrupted(tmp_path, "files", *names) == {"interrupted": 7, "finished": 1}


@pytest.mark.slow
@pytest.mark.parametrize("signal", ["SIGKILL", "SIGINT"])
def test_interrupted_at_random_moments(tmp_path, signal):
    assert interrupted(tmp_path, signal)["interrupted"] == 10


@pytest.mark.slow
def test_two_processes_end_as_one_does(model_file, tmp_path):
    """Only the first one prints; without batch normalisation, sharing the batches changes nothing but the order of sums."""
    model_file(PLAIN)
    options = ["--resolution", "32", "--epochs", "2", "--learning-rate", "3e-3", "--output-format", "json", "--run-dir"]
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m"]
    reports, environment = [], {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    for name, start in (("one", [sys.executable, "-m"]), ("two", launch)):
        command = [*start, "rfcheck", "verify", "model.py:plain", *options, name]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False, env=environment)
        assert done.stderr.count(f"everything is kept in {name}") == 1, done.stderr
        assert done.stdout == (tmp_path / name / "report.json").read_text(encoding="utf-8")
        reports.append(timeless(json.loads(done.stdout)))
    one, two = (report["measurements"][0] for report in reports)
    for alone, shared in zip(one["epochs"], two["epochs"], strict=True):
        assert shared == pytest.approx(alone, abs=1e-5)
    for alone, shared in zip(one["probes"], two["probes"], strict=True):
        assert shared["test_accuracy"] == pytest.approx(alone["test_accuracy"], abs=0.01)
    for mode in ("train", "eval"):
        samples = [[layer["samples"] for layer in measured["saturation"][mode]] for measured in (one, two)]
        assert samples[0] == samples[1]
