"""Files as they were at a git revision: "HEAD~1:model.py" -> a temporary folder that holds the project of that revision."""

from __future__ import annotations

import contextlib
import difflib
import os
import posixpath
import re
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rfcheck.errors import TargetError
from rfcheck.target.spec import parse_target

_REVISION = re.compile(r"^(?P<name>(?!-)(?:[^:{]|\{[^}]*\})+):(?P<path>.+)$", re.DOTALL)
_DRIVE = re.compile(r"^[A-Za-z]:[\\/]")
_OF_ANOTHER_COMMAND = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")
"""Variables by which git tells a hook its repository; the repository here is the one that holds the file."""


@dataclass(frozen=True, slots=True)
class Revision:
    """A target at a revision.

    Attributes:
        text: as given, "HEAD~1:model.py:Net".
        name: of the revision, "HEAD~1".
        path: of the file, from the current folder, "model.py".
        rest: what follows the path, ":Net" or nothing.
    """

    text: str
    name: str
    path: str
    rest: str

    @property
    def place(self) -> str:
        """The file at the revision, as git writes it."""
        return f"{self.name}:{self.path}"


@dataclass(frozen=True, slots=True)
class Checkout:
    """The files of a revision.

    Attributes:
        repository: folder of the working tree.
        folder: the same folder at the revision, of the same name.
        file: the file that was asked for, in ``folder``.
    """

    repository: Path
    folder: Path
    file: Path


def parse_revision(text: str) -> Revision | None:
    """Take a target at a revision apart; None if it is another kind of target, or a file of that very name exists.

    Raises:
        TargetError: if the text is no target at all.
    """
    spec = parse_target(text)
    if spec.kind not in ("file", "pt2", "onnx") or _DRIVE.match(spec.place) or Path(spec.place).exists():
        return None
    match = _REVISION.match(spec.place)
    return None if match is None else Revision(text, match["name"], match["path"], text[len(spec.place) :])


@contextlib.contextmanager
def checked_out(revision: Revision) -> Iterator[Checkout]:
    """Write all files of a revision to a temporary folder, which is removed on leaving.

    The whole tree is written, because what a file imports and reads is known only when it runs. The repository, its index and its
    working tree are left alone. Submodules stay empty, and files kept by git-lfs stay pointers.

    Raises:
        TargetError: if there is no git, no repository, no such revision, or no such file in it; names near ones.
    """
    repository, location = _locate(revision)
    commit = _commit(revision, repository)
    if _git(revision, repository, "rev-parse", "--verify", "--quiet", f"{commit}:{location}").returncode:
        raise _no_such_file(revision, repository, commit, location)
    with tempfile.TemporaryDirectory(prefix="rfcheck-", ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary).resolve() / repository.name  # a folder that is a package itself is imported by its name
        index = Path(temporary) / "index"
        for command in (["read-tree", commit], ["checkout-index", "--all", "--quiet", f"--prefix={folder.as_posix()}/"]):
            _require_success(revision, _git(revision, repository, *command, index=index))
        yield Checkout(repository, folder, folder / location)


def _locate(revision: Revision) -> tuple[Path, str]:
    """The repository that holds the file's folder, or the nearest of its parents that exists, and the file's path in it."""
    path = Path(os.path.normpath(Path.cwd() / revision.path))
    folder = nearest_folder(path.parent)
    shown = _git(revision, folder, "rev-parse", "--show-toplevel", "--show-prefix")
    if "not a git repository" in shown.stderr:
        raise TargetError(
            f"{revision.text}: no such file, and the folder {folder} is in no git repository, where {revision.name!r} could be a "
            f"revision; give a file, or run rfcheck inside the repository"
        )
    _require_success(revision, shown)
    top, prefix = shown.stdout.split("\n")[:2]
    return Path(top).resolve(), posixpath.join(prefix, path.relative_to(folder).as_posix())


def nearest_folder(folder: Path) -> Path:
    """A folder, or the nearest of its parents that exists."""
    return next(candidate for candidate in (folder, *folder.parents) if candidate.is_dir())


def _commit(revision: Revision, repository: Path) -> str:
    """The commit that a revision stands for."""
    found = _git(revision, repository, "rev-parse", "--verify", "--quiet", f"{revision.name}^{{commit}}")
    if not found.returncode:
        return found.stdout.strip()
    listed = _git(revision, repository, "for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/tags", "refs/remotes")
    names = listed.stdout.split()
    near = difflib.get_close_matches(revision.name, names, 3, 0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"it has {', '.join(names[:5])}" if names else "it has no commit"
    missing = f"no such file, and the git repository {repository} has no revision {revision.name!r}"
    raise TargetError(f"{revision.text}: {missing}; {hint}")


def _no_such_file(revision: Revision, repository: Path, commit: str, location: str) -> TargetError:
    """Names near files the way that the given one is written."""
    listed = _git(revision, repository, "ls-tree", "-r", "-z", "--name-only", "--full-tree", commit)
    files = [name for name in listed.stdout.split("\0") if name.endswith(".py")]
    moved = [name for name in files if posixpath.basename(name) == posixpath.basename(location)]
    near = moved[:3] or difflib.get_close_matches(location, files, 3, 0.5)
    given, start = posixpath.dirname(Path(revision.path).as_posix()), posixpath.dirname(location)
    shown = [posixpath.normpath(posixpath.join(given, posixpath.relpath(name, start or "."))) for name in near or files[:3]]
    named = " or ".join(f"{revision.name}:{name}" for name in shown)
    hint = f"did you mean {named}?" if near else f"it has {', '.join(shown) or 'no Python file'}"
    return TargetError(f"{revision.text}: the revision {revision.name} has no file {revision.path!r}; {hint}")


def _git(revision: Revision, folder: Path, *arguments: str, index: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run git in a folder, with messages in English.

    Raises:
        TargetError: if git cannot be run.
    """
    environment = {name: value for name, value in os.environ.items() if name not in _OF_ANOTHER_COMMAND}
    environment |= {"LC_ALL": "C", "GIT_LFS_SKIP_SMUDGE": "1"}
    if index is not None:
        environment["GIT_INDEX_FILE"] = str(index)
    command = ["git", "-c", f"core.hooksPath={os.devnull}", "-C", str(folder), *arguments]
    try:
        return subprocess.run(
            command,
            capture_output=True,
            check=False,
            encoding="utf-8",
            env=environment,
            errors="surrogateescape",
            stdin=subprocess.DEVNULL,
        )
    except OSError as error:
        reason = "git is not installed" if isinstance(error, FileNotFoundError) else f"git cannot be run ({error.strerror})"
        missing = f"no such file, and {reason}, which would know the revision {revision.name!r}"
        raise TargetError(f"{revision.text}: {missing}; install git, or give a file") from None


def _require_success(revision: Revision, done: subprocess.CompletedProcess[str]) -> None:
    if done.returncode:
        said = " ".join(done.stderr.split()).removeprefix("fatal: ")
        raise TargetError(f"{revision.text}: git cannot read the revision {revision.name!r}: {said}")
