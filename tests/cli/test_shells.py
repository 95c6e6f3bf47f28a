"""Completion as shells see it: whole answers, and shells on a terminal where they are installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rfcheck.cli import cli
from rfcheck.cli.shells import answer
from tests.cli.completing import answered
from tests.cli.terminals import ANSWERED, Terminal

SHELLS = ["bash", "zsh", "fish"]

FILES = ["net.py", "my net.py", "it's [new].py", "models/a.py", "defs.py", "notes.txt"]


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    for name in FILES:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    (folder / "defs.py").write_text("class Net: pass\ndef build(): pass\n")
    return folder


@pytest.mark.parametrize(
    ("line", "bash", "fish"),
    [
        ("rfcheck swe", "sweep", "sweep\tAnalyse a model at many resolutions."),
        ("rfcheck check mod", "models/", "models/\t"),
        ("rfcheck my", "my\\ net.py", "my net.py\t"),
        ("rfcheck 'my", "my net.py", "my net.py\t"),
        ('rfcheck "it', "it's [new].py", "it's [new].py\t"),
        ("rfcheck defs.py:N", "Net", "defs.py:Net\tclass"),
        ("rfcheck 'defs.py:N", "defs.py:Net", "defs.py:Net\tclass"),
        ("rfcheck --output sar", "sarif", "sarif\t"),
        ("rfcheck --output=sar", "sarif", "--output=sarif\t"),
        ("rfcheck --output=sarif=not", "notes.txt", "--output=sarif=notes.txt\t"),
        ("rfcheck --output sarif=not", "notes.txt", "sarif=notes.txt\t"),
        ("rfcheck m.py --select RF301,RF302,RF9", None, None),
        ("rfcheck fix net.py --apply remove-s", "remove-stem", "remove-stem\tfor RF101, RF102, RF201, RF302"),
        ("rfcheck --limit RF101.", "RF101.min_layers=", "RF101.min_layers=\tunproductive-tail; default: 3"),
        ("rfcheck rule RF101 ", "", ""),
        ("rfcheck --resolution ", "", ""),
        ("rfcheck nothing-like-this", "", ""),
    ],
)
def test_whole_answers(project, monkeypatch, line, bash, fish):
    if bash is None:
        bash = "RF301,RF302,RF901\nRF301,RF302,RF902\nRF301,RF302,RF903"
        fish = "RF301,RF302,RF901\tunknown-operator\nRF301,RF302,RF902\tunused-suppression\nRF301,RF302,RF903\tlayer-without-image"
    assert answered("bash", line, project) == f"{bash}\n"
    monkeypatch.chdir(project)
    monkeypatch.setenv("COMP_WORDS", line)
    assert answer("fish_complete", cli) == fish
    assert answer("zsh_complete", cli) == fish.replace("\t", "\n")


@pytest.mark.parametrize(("shell", "said"), [("bash", "sweep"), ("fish", "sweep\tAnalyse a model at many resolutions.")])
def test_an_answer_of_a_process(project, shell, said):
    assert answered(shell, "rfcheck swe", project) == f"{said}\n"


def test_bash_that_breaks_words_elsewhere(project):
    assert answered("bash", "rfcheck defs.py:N", project, COMP_WORDBREAKS=" \t\n=") == "defs.py:Net\n"
    assert answered("bash", "rfcheck --output=sar", project, COMP_WORDBREAKS=" \t\n:") == "--output=sarif\n"
    assert answered("bash", "rfcheck --output=sarif=no", project, COMP_WORDBREAKS=" \t\n") == "--output=sarif=notes.txt\n"


def test_others_that_ask_are_not_answered(project):
    environment = {
        **os.environ,
        "_RFCHECK_COMPLETE": "tcsh_complete",
        "COMP_WORDS": "rfcheck ",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    result = subprocess.run([sys.executable, "-m", "rfcheck"], cwd=project, env=environment, capture_output=True, text=True)
    assert (result.returncode, result.stdout, result.stderr) == (1, "", "")


@pytest.fixture(scope="module")
def programs(tmp_path_factory) -> Path:
    """A folder with the command, as an installation has it."""
    folder = tmp_path_factory.mktemp("programs")
    command = folder / "rfcheck"
    command.write_text(
        f"#!/bin/sh\nPYTHONPATH='{os.pathsep.join(sys.path)}' '{sys.executable}' -m rfcheck \"$@\"\necho >>'{folder / ANSWERED}'\n"
    )
    command.chmod(0o755)
    return folder


@pytest.fixture(scope="module", params=SHELLS)
def terminal(request, project, programs):
    if shutil.which(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    opened = Terminal(request.param, project, programs)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("rfcheck swe\t", ["sweep"]),
        ("rfcheck ne\tEND", ["net.py", "END"]),
        ("rfcheck mod\tEND", ["models/END"]),
        ("rfcheck check my\\ n\tEND", ["check", "my net.py", "END"]),
        ("rfcheck 'my n\tEND", ["my net.py", "END"]),
        ('rfcheck "it\tEND', ["it's [new].py", "END"]),
        ("rfcheck it\tEND", ["it's [new].py", "END"]),
        ("rfcheck torchv\tEND", ["torchvision:END"]),
        ("rfcheck torchvision:resnext101_6\tEND", ["torchvision:resnext101_64x4d", "END"]),
        ("rfcheck defs.py:N\tEND", ["defs.py:Net", "END"]),
        ("rfcheck net.py --output=sar\tEND", ["net.py", "--output=sarif", "END"]),
        ("rfcheck net.py --output=sarif=not\tEND", ["net.py", "--output=sarif=notes.txt", "END"]),
        ("rfcheck net.py --stati\tEND", ["net.py", "--statistics", "END"]),
        ("rfcheck net.py --output gi\tEND", ["net.py", "--output", "gitEND"]),
        ("rfcheck --limit RF401.max_f\tEND", ["--limit", "RF401.max_flops=END"]),
        ("rfcheck ~/\tEND", None),
    ],
)
def test_a_tab_on_a_terminal(terminal, project, typed, words):
    assert terminal.line(typed) == ["rfcheck", *(words or [f"{project}/.home/END"])]
