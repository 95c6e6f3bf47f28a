"""Files at a git revision, from real repositories."""

from __future__ import annotations

from pathlib import Path

import pytest

from rfcheck.errors import TargetError
from rfcheck.target.revision import checked_out, nearest_folder, parse_revision
from tests.repository import Repository


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """Two commits, current folder at its top; temporary folders go to their own place."""
    made = Repository(tmp_path / "project")
    made.commit({"model.py": "VERSION = 1\n", "pkg/net.py": "VERSION = 1\n", "pkg/net.yaml": "a: 1\n"})
    made.commit({"model.py": "VERSION = 2\n", "pkg/net.py": "VERSION = 2\n", "pkg/late.py": "VERSION = 2\n"})
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    monkeypatch.chdir(made.folder)
    return made


def leftovers(repository) -> list[str]:
    return [path.name for path in (repository.folder.parent / "temporary").iterdir()]


def at(text: str) -> str:
    """The content of a file at a revision."""
    revision = parse_revision(text)
    assert revision is not None, f"{text} is no target at a revision"
    with checked_out(revision) as checkout:
        return checkout.file.read_text(encoding="utf-8")


def refusal(text: str) -> str:
    with pytest.raises(TargetError) as caught:
        at(text)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "name", "path", "rest"),
    [
        ("HEAD~1:model.py", "HEAD~1", "model.py", ""),
        ("HEAD~1:model.py:Net", "HEAD~1", "model.py", ":Net"),
        ("main:pkg/model.py:build(num_classes=10)", "main", "pkg/model.py", ":build(num_classes=10)"),
        ("origin/main:../model.py", "origin/main", "../model.py", ""),
        ("HEAD@{2 days ago 10:00}:model.py:Net", "HEAD@{2 days ago 10:00}", "model.py", ":Net"),
        ("v1.0.py:model.py", "v1.0.py", "model.py", ""),
    ],
)
def test_a_revision_taken_apart(text, name, path, rest):
    revision = parse_revision(text)
    assert (revision.text, revision.name, revision.path, revision.rest) == (text, name, path, rest)
    assert revision.place == f"{name}:{path}"


@pytest.mark.parametrize(
    "text",
    [
        "model.py",
        "model.py:Net",
        "model.py:build(num_classes=10)",
        "torchvision:resnet18",
        "timm:resnet50",
        "package.module:Net",
        r"C:\models\net.py",
        "C:/models/net.py:Net",
        "-x:model.py",
        ":model.py",
    ],
)
def test_other_targets_are_left_alone(text):
    assert parse_revision(text) is None


def test_a_file_of_that_very_name_wins(repository):
    repository.write({"HEAD:model.py": "VERSION = 3\n"})
    assert parse_revision("HEAD:model.py:Net") is None
    assert parse_revision("HEAD~1:model.py:Net") is not None


@pytest.mark.parametrize(
    ("folder", "text", "version"),
    [
        (".", "HEAD~1:model.py", 1),
        (".", "HEAD:model.py", 2),
        (".", "main:pkg/net.py", 2),
        (".", "HEAD~1:./pkg/../model.py", 1),
        ("pkg", "HEAD~1:net.py", 1),
        ("pkg", "HEAD~1:../model.py", 1),
        ("..", "HEAD~1:project/model.py", 1),
        ("..", "HEAD:project/pkg/late.py", 2),
    ],
)
def test_the_file_of_the_revision(repository, monkeypatch, folder, text, version):
    monkeypatch.chdir(repository.folder / folder)
    assert at(text) == f"VERSION = {version}\n"


def test_an_absolute_path(repository, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert at(f"HEAD~1:{repository.folder / 'model.py'}") == "VERSION = 1\n"


def test_a_file_and_a_folder_that_are_gone(repository):
    repository.git("rm", "--quiet", "-r", "pkg", "model.py")
    repository.commit({"other.py": ""})
    assert not Path("pkg").exists()
    assert at("HEAD~1:pkg/late.py") == "VERSION = 2\n"
    assert at("HEAD~2:model.py") == "VERSION = 1\n"


def test_tags_and_hashes(repository):
    repository.git("tag", "--annotate", "--message", "first", "v1", "HEAD~1")
    commit = repository.git("rev-parse", "HEAD~1").strip()
    assert [at(f"{name}:model.py") for name in ("v1", commit, commit[:8])] == ["VERSION = 1\n"] * 3


def test_the_whole_tree_is_there(repository):
    revision = parse_revision("HEAD~1:model.py")
    with checked_out(revision) as checkout:
        files = sorted(p.relative_to(checkout.folder).as_posix() for p in checkout.folder.rglob("*") if p.is_file())
        assert checkout.folder.name == checkout.repository.name == "project"
    assert files == ["model.py", "pkg/net.py", "pkg/net.yaml"]


def test_files_that_archives_leave_out_are_there(repository):
    repository.commit({".gitattributes": "pkg export-ignore\n"})
    assert at("HEAD:pkg/net.py") == "VERSION = 2\n"


def test_a_sparse_working_tree(repository):
    repository.git("sparse-checkout", "set", "--no-cone", "/model.py")
    assert not Path("pkg/net.py").exists()
    assert at("HEAD~1:pkg/net.py") == "VERSION = 1\n"


def test_a_linked_working_tree(repository, monkeypatch, tmp_path):
    repository.git("worktree", "add", "--quiet", "--detach", str(tmp_path / "linked"), "HEAD")
    monkeypatch.chdir(tmp_path / "linked" / "pkg")
    assert at("HEAD~1:net.py") == "VERSION = 1\n"


def test_what_git_tells_its_hooks_does_not_lead_astray(repository, monkeypatch):
    monkeypatch.setenv("GIT_DIR", ".git")
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/index")
    assert at("HEAD~1:pkg/net.py") == "VERSION = 1\n"


def test_the_repository_stays_as_it_is(repository):
    hook = repository.folder / ".git" / "hooks" / "post-index-change"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {repository.folder / 'hook_ran'}\n")
    hook.chmod(0o755)
    repository.write({"model.py": "VERSION = 'edited'\n", "untracked.py": ""})
    index = (repository.folder / ".git" / "index").read_bytes()
    assert at("HEAD~1:model.py") == "VERSION = 1\n"
    assert (repository.folder / ".git" / "index").read_bytes() == index
    assert repository.git("status", "--short") == " M model.py\n?? untracked.py\n"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_nothing_is_left_behind(repository, error):

    def fail():
        with checked_out(parse_revision("HEAD:model.py")):
            assert len(leftovers(repository)) == 1
            raise error

    assert at("HEAD:model.py")
    assert leftovers(repository) == []
    with pytest.raises(error):
        fail()
    assert leftovers(repository) == []


def test_no_repository(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert refusal("HEAD~1:model.py:Net") == (
        f"HEAD~1:model.py:Net: no such file, and the folder {tmp_path} is in no git repository, where 'HEAD~1' could be a revision; "
        f"give a file, or run rfcheck inside the repository"
    )


def test_no_git(repository, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert refusal("HEAD~1:model.py") == (
        "HEAD~1:model.py: no such file, and git is not installed, which would know the revision 'HEAD~1'; install git, or give a file"
    )


@pytest.mark.parametrize(
    ("text", "hint"),
    [("mian:model.py", "did you mean main?"), ("HEAD~7:model.py", "it has main"), ("zzz:model.py:Net", "it has main")],
)
def test_an_unknown_revision(repository, text, hint):
    name = text.partition(":")[0]
    expected = f"{text}: no such file, and the git repository {repository.folder.resolve()} has no revision {name!r}; {hint}"
    assert refusal(text) == expected


def test_a_repository_without_a_commit(monkeypatch, tmp_path):
    empty = Repository(tmp_path / "empty")
    monkeypatch.chdir(empty.folder)
    assert refusal("HEAD:model.py").endswith(" has no revision 'HEAD'; it has no commit")


@pytest.mark.parametrize(
    ("folder", "text", "hint"),
    [
        (".", "HEAD~1:modle.py", "did you mean HEAD~1:model.py?"),
        (".", "HEAD~1:net.py", "did you mean HEAD~1:pkg/net.py?"),
        ("pkg", "HEAD~1:model.py", "did you mean HEAD~1:../model.py?"),
        ("pkg", "HEAD~1:late.py", "did you mean HEAD~1:net.py?"),
        (".", "HEAD~1:zzzzzzzz.py", "it has model.py, pkg/net.py"),
    ],
)
def test_a_file_that_the_revision_has_not(repository, monkeypatch, folder, text, hint):
    monkeypatch.chdir(repository.folder / folder)
    path = text.partition(":")[2]
    assert refusal(text) == f"{text}: the revision HEAD~1 has no file {path!r}; {hint}"


def test_a_git_that_fails_is_quoted(tmp_path, monkeypatch):
    bare = tmp_path / "bare.git"
    bare.mkdir()
    Repository(tmp_path / "project").git("init", "--quiet", "--bare", str(bare))
    monkeypatch.chdir(bare)
    assert refusal("HEAD:model.py") == (
        "HEAD:model.py: git cannot read the revision 'HEAD': this operation must be run in a work tree"
    )


def test_the_nearest_folder(tmp_path):
    assert nearest_folder(tmp_path / "a" / "b") == tmp_path
    (tmp_path / "a").mkdir()
    assert nearest_folder(tmp_path / "a" / "b") == tmp_path / "a"
