"""The GitHub Action: its definition, and its steps run as a runner would run them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.installing import ROOT, copy_sources, offline_environment

ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
INSTALL, RUN, UPLOAD = ACTION["runs"]["steps"]
MODEL = """\
from torch import nn


class Net(nn.Sequential):
    def __init__(self, width: int = 4) -> None:
        super().__init__(
            nn.Conv2d(3, width, 7, stride=4, padding=3),
            nn.MaxPool2d(4),
            nn.Conv2d(width, width, 3, padding=1),
            nn.Conv2d(width, width, 3, padding=1),
            nn.Conv2d(width, width, 3, padding=1),
            nn.Conv2d(width, width, 3, padding=1),
        )
"""


def test_the_definition():
    assert list(ACTION) == ["name", "description", "branding", "inputs", "outputs", "runs"]
    assert ACTION["runs"]["using"] == "composite"
    for name, one in (ACTION["inputs"] | ACTION["outputs"]).items():
        assert one["description"].endswith("."), name
    assert all(isinstance(one["default"], str) for one in ACTION["inputs"].values()), "inputs of actions are text"


def test_every_input_and_output_is_used():
    used = set(re.findall(r"inputs\.([\w-]+)", yaml.safe_dump(ACTION["runs"])))
    assert used == set(ACTION["inputs"])
    values = {name: one["value"] for name, one in ACTION["outputs"].items()}
    assert values == {name: f"${{{{ steps.rfcheck.outputs.{name} }}}}" for name in re.findall(r'echo "([\w-]+)=', RUN["run"])}


def test_inputs_reach_scripts_as_variables_only():
    """An expression in a script would be pasted into it before it is run."""
    for step in (INSTALL, RUN):
        assert "${{" not in step["run"]
        assert step["shell"] == "bash"


def test_what_is_used_has_a_version():
    assert re.fullmatch(r"[\w-]+/[\w/-]+@v\d+", UPLOAD["uses"])


def test_findings_are_uploaded_whatever_the_check_says():
    assert UPLOAD["if"] == "always() && inputs.upload-sarif == 'true' && steps.rfcheck.outputs.sarif != ''"
    assert UPLOAD["with"]["sarif_file"] == "${{ steps.rfcheck.outputs.sarif }}"
    assert RUN["id"] == "rfcheck"


class Runner:
    """Runs steps in a workspace, with the files that a runner offers."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.workspace, self.temp = folder / "workspace", folder / "temp"
        self.workspace.mkdir()
        self.temp.mkdir()
        self.output, self.summary = self.temp / "output", self.temp / "summary"
        self.environment = {
            **environment,
            "GITHUB_ACTION": "check",
            "GITHUB_ACTIONS": "true",
            "GITHUB_OUTPUT": str(self.output),
            "GITHUB_STEP_SUMMARY": str(self.summary),
            "RUNNER_TEMP": str(self.temp),
        }

    def step(self, step: dict[str, Any], **inputs: str) -> subprocess.CompletedProcess[str]:
        """Run a step with its inputs, in the way that runners call bash."""
        self.output.write_text("")
        self.summary.write_text("")
        values = {name: one["default"] for name, one in ACTION["inputs"].items()} | {
            name.replace("_", "-"): value for name, value in inputs.items()
        }
        given = {key: values[re.fullmatch(r"\$\{\{ inputs\.([\w-]+) \}\}", value)[1]] for key, value in step.get("env", {}).items()}
        script = self.temp / "script.sh"
        script.write_text(step["run"])
        command = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(script)]
        return subprocess.run(
            command, cwd=self.workspace, env={**self.environment, **given}, capture_output=True, text=True, check=False
        )

    def outputs(self) -> dict[str, str]:
        return dict(line.split("=", 1) for line in self.output.read_text().splitlines())

    def write(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            path = self.workspace / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")


@pytest.fixture
def runner(tmp_path) -> Runner:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return Runner(tmp_path, {**os.environ, "PATH": path})


def assert_is_finding(line: str, file: str) -> None:
    """Whether an annotation is the one finding in the model."""
    assert line.startswith(f"::warning file={file},line=9,endLine=9,col=13,endColumn=50,title=rfcheck RF101 unproductive-tail::")
    assert "4 layers from 2 on cannot add context: their input already sees at least 19 px of the 16x16 image" in line


def test_findings(runner):
    runner.write({"models/net.py": MODEL})
    done = runner.step(RUN, targets="models/net.py", resolution="16", args="--select RF101 --no-cache")
    assert (done.returncode, done.stderr) == (1, "")
    (line,) = done.stdout.splitlines()
    assert_is_finding(line, "models/net.py")
    outputs = runner.outputs()
    assert outputs == {"exit-code": "1", "sarif": str(runner.temp / "rfcheck-check.sarif")}
    (result,) = json.loads(Path(outputs["sarif"]).read_text())["runs"][0]["results"]
    place = result["locations"][0]["physicalLocation"]
    assert (result["ruleId"], place["artifactLocation"]["uri"], place["region"]["startLine"]) == ("RF101", "models/net.py", 9)
    assert "models/net.py:9" in runner.summary.read_text()


def test_several_targets_and_no_finding(runner):
    """Wildcards, names with blanks and calls with arguments; options are split at blanks and lines, without wildcards."""
    runner.write({"models/a.py": MODEL, "models/b b.py": MODEL, "*": ""})
    targets = "models/*.py\nmodels/a.py:Net( width=8 )\n"
    done = runner.step(RUN, targets=targets, resolution="16", args=" --select\n  RF101 --fail-on  never ")
    assert (done.returncode, done.stderr) == (0, "")
    files = [re.search("file=([^,]+)", line)[1] for line in done.stdout.splitlines()]
    assert files == ["models/a.py", "models/b b.py", "models/a.py"]
    assert runner.outputs()["exit-code"] == "0"


def test_configured_models(runner):
    runner.write({"net.py": MODEL, "rfcheck.toml": "[[models]]\ntarget = 'net.py'\nresolution = 16\nselect = ['RF101']\n"})
    done = runner.step(RUN)
    assert (done.returncode, done.stderr) == (1, "")
    (line,) = done.stdout.splitlines()
    assert_is_finding(line, "net.py")


def test_an_error_leaves_its_exit_code(runner):
    runner.write({"net.py": MODEL})
    done = runner.step(RUN, targets="net.py", args="--select RF999")
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert runner.outputs() == {"exit-code": "2"}


@pytest.mark.parametrize("name", ["targets", "resolution", "args"])
def test_inputs_are_data(runner, name):
    """Neither run as code nor, among targets, taken as options."""
    texts = [
        "$(touch run).py",
        "`touch run`.py",
        "; touch run #.py",
        '"; touch run; ".py',
        "a' && touch run '.py",
        "--rules=x.py",
        "-h.py",
    ]
    runner.write({"net.py": MODEL})
    inputs = {"targets": "net.py", "resolution": "16", "args": "--select RF101"}
    done = runner.step(RUN, **(inputs | {name: "\n".join(texts if name == "targets" else texts[:-2])}))
    assert (done.returncode, runner.outputs()["exit-code"]) == (2, "2")
    assert not (runner.workspace / "run").exists()
    if name == "targets":
        assert [text for text in texts if f"error: {text}: no such file" not in done.stderr] == []


def test_installing(tmp_path):
    """In a new environment, from the folder of the action; then rfcheck runs there."""
    sources = tmp_path / "action"
    sources.mkdir()
    copy_sources(sources)
    variables = offline_environment(tmp_path / "offline")
    subprocess.run(
        [sys.executable, "-m", "virtualenv", str(tmp_path / "venv")],
        check=True,
        capture_output=True,
        env={**os.environ, **variables},
    )
    path = f"{tmp_path / 'venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    runner = Runner(tmp_path, {**os.environ, **variables, "PATH": path, "GITHUB_ACTION_PATH": str(sources)})
    installed = runner.step(INSTALL)
    assert installed.returncode == 0, installed.stderr
    assert (tmp_path / "venv" / "bin" / "rfcheck").exists()
    runner.write({"net.py": MODEL})
    done = runner.step(RUN, targets="net.py", resolution="16", args="--select RF101")
    assert done.returncode == 1, done.stderr
    (line,) = done.stdout.splitlines()
    assert_is_finding(line, "net.py")
