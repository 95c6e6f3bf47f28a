"""The hooks, run by pre-commit from a git repository that holds this project, in a git repository that holds models."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.installing import ROOT, copy_sources, offline_environment
from tests.repository import ALONE, IDENTITY, Repository

pytest.importorskip("pre_commit", reason="pre-commit is not installed")

MODEL = """\
from torch import nn


class Net(nn.Sequential):
    def __init__(self) -> None:
        super().__init__(
            nn.Conv2d(3, 4, 7, stride=4, padding=3),
            nn.MaxPool2d(4),
            nn.Conv2d(4, 4, 3, padding=1),
            nn.Conv2d(4, 4, 3, padding=1),
            nn.Conv2d(4, 4, 3, padding=1),
            nn.Conv2d(4, 4, 3, padding=1),
        )
"""
CONFIGURATION = '[tool.rfcheck]\nresolution = 16\nselect = ["RF101"]\n'
FINDING = (
    "{file}:9:13: RF101 [warning] Net: 2: 4 layers from 2 on cannot add context: their input already sees at least 19 px of the 16x16 image; "
    "they hold 50.0% of the parameters and 5.8% of the FLOPs\n"
)
MARK = "from pathlib import Path\nPath({!r}).touch()\n"
"""What a file does that must not be run."""


@pytest.fixture(scope="module")
def hooks(tmp_path_factory) -> Repository:
    """This project as a repository of hooks."""
    repository = Repository(tmp_path_factory.mktemp("hooks"))
    copy_sources(repository.folder)
    repository.commit({})
    return repository


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("home")


class Project(Repository):
    """A repository whose files are checked by hooks."""

    def __init__(self, folder: Path, hooks: Repository, home: Path, hook: str, *settings: str) -> None:
        super().__init__(folder)
        revision = hooks.git("rev-parse", "HEAD").strip()
        lines = [
            "repos:",
            f"- repo: {hooks.folder}",
            f"  rev: {revision}",
            "  hooks:",
            f"  - id: {hook}",
            *(f"    {setting}" for setting in settings),
        ]
        self.write({".pre-commit-config.yaml": "\n".join(lines) + "\n"})
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self.environment = {**os.environ, **ALONE, "PATH": path, "PRE_COMMIT_HOME": str(home), "PRE_COMMIT_COLOR": "never"}

    def check(self, files: dict[str, str] | None = None, **environment: str) -> tuple[int, str]:
        """Run the hook on all files; returns the exit code, and what pre-commit printed but for its own messages."""
        self.write(files or {})
        self.git("add", "--all")
        done = self.run(sys.executable, "-m", "pre_commit", "run", "--all-files", **environment)
        lines = done.stdout.splitlines(keepends=True)
        return done.returncode, "".join(line for line in lines if not line.startswith("[INFO]")) + done.stderr

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=self.folder, env={**self.environment, **environment}, capture_output=True, text=True, check=False
        )


def failed(code: int, report: str, hook: str = "rfcheck") -> str:
    """What pre-commit prints of a hook that failed."""
    return f"{line_of(hook, 'Failed')}- hook id: {hook}\n- exit code: {code}\n\n{report}\n\n"


def line_of(hook: str, end: str) -> str:
    name = hook.replace("-isolated", " (isolated)")
    return f"{name}{'.' * (79 - len(name) - len(end))}{end}\n"


PASSED = line_of("rfcheck", "Passed")


@pytest.fixture
def project(tmp_path, hooks, home) -> Project:
    """One with the hook for the environment of the models."""
    return Project(tmp_path, hooks, home, "rfcheck")


def test_the_definition_is_valid():
    command = [sys.executable, "-m", "pre_commit", "validate-manifest", str(ROOT / ".pre-commit-hooks.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_finding_keeps_a_model_from_being_committed(project):
    project.write({"net.py": MODEL, "pyproject.toml": CONFIGURATION})
    project.git("add", "--all")
    assert project.run(sys.executable, "-m", "pre_commit", "install").returncode == 0
    commit = ("git", *IDENTITY, "commit", "--message", "a model")
    refused = project.run(*commit)
    assert refused.returncode == 1
    assert FINDING.format(file="net.py") + "Found 1 finding in 1 model: 1 warning.\n" in refused.stderr
    lines = MODEL.splitlines()
    lines[8] += "  # rfcheck: ignore[RF101] as deep as the thesis has it"
    project.write({"net.py": "\n".join(lines) + "\n"})
    project.git("add", "--all")
    assert project.run(*commit).returncode == 0
    assert project.git("ls-files").split() == [".pre-commit-config.yaml", "net.py", "pyproject.toml"]


def test_several_files(project):
    files = {
        "models/one.py": MODEL,
        "models/two words.py": MODEL,
        "models/__init__.py": "",
        "übung.py": MODEL.replace("Net", "Netz"),
    }
    found = "".join(FINDING.format(file=file) for file in ("models/one.py", "models/two words.py"))
    found += FINDING.format(file="übung.py").replace("Net:", "Netz:")
    report = failed(1, f"{found}Found 3 findings in 3 models: 3 warnings.")
    assert project.check({**files, "pyproject.toml": CONFIGURATION}) == (1, report)
    assert project.check({"pyproject.toml": CONFIGURATION + "ignore = ['RF101']\n"}) == (0, PASSED)


def test_files_without_a_model_are_neither_run_nor_is_torch_imported(project, tmp_path_factory):
    """Among them scripts, stubs and what other Python there is; a torch that can only be told to have been imported stands in for the real one."""
    fake, mark = tmp_path_factory.mktemp("fake"), tmp_path_factory.mktemp("marks") / "run"
    (fake / "torch").mkdir()
    (fake / "torch" / "__init__.py").write_text(MARK.format(str(mark)))
    run = MARK.format(str(mark))
    files = {
        "train.py": f"import torch\nfrom torch import nn\n{run}def train(model: nn.Module) -> None:\n    torch.save(model)\n",
        "setup.py": f"from setuptools import setup\n{run}setup()\n",
        "shared.py": f"from models import Net, net\n{run}",
        "main.py": f"{run}if __name__ == '__main__':\n    from torch import nn\n    net = nn.ReLU()\n",
        "stub.pyi": f"from torch import nn\nnet: nn.ReLU\n{run}",
        "window.pyw": f"from torch import nn\nnet = nn.ReLU()\n{run}",
        "script": f"#!/usr/bin/env python\nfrom torch import nn\nnet = nn.ReLU()\n{run}",
        "empty.py": "",
    }
    project.write(files)
    (project.folder / "script").chmod(0o755)
    assert project.check({"pyproject.toml": CONFIGURATION}, PYTHONPATH=str(fake)) == (0, PASSED)
    assert not mark.exists()
    project.check({"net.py": MODEL}, PYTHONPATH=str(fake))
    assert mark.exists(), "a file with a model is run"


def test_files_that_no_entry_names_need_no_resolution(project):
    files = {
        "net.py": MODEL,
        "tools.py": "import torch\n",
        "pyproject.toml": "[[tool.rfcheck.models]]\ntarget = 'net.py'\nresolution = 224\nselect = ['RF101']\n",
    }
    assert project.check(files) == (0, PASSED)


def test_an_error_fails_and_is_told(project):
    report = "broken.py:1: the file has a syntax error: invalid syntax"
    assert project.check({"broken.py": "class\n", "pyproject.toml": CONFIGURATION}) == (1, failed(2, f"error: {report}"))


def test_options_of_the_configuration_are_passed_on(tmp_path, hooks, home):
    project = Project(tmp_path, hooks, home, "rfcheck", 'args: [--resolution, "16", --select, RF101, --output-format, github]')
    code, report = project.check({"net.py": MODEL})
    assert code == 1
    assert "::warning file=net.py,line=9,endLine=9,col=13," in report


def test_an_environment_of_its_own(tmp_path, hooks, tmp_path_factory):
    """It has the rfcheck of the hooks' repository, not that of the environment that runs this test."""
    home = tmp_path_factory.mktemp("own-home")
    environment = offline_environment(tmp_path_factory.mktemp("offline"))
    project = Project(tmp_path, hooks, home, "rfcheck-isolated")
    report = failed(1, FINDING.format(file="net.py") + "Found 1 finding in 1 model: 1 warning.", "rfcheck-isolated")
    code, output = project.check({"net.py": MODEL, "pyproject.toml": CONFIGURATION}, **environment)
    assert (code, output[output.index("rfcheck (") :]) == (1, report)
    (python,) = home.glob("repo*/py_env-*/bin/python")
    shown = project.run(str(python), "-c", "import rfcheck; print(rfcheck.__file__)", **environment).stdout
    assert Path(shown).is_relative_to(python.parent.parent)
