from __future__ import annotations

from pathlib import Path

import pytest

from rfcheck.cli.gathering import Gathered
from rfcheck.cli.requests import requests_for
from rfcheck.cli.watched import THERE, Watched, python_folders, watched_after
from rfcheck.report.result import Failure


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def written(*names: str) -> list[Path]:
    """Empty files in the current folder."""
    files = [Path(name).absolute() for name in names]
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    return files


def watching(**more: object) -> Watched:
    """What is watched in an empty project, but for what is given."""
    nothing = {"files": frozenset(), "rule_folders": frozenset(), "roots": frozenset(), "failed": False}
    return Watched(**{**nothing, **more})


def test_folders_from_which_modules_may_come(tmp_path):
    written(
        "model.py",
        "models/a.py",
        "models/deep/b.py",
        "models/data/x.txt",
        "data/img/1.png",
        "not-a-package/c.py",
        ".venv/d.py",
        "only/deep/e.py",
    )
    assert sorted(python_folders([tmp_path])) == [tmp_path, tmp_path / "models", tmp_path / "models" / "deep"]
    assert python_folders([tmp_path / "gone"]) == [tmp_path / "gone"]


def test_folders_do_not_go_round(tmp_path):
    written("pkg/a.py")
    (tmp_path / "pkg" / "again").symlink_to(tmp_path / "pkg")
    assert len(python_folders([tmp_path])) <= 1000


def test_content_counts_and_that_modules_are_there(tmp_path):
    model, other, rule = written("model.py", "pkg/other.py", "rules/XX001-a.md")
    watched = watching(
        files=frozenset({model, tmp_path / "gone.txt"}), rule_folders=frozenset({rule.parent}), roots=frozenset({tmp_path})
    )
    before = watched.contents()
    assert before.keys() == {model, other, rule, tmp_path / "gone.txt"}
    assert (before[other], before[tmp_path / "gone.txt"]) == (THERE, None)
    other.write_text("x = 1")
    assert watched.contents() == before
    for file in (model, rule, tmp_path / "gone.txt"):
        file.write_text("1")
        assert watched.contents()[file] != before[file]
    (new,) = written("pkg/new.py")
    assert watched.contents()[new] == THERE
    model.unlink()
    assert watched.contents()[model] is None


def test_after_a_failure_the_content_of_all_modules_counts(tmp_path):
    (other,) = written("other.py")
    watched = watching(roots=frozenset({tmp_path})).and_all_modules()
    before = watched.contents()
    other.write_text("x = 1")
    assert watched.contents()[other] != before[other]


def test_folders_of_all_that_are_there(tmp_path):
    model, rule = written("models/model.py", "rules/XX001-a.md")
    watched = watching(files=frozenset({model, tmp_path / "gone" / "x.py"}), rule_folders=frozenset({rule.parent}))
    assert watched.folders() == [model.parent, rule.parent]


def test_what_a_check_depends_on(tmp_path):
    model, part, data = written("models/model.py", "models/part.py", "data.yaml")
    (tmp_path / "rfcheck.toml").write_text('resolution = 8\nbaseline = "known.json"\nrule-folders = ["rules"]\n')
    (request,) = requests_for(["models/model.py:Net"], {})
    watched = watched_after([Gathered(request, files=(model, part, data))])
    assert watched == Watched(
        files=frozenset(
            {
                *(model, part, data, tmp_path / "known.json"),
                *(folder / name for folder in (tmp_path, tmp_path / "models") for name in ("rfcheck.toml", "pyproject.toml")),
            }
        ),
        rule_folders=frozenset({tmp_path / "rules"}),
        roots=frozenset({tmp_path / "models"}),
        failed=False,
    )


@pytest.mark.parametrize(
    ("target", "root"),
    [("pkg.model:Net", "."), ("pkg/model.py", "."), ("torchvision:vgg11", "."), ("net.onnx", None), ("gone/model.py", "gone")],
)
def test_where_modules_come_from(tmp_path, target, root):
    written("pkg/__init__.py", "pkg/model.py", "net.onnx", "gone/model.py")
    (request,) = requests_for([target], {"resolution": 8})
    Path("gone/model.py").unlink()
    watched = watched_after([Gathered(request, failures=(Failure(target, "no"),))])
    assert watched.failed
    assert watched.roots == (frozenset() if root is None else {(tmp_path / root).resolve()})
