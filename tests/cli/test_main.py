"""The command itself: help, version, interruption, installed entry point."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import rfcheck
from tests.conftest import EXAMPLES


def test_version(run):
    assert run("--version") == (0, f"rfcheck {rfcheck.__version__}\n", "")


def test_help_names_targets_options_and_exit_codes(run):
    code, out, _ = run("--help")
    assert code == 0
    for text in ("TARGET", "--resolution", "--fail-on", "rule", "Exit codes: 0 no findings, 1 findings"):
        assert text in out
    assert all(len(line) <= 80 for line in out.splitlines())


def test_no_arguments_show_the_help(run):
    code, out, err = run()
    assert "Usage: rfcheck" in out + err
    assert code in (0, 2)


def test_an_unforeseen_error_is_one_sentence(run, monkeypatch):
    def fail(*_args, **_kwargs):
        raise ZeroDivisionError("unforeseen")

    monkeypatch.setattr("rfcheck.api.build_graph", fail)
    code, _, err = run(str(EXAMPLES / "vgg16.py"), "--resolution", "32")
    assert code == 2
    assert err == "error: rfcheck itself failed: ZeroDivisionError: unforeseen; --verbose shows where\n"


def test_interruption(tmp_path):
    """Ctrl-C while a model is built ends with 130 and leaves no output file."""
    (tmp_path / "slow.py").write_text("import time, sys\nprint('started', flush=True)\ntime.sleep(60)\n")
    # a shell that starts jobs in the background lets them ignore the signal, and their children inherit that
    listening = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from rfcheck.cli import main; main()"
    command = [sys.executable, "-c", listening, "slow.py", "--resolution", "8", "-o", "out.txt"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "started\n"
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err.strip() == "interrupted"
    assert not (tmp_path / "out.txt").exists()
