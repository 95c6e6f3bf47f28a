"""The models of one version of the code."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from rfcheck.errors import NothingToAnalyzeError, TargetError
from rfcheck.target.versions import opened
from tests.repository import Repository

NET = """
from torch import nn
from {blocks} import WIDTH

class Net(nn.Sequential):
    def __init__(self, depth=1):
        super().__init__(*(nn.Conv2d(WIDTH, WIDTH, 3) for _ in range(depth)))
"""


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A project whose model takes its width from another module: 1, then 2, then, not committed, 3."""
    made = Repository(tmp_path / "project")
    made.commit({"model.py": NET.format(blocks="blocks"), "blocks.py": "WIDTH = 1\n"})
    made.commit({"blocks.py": "WIDTH = 2\n"})
    made.write({"blocks.py": "WIDTH = 3\n"})
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    monkeypatch.chdir(made.folder)
    return made


def widths(text: str) -> list[int]:
    with opened(text) as targets:
        return [target.build()[0][0].in_channels for target in targets]


def test_every_version_imports_its_own_modules(repository):
    assert [widths(text) for text in ("HEAD~1:model.py", "HEAD:model.py", "model.py", "HEAD~1:model.py:Net")] == [
        [1],
        [2],
        [3],
        [1],
    ]


def test_files_of_the_same_name(repository, tmp_path):
    for number in (7, 8):
        (tmp_path / f"{number}").mkdir()
        (tmp_path / f"{number}" / "model.py").write_text(NET.format(blocks="blocks"))
        (tmp_path / f"{number}" / "blocks.py").write_text(f"WIDTH = {number}\n")
    assert [widths(str(tmp_path / name / "model.py")) for name in ("7", "8", "7")] == [[7], [8], [7]]


def test_labels_name_the_revision(repository):
    for text in ("HEAD~1:model.py", "HEAD~1:model.py:Net"):
        with opened(text) as targets:
            assert [(target.label, target.path, target.line) for target in targets] == [("HEAD~1:model.py:Net", None, None)]
    with opened("HEAD~1:model.py:Net(depth=2)") as (target,):
        assert target.label == "HEAD~1:model.py:Net(depth=2)"
        assert len(target.build()[0]) == 2
    with opened("model.py") as (target,):
        assert target.label == "model.py:Net"


def test_a_package_imports_itself_from_a_sub_folder(repository, monkeypatch):
    repository.commit(
        {"src/pkg/__init__.py": "", "src/pkg/net.py": NET.format(blocks=".blocks"), "src/pkg/blocks.py": "WIDTH = 4\n"}
    )
    repository.commit({"src/pkg/blocks.py": "WIDTH = 5\n"})
    monkeypatch.chdir("src/pkg")
    assert [widths(text) for text in ("HEAD~1:net.py:Net", "net.py:Net", "HEAD~1:net.py")] == [[4], [5], [4]]


def test_a_repository_that_is_a_package(repository):
    repository.commit({"__init__.py": "", "model.py": NET.format(blocks="project.blocks"), "blocks.py": "WIDTH = 4\n"})
    repository.commit({"blocks.py": "WIDTH = 5\n"})
    assert [widths(text) for text in ("HEAD~1:model.py", "model.py")] == [[4], [5]]


def test_modules_found_over_the_path(repository, monkeypatch):
    repository.commit({"scripts/net.py": NET.format(blocks="blocks")})
    repository.write({"blocks.py": "WIDTH = 6\n"})
    monkeypatch.syspath_prepend(str(repository.folder))
    assert [widths(text) for text in ("HEAD:scripts/net.py", "scripts/net.py", "HEAD:scripts/net.py")] == [[3], [6], [3]]


def test_relative_files_are_those_of_the_revision(repository, monkeypatch):
    code = "import pathlib\nfrom torch import nn\nWIDTH = int(pathlib.Path('width.txt').read_text())\nnet = nn.Sequential(nn.Conv2d(WIDTH, 1, 1))\n"
    repository.commit({"sub/net.py": code, "sub/width.txt": "4"})
    repository.write({"sub/width.txt": "5"})
    monkeypatch.chdir("sub")
    assert [widths(text) for text in ("HEAD:net.py", "net.py")] == [[4], [5]]
    assert Path.cwd() == repository.folder / "sub"


def test_nothing_is_left_behind(repository, tmp_path):
    modules, path = set(sys.modules), list(sys.path)

    def interrupted():
        with opened("HEAD~1:model.py"):
            assert Path.cwd().is_relative_to(tmp_path / "temporary")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list((tmp_path / "temporary").iterdir()) == []
    assert Path.cwd() == repository.folder
    assert (set(sys.modules), sys.path) == (modules, path)


@pytest.mark.parametrize(
    ("files", "text", "kind", "message"),
    [
        ({"net.py": "x = 1 +\n"}, "HEAD:net.py", TargetError, "HEAD:net.py:1: the file has a syntax error: invalid syntax"),
        (
            {"net.py": "1 / 0\n"},
            "HEAD:net.py",
            TargetError,
            "HEAD:net.py:1: running the file fails: ZeroDivisionError: division by zero",
        ),
        (
            {"net.py": "\nfrom blocks import WIDE\n"},
            "HEAD:net.py:Net",
            TargetError,
            "HEAD:net.py:2: an import fails: cannot import name 'WIDE' from 'blocks' (HEAD:blocks.py); check the name",
        ),
        ({}, "HEAD:model.py:Nett", TargetError, "HEAD:model.py:Nett: HEAD:model.py has no 'Nett'; did you mean Net?"),
        (
            {"net.py": "from torch import nn\ndef build():\n    raise ValueError('no')\n"},
            "HEAD:net.py:build",
            TargetError,
            "HEAD:net.py:build: building the model fails: ValueError: no (net.py:3: raise ValueError('no'))",
        ),
    ],
)
def test_errors_name_the_revision(repository, files, text, kind, message):
    repository.commit(files | {"changed.txt": str(len(files))})
    with pytest.raises(kind) as caught:
        widths(text)
    assert str(caught.value) == message


def test_a_file_without_models(repository):
    with pytest.raises(NothingToAnalyzeError) as caught, opened("HEAD:blocks.py"):
        pass
    assert str(caught.value).startswith("HEAD:blocks.py: holds no model; ")
