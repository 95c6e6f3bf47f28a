from __future__ import annotations

import hmac
import json
import os
import subprocess
import time
from pathlib import Path

import pytest

from rfcheck.cache.fingerprint import digest, digest_of_modules
from rfcheck.cache.signing import signing_key
from rfcheck.cache.store import FOLDER, Store
from tests.cache.projects import NAME, OTHER, keep, names_in
from tests.cache.results import RESULT, SMALL


def test_what_is_kept_is_found(project):
    assert Store(project).find(NAME) is None
    assert not (project / FOLDER).exists()
    keep(project, (RESULT, SMALL))
    kept = Store(project).find(NAME)
    assert kept.results == (RESULT, SMALL)
    assert kept.files == tuple(project / name for name in ("model.py", "config.yaml", "parts/blocks.py", "missing.yaml"))
    assert Store(project).find(OTHER) is None
    assert names_in(project / FOLDER) == {NAME, ".gitignore", "CACHEDIR.TAG"}


def test_the_folder_says_what_it_is(project):
    keep(project)
    assert (project / FOLDER / ".gitignore").read_text() == "*\n"
    assert (project / FOLDER / "CACHEDIR.TAG").read_text().startswith("Signature: 8a477f597d28d172789f06886806bc55\n")
    (project / FOLDER / ".gitignore").unlink()
    keep(project)
    assert (project / FOLDER / ".gitignore").exists()


def test_git_ignores_it(project):
    keep(project)
    subprocess.run(["git", "init", "--quiet"], cwd=project, check=True)
    done = subprocess.run(["git", "status", "--short", "-uall"], cwd=project, capture_output=True, text=True, check=True)
    assert sorted(line.split()[1] for line in done.stdout.splitlines()) == ["config.yaml", "model.py", "parts/blocks.py"]


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600)])
def test_whoever_may_read_new_files_may_read_what_is_kept(project, umask, mode):
    before = os.umask(umask)
    try:
        keep(project)
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in (project / FOLDER).iterdir()} == {mode}


def test_something_new_takes_the_place_of_what_was_kept(project):
    keep(project)
    keep(project, (RESULT,))
    assert Store(project).find(NAME).results == (RESULT,)
    keep(project, ())
    assert Store(project).find(NAME).results == ()


@pytest.mark.parametrize(
    "change",
    [
        lambda p: (p / "model.py").write_text("edited"),
        lambda p: (p / "config.yaml").write_text("edited"),
        lambda p: (p / "parts" / "blocks.py").unlink(),
        lambda p: (p / "missing.yaml").touch(),
        lambda p: ((p / "model.py").unlink(), (p / "model.py").mkdir()),
        lambda p: (p / "yaml.py").touch(),
        lambda p: (p / "yaml").mkdir(),
        lambda p: (p / "parts" / "compiled.so").touch(),
    ],
)
def test_a_change_of_anything_that_counts(project, change):
    keep(project)
    assert Store(project).find(NAME) is not None
    change(project)
    assert Store(project).find(NAME) is None
    keep(project)
    assert Store(project).find(NAME) is not None


@pytest.mark.parametrize(
    ("change", "counts"),
    [
        (lambda p: (p / "parts" / "new.yaml").touch(), True),
        (lambda p: (p / "parts" / "blocks.py").rename(p / "parts" / "block.py"), True),
        (lambda p: (p / "missing").mkdir(), True),
        (lambda p: (p / "parts" / "__pycache__").mkdir(), False),
        (lambda p: (p / "parts" / FOLDER).mkdir(), False),
        (lambda p: (p / "parts" / "blocks.py").write_text("edited"), False),
        (lambda p: (p / "new.yaml").touch(), False),
    ],
)
def test_a_change_in_a_folder_that_was_listed(project, change, counts):
    Store(project).keep(NAME, (SMALL,), [], [], [project / "parts", project / "missing"])
    assert Store(project).find(NAME) is not None
    change(project)
    assert (Store(project).find(NAME) is None) == counts


@pytest.mark.parametrize(
    "change",
    [
        lambda p: os.utime(p / "model.py", (1, 1)),
        lambda p: (p / "notes.txt").touch(),
        lambda p: (p / ".hidden").mkdir(),
        lambda p: (p / "__pycache__").mkdir(),
        lambda p: (p / "model.py").chmod(0o600),
    ],
)
def test_a_change_of_what_does_not_count(project, change):
    keep(project)
    change(project)
    assert Store(project).find(NAME) is not None


def test_a_file_that_is_a_pipe_by_now(project):
    keep(project)
    (project / "config.yaml").unlink()
    os.mkfifo(project / "config.yaml")
    assert Store(project).find(NAME) is None


@pytest.mark.skipif(not Path("/proc/version").exists(), reason="needs a folder where nobody may write")
def test_a_project_that_may_not_be_written_to():
    Store(Path("/proc")).keep(NAME, [SMALL], [], [])
    assert Store(Path("/proc")).find(NAME) is None


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_an_entry_that_may_not_be_read(project):
    keep(project).chmod(0)
    assert Store(project).find(NAME) is None


def test_old_entries_go_and_fresh_ones_stay(project):
    month = time.time() - 31 * 24 * 3600
    old, fresh = "a" * 64, "b" * 64
    for name in (old, fresh):
        keep(project, name=name)
    (project / FOLDER / "writing-1").touch()
    (project / FOLDER / "folder").mkdir()
    for name in (old, "CACHEDIR.TAG", "folder"):
        os.utime(project / FOLDER / name, (month, month))
    keep(project)
    assert names_in(project / FOLDER) == {NAME, fresh, "writing-1", "folder", ".gitignore", "CACHEDIR.TAG"}


def test_cleaning(project):
    assert not Store(project).clean()
    (project / FOLDER).mkdir()
    assert not Store(project).clean()
    keep(project)
    assert Store(project).clean()
    assert not (project / FOLDER).exists()


def test_an_entry_holds_plain_text(project):
    first, second = keep(project, (RESULT,)).read_bytes().split(b"\n")
    content = json.loads(second)
    assert first == hmac.new(signing_key(), second, "sha256").hexdigest().encode()
    assert content["files"][str(project / "model.py")] == digest(project / "model.py")
    assert content["folders"][str(project)] == digest_of_modules(project)
    assert content["results"][0]["target"] == RESULT.target
