"""The command itself: help, version, interruption, installed entry point."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

import rfcheck
from tests.conftest import EXAMPLES

ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONUNBUFFERED": ""}


def test_version(run):
    assert run("--version") == (0, f"rfcheck {rfcheck.__version__}\n", "")


def test_the_module_is_the_command(tmp_path):
    result = subprocess.run(
        [sys.executable, "-m", "rfcheck", "--version"], cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, f"rfcheck {rfcheck.__version__}\n", "")


def test_help_names_targets_options_and_exit_codes(run):
    code, out, _ = run("--help")
    assert code == 0
    for text in ("TARGET", "--resolution", "--fail-on", "rule", "Exit codes:\n  0    no finding at or above --fail-on\n"):
        assert text in out


def test_without_arguments_and_configuration_there_is_nothing_to_do(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    message = "no target is given, and no configuration file was found: give a file, like model.py, or add [[tool.rfcheck.models]] entries"
    assert run() == (2, "", f"error: {message}; rfcheck --help says more\n")


def test_without_arguments_configured_models_are_checked(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rfcheck.toml").write_text('[[models]]\ntarget = "torchvision:vgg11"\nresolution = 224\n')
    code, out, err = run()
    assert code in (0, 1)
    assert err == ""
    assert out.startswith("torchvision:vgg11 at 3x224x224\n")


@pytest.mark.parametrize("verb", ["--help", "rule", "config", "completions", "clean"])
def test_what_needs_no_model_needs_no_torch(tmp_path, verb):
    words = [verb, "zsh"] if verb == "completions" else [verb]
    code = f"import sys\nfrom rfcheck.cli import main\ntry:\n    main({words})\nfinally:\n    assert 'torch' not in sys.modules"
    result = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout


@pytest.mark.parametrize(
    ("words", "codes"),
    [
        (["rule"], {0}),
        (["--help"], {0}),
        (["completions", "zsh"], {0}),
        (["model.py", "--resolution", "32"], {1}),
        (["gone.py", "--resolution", "32"], {2}),
    ],
)
def test_nobody_reads_the_output(tmp_path, words, codes):
    """A pipe that is closed before anything is written: no traceback, and the exit code of the verb or that of a broken pipe."""
    shutil.copy(EXAMPLES / "vgg16.py", tmp_path / "model.py")
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as nobody:
        result = subprocess.run(
            [sys.executable, "-m", "rfcheck", *words],
            cwd=tmp_path,
            env=ENVIRONMENT,
            stdout=nobody,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert result.returncode in codes | {141}
    assert result.stderr == ("" if words[0] != "gone.py" else "error: gone.py: no such file; there is model.py\n")


@pytest.mark.skipif(not hasattr(fcntl, "F_SETPIPE_SZ"), reason="pipes are large here")
def test_nobody_reads_the_rest_of_the_output(tmp_path):
    """The pipe holds less than is written, so that it breaks while the verb is running."""
    command = [sys.executable, "-m", "rfcheck", "config", "--schema"]
    with subprocess.Popen(command, cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        fcntl.fcntl(process.stdout, fcntl.F_SETPIPE_SZ, 4096)
        assert os.read(process.stdout.fileno(), 1) == b"{"
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


def test_nobody_reads_errors(tmp_path):
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as nobody:
        result = subprocess.run(
            [sys.executable, "-m", "rfcheck", "chek"], cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=nobody
        )
    assert (result.returncode, result.stdout) == (141, b"")


@pytest.mark.parametrize(("closed", "rest"), [("1", "2"), ("2", "1")])
def test_a_closed_output_is_written_nowhere(closed, rest):
    command = f"exec '{sys.executable}' -m rfcheck rule RF101 {closed}>&-"
    result = subprocess.run(["bash", "-c", command], env=ENVIRONMENT, capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("RF101 unproductive-tail") == (rest == "1")


def test_a_folder_that_is_gone(tmp_path):
    command = f"mkdir gone && cd gone && rmdir ../gone && exec '{sys.executable}' -P -m rfcheck config"
    result = subprocess.run(["bash", "-c", command], cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "error: the current folder does not exist any more; change to another one\n"


def test_an_unforeseen_error_is_one_sentence(run, monkeypatch):
    def fail(*_args, **_kwargs):
        raise ZeroDivisionError("unforeseen")

    monkeypatch.setattr("rfcheck.api.examine", fail)
    code, _, err = run(str(EXAMPLES / "vgg16.py"), "--resolution", "32")
    assert code == 2
    assert err == "error: rfcheck itself failed: ZeroDivisionError: unforeseen; --verbose shows where\n"


def test_interruption(tmp_path):
    """Ctrl-C while a model is built ends with 130 and leaves no output file."""
    (tmp_path / "slow.py").write_text(
        "import time, torch\nprint('started', flush=True)\ntime.sleep(60)\nmodel = torch.nn.Identity()\n"
    )
    # a shell that starts jobs in the background lets them ignore the signal, and their children inherit that
    listening = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from rfcheck.cli import main; main()"
    command = [sys.executable, "-c", listening, "slow.py", "--resolution", "8", "-o", "out.txt"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "started\n"
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err.strip() == "interrupted"
    assert not (tmp_path / "out.txt").exists()


@pytest.mark.parametrize(
    "start",
    [
        "threading.Thread(target=threading.Event().wait).start()",
        "multiprocessing.get_context('fork').Process(target=threading.Event().wait).start()",
    ],
)
def test_what_a_model_leaves_running_keeps_the_command_from_nothing(tmp_path, start):
    (tmp_path / "model.py").write_text(
        "import multiprocessing, threading\nfrom torch import nn\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        f"        self.c = nn.Conv2d(3, 8, 3)\n        {start}\n    def forward(self, x):\n        return self.c(x)\n"
    )
    command = [sys.executable, "-m", "rfcheck", "model.py", "--resolution", "8", "--output", "concise", "--exit-zero"]
    result = subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout
