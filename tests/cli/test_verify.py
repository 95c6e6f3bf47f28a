from __future__ import annotations

import contextlib
import importlib
import io
import json
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from rfcheck.errors import VerifyError
from rfcheck.verify.recipe import Recipe
from rfcheck.verify.run.folder import RunFolder
from rfcheck.verify.run.recipe_file import read_run_file

verify = importlib.import_module("rfcheck.cli.verify")  # the package has the verb by this name

MODEL = """
class Net(nn.Module):
    def __init__(self, num_classes=10):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.fc = nn.Linear(4, num_classes)

    def forward(self, x):
        return self.fc(torch.relu(self.conv(x)).mean((2, 3)))
"""
STOPPED = """
import os, signal
class Stopped(Net):
    steps = 0
    def forward(self, x):
        if self.training:
            Stopped.steps += 1
            if Stopped.steps == {step}:
                os.kill(os.getpid(), signal.{signal})
        return super().forward(x)
"""
BRIEF = ("--resolution", "8", "--epochs", "1", "--run-dir", "run")


def errors(run, *arguments):
    code, out, err = run("verify", *arguments)
    assert (code, out) == (2, "")
    return err


def test_a_target_is_needed(run):
    expected = "error: no target is given: name the model, as in rfcheck verify model.py --resolution 32, or resume a run\n"
    assert errors(run) == expected


def test_the_size_is_needed(run, model_file):
    assert errors(run, model_file(MODEL)).startswith("error: the input size is missing: add --resolution 32")


def test_nothing_beside_resume_may_change_the_run(run, tmp_path):
    expected = (
        "error: --resume goes on with a run as it began; leave TARGET, --resolution, --epochs out, "
        "or begin a new run without --resume\n"
    )
    assert errors(run, "model.py", "--resolution", "32", "--epochs", "3", "--resume", str(tmp_path)) == expected


def test_what_is_resumed_must_be_there(run, tmp_path):
    assert errors(run, "--resume", str(tmp_path)) == f"error: --resume {tmp_path}: holds no run.toml; give the folder of a run\n"


def test_an_unknown_fix_is_refused_before_anything_is_written(run, model_file, tmp_path):
    message = errors(run, model_file(MODEL), *BRIEF, "--fixes", "truncat")
    assert message.count("\n") == 1
    assert "truncate" in message
    assert not (tmp_path / "run").exists()


def test_an_unknown_layer_of_a_heatmap_is_refused(run, model_file, tmp_path):
    message = errors(run, model_file(MODEL), *BRIEF, "--heatmap", "convv")
    assert message == "error: --heatmap convv: no such convolution; did you mean conv?\n"
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("data", ["digit", "folder:nowhere", "cifar10:nowhere", "nowhere.py:make"])
def test_data_that_cannot_be_are_refused_before_the_model_is_built(run, tmp_path, monkeypatch, data):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.py").write_text("raise SystemExit('was run')")
    message = errors(run, "model.py", "--resolution", "32", "--data", data)
    assert "nowhere" in message or "digits" in message
    assert "was run" not in message


def test_a_head_that_does_not_fit_the_classes_is_refused(run, model_file):
    message = errors(run, f"{model_file(MODEL)}:Net(num_classes=7)", *BRIEF)
    expected = (
        "error: the model puts out 7 scores per image, but the images have 10 classes; "
        "give it as many, as in model.py:Net(num_classes=10)\n"
    )
    assert message == expected


def test_arguments_of_the_model_are_kept_with_the_run(run, model_file):
    path = model_file(MODEL)
    assert errors(run, path, *BRIEF, "--args", "wides=3") == (
        "error: --args wides=3: no model takes an argument 'wides'; check the name\n"
    )
    message = errors(run, path, *BRIEF, "--args", "num_classes=3")
    assert message.startswith("error: the model puts out 3 scores per image, but the images have 10 classes")


def test_a_run_keeps_everything_and_is_shown_again(run, model_file, tmp_path):
    code, out, err = run("verify", model_file(MODEL), *BRIEF)
    assert code in (0, 1, 4), err
    assert "run.toml, report.json, report.png" in out
    folder = tmp_path / "run"
    assert read_run_file(folder / "run.toml").recipe == Recipe(
        "model.py", (3, 8, 8), training=read_run_file(folder / "run.toml").recipe.training
    )
    report = (folder / "report.json").read_bytes()
    assert (folder / "report.png").read_bytes()[:4] == b"\x89PNG"
    again = run("verify", "--resume", "run")
    assert again[:2] == (code, out.replace("Kept in run:", f"Kept in {folder}:"))
    assert (folder / "report.json").read_bytes() == report


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="needs a full device")
def test_a_standard_output_that_is_full_is_named(tmp_path, monkeypatch):
    folder = RunFolder(tmp_path)
    folder.document.write_text("{}")
    with Path("/dev/full").open("wb", buffering=0) as full:
        stream = io.TextIOWrapper(full, encoding="utf-8")
        monkeypatch.setattr(sys, "stdout", stream)
        with pytest.raises(VerifyError) as caught:
            verify._show(None, folder, "json")
        with contextlib.suppress(OSError):
            stream.close()
    assert str(caught.value) == f"standard output cannot be written: No space left on device; the report is in {folder.document}"


def test_a_run_whose_folder_is_gone_looks_for_its_target_here(run, model_file, tmp_path):
    assert run("verify", model_file(MODEL), *BRIEF)[0] in (0, 1, 4)
    recipe = tmp_path / "run" / "run.toml"
    recipe.write_text(recipe.read_text().replace(f'folder = "{tmp_path}"', 'folder = "/nowhere"'))
    code, _, err = run("verify", "--resume", "run")
    assert code in (0, 1, 4)
    expected = f"/nowhere, where the run began: No such file or directory; its target and data are looked for in {tmp_path}"
    assert err.splitlines()[0] == expected


def test_another_model_in_the_file_cannot_go_on_with_the_run(run, model_file):
    assert run("verify", model_file(MODEL), *BRIEF)[0] in (0, 1, 4)
    model_file(MODEL.replace("nn.Conv2d(3, 4,", "nn.Conv2d(3, 5,").replace("nn.Linear(4,", "nn.Linear(5,"))
    message = errors(run, "--resume", "run")
    assert "the model changed since the run began; bring the old model back, or begin a new run\n" in message
    assert message.count("What is done is kept") == 1


@pytest.fixture
def _heeding_ctrl_c():
    """Also where the tests are started in the background, where shells let programs ignore SIGINT."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_heeding_ctrl_c")
@pytest.mark.parametrize(("name", "code", "word"), [("SIGINT", 130, "interrupted"), ("SIGTERM", 143, "terminated")])
def test_a_run_that_is_stopped_says_how_to_go_on_and_goes_on(run, model_file, name, code, word):
    before = signal.getsignal(signal.SIGTERM)
    target = model_file(MODEL + STOPPED.format(step=3, signal=name)) + ":Stopped"
    left, out, err = run("verify", target, "--resolution", "8", "--epochs", "1", "--run-dir", "my run")
    resume = "rfcheck verify --resume 'my run'"
    assert (left, out) == (code, "")
    assert [line for line in err.split("\n") if line] == [
        "everything is kept in my run",
        f"What is done is kept. Go on with: {resume}",
        word,
    ]
    assert signal.getsignal(signal.SIGTERM) is before
    model_file(MODEL + STOPPED.format(step=0, signal=name))
    assert run(*shlex.split(resume)[1:])[0] in (0, 1, 4)


def test_an_error_before_an_epoch_is_over_leaves_nothing_to_resume(run, model_file):
    target = model_file(
        MODEL.replace("        return self", "        assert not self.training, 'inference only'\n        return self")
    )
    assert errors(run, target, *BRIEF) == (
        "everything is kept in run\nerror: the model fails in training mode: AssertionError: inference only; "
        "no epoch was finished; make its forward work in training mode\n"
    )


def test_what_a_model_prints_does_not_spoil_the_report(run, model_file):
    target = model_file(MODEL.replace("        return self", "        print('here')\n        return self"))
    code, out, err = run("verify", target, *BRIEF, "--output-format", "json")
    assert code in (0, 1, 4)
    assert json.loads(out)["version"] == 1
    assert "here" in err


def test_the_other_verbs_work_without_the_extra(model_file):
    target = model_file(MODEL)
    code = (
        "import sys\nfrom rfcheck.cli import main\n"
        "for name in ('accelerate', 'sklearn', 'scipy', 'tensorboard', 'threadpoolctl', 'tomli_w', 'lightning'):\n"
        "    sys.modules[name] = None\n"
        f"size = [{target!r}, '--resolution', '8']\n"
        "verbs = ['check', *size], ['fix', *size], ['graph', *size], ['compare', *size[:1], *size], ['config'], ['rule', 'RF703'],"
        f" ['sweep', {target!r}, '--resolutions', '8,16'], ['verify', '--help'], ['verify', *size]\n"
        "for arguments in verbs:\n"
        "    try:\n        main(arguments)\n"
        "    except SystemExit as left:\n        print(arguments[0], left.code, file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    *others, error, verify = done.stderr.splitlines()
    assert {line.split()[-1] for line in others} <= {"0", "1"}
    assert len(others) == 8
    assert verify == "verify 2"
    assert error == (
        "error: rfcheck verify needs accelerate, scipy, scikit-learn, tensorboard, threadpoolctl, tomli-w, "
        "which are not installed: pip install 'rfcheck[verify]'"
    )
