from __future__ import annotations

import hmac
import json
import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rfcheck.cache import store
from rfcheck.cache.fingerprint import digest, digest_of_modules
from rfcheck.cache.signing import signature, signing_key
from rfcheck.cache.store import FOLDER, Store
from tests.cache.results import RESULT, SMALL

NAME = "0123abcd" * 8
OTHER = "4567ef00" * 8


@pytest.fixture
def project(tmp_path):
    """A folder with two files and a folder that results may depend on."""
    for name in ("model.py", "config.yaml", "parts/blocks.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name, encoding="utf-8")
    return tmp_path


def keep(project: Path, results=(SMALL,), name: str = NAME) -> Path:
    """Keep results that depend on all of the project; returns the entry."""
    files = [project / "model.py", project / "config.yaml", project / "parts" / "blocks.py", project / "missing.yaml"]
    Store(project).keep(name, results, files, [project, project / "parts"])
    return project / FOLDER / name


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


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


def test_an_entry_that_ends_too_early(project):
    entry = keep(project)
    content = entry.read_bytes()
    for end in range(len(content)):
        entry.write_bytes(content[:end])
        assert Store(project).find(NAME) is None, end
    entry.write_bytes(content)
    assert Store(project).find(NAME) is not None


def test_an_entry_with_a_wrong_bit(project):
    entry = keep(project)
    content = entry.read_bytes()
    for i in range(len(content)):
        entry.write_bytes(content[:i] + bytes([content[i] ^ (1 << i % 8)]) + content[i + 1 :])
        assert Store(project).find(NAME) is None, i


def signed(content: bytes) -> bytes:
    """Content with the signature that it should have."""
    return signature(content, signing_key()) + b"\n" + content


def entry(**changed: object) -> bytes:
    """An entry without results, except for what is changed."""
    return signed(json.dumps({"fingerprint": NAME, "files": {}, "folders": {}, "listed": {}, "results": [], **changed}).encode())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"\n\n",
        b"\xff\xfe\x00\n\x00",
        b"not json\nat all",
        json.dumps({"fingerprint": NAME, "files": {}, "folders": {}, "listed": {}, "results": []}).encode(),
        entry().replace(b"\n", b"\n\n"),
        signed(b""),
        signed(b"\xff"),
        signed(b"[" * 100_000),
        signed(b"[]"),
        signed(b"3"),
        signed(b"null"),
        signed(b"{}"),
        entry(fingerprint=OTHER),
        entry(files=[]),
        entry(files=None),
        entry(folders=3),
        entry(listed=3),
        entry(listed={"/": None}),
        entry(files={"\x00": None}),
        entry(files={"/dev/zero": "x", "/dev/stdin": "x"}),
        entry(results=None),
        entry(results=3),
        entry(results={"a": 1}),
        entry(results=[3]),
        entry(results=[{}]),
        entry(results=[[[]]]),
    ],
)  # fmt: skip
def test_entries_that_hold_something_else(project, content):
    keep(project).write_bytes(content)
    assert Store(project).find(NAME) is None
    keep(project)
    assert Store(project).find(NAME).results == (SMALL,)


def test_an_entry_without_results_is_one(project):
    keep(project).write_bytes(entry())
    assert Store(project).find(NAME).results == ()


def test_an_entry_under_another_name(project):
    keep(project).rename(project / FOLDER / OTHER)
    assert Store(project).find(OTHER) is None


def test_a_file_that_is_a_pipe_by_now(project):
    keep(project)
    (project / "config.yaml").unlink()
    os.mkfifo(project / "config.yaml")
    assert Store(project).find(NAME) is None


def test_a_folder_in_the_place_of_an_entry(project):
    keep(project).unlink()
    (project / FOLDER / NAME / "inside").mkdir(parents=True)
    assert Store(project).find(NAME) is None
    keep(project)
    assert Store(project).find(NAME) is None
    assert names_in(project / FOLDER) == {NAME, ".gitignore", "CACHEDIR.TAG"}


def test_a_file_in_the_place_of_the_folder(project):
    (project / FOLDER).write_text("mine")
    keep(project)
    assert Store(project).find(NAME) is None
    assert (project / FOLDER).read_text() == "mine"


def test_a_link_that_leads_nowhere_in_the_place_of_the_folder(project):
    (project / FOLDER).symlink_to(project / "nowhere")
    keep(project)
    assert Store(project).find(NAME) is None


@pytest.mark.skipif(not Path("/proc/version").exists(), reason="needs a folder where nobody may write")
def test_a_project_that_may_not_be_written_to():
    Store(Path("/proc")).keep(NAME, [SMALL], [], [])
    assert Store(Path("/proc")).find(NAME) is None


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_an_entry_that_may_not_be_read(project):
    keep(project).chmod(0)
    assert Store(project).find(NAME) is None


def in_a_process(project: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Run code in the project with what it needs to keep results, in a process of its own."""
    begin = (
        "import os, resource, signal, sys\nfrom pathlib import Path\nimport rfcheck.cache.store as store\n"
        "from rfcheck.cache.store import Store\nfrom tests.cache.results import RESULT, SMALL\n"
        "def dying(content):\n    def opens(handle, mode):\n        os.write(handle, content)\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n    return opens\n"
        "def keep(name='0123abcd' * 8, results=(SMALL,)):\n    Store(Path.cwd()).keep(name, results, [Path('model.py').absolute()], [])\n"
    )
    root = str(Path(__file__).parent.parent.parent)
    environment = {**os.environ, "PYTHONPATH": root}
    return subprocess.run(
        [sys.executable, "-c", begin + code], cwd=project, env=environment, capture_output=True, text=True, check=False
    )


def test_a_full_disk(project):
    done = in_a_process(
        project, "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\nkeep(results=(RESULT, RESULT))\nprint('goes on')"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "goes on\n", "")
    assert names_in(project / FOLDER) == {".gitignore", "CACHEDIR.TAG"}
    assert Store(project).find(NAME) is None


@pytest.mark.parametrize(
    "dies",
    [
        "os.fdopen = dying(b'')",
        "Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)",
        "os.fdopen = dying(b'{\"half')",
    ],
)
def test_a_process_that_is_killed_while_it_writes(project, dies):
    keep(project, (RESULT,))
    done = in_a_process(project, f"{dies}\nkeep()")
    assert done.returncode == -signal.SIGKILL
    assert Store(project).find(NAME).results == (RESULT,)
    (leftover,) = names_in(project / FOLDER) - {NAME, ".gitignore", "CACHEDIR.TAG"}
    keep(project)
    assert Store(project).find(NAME).results == (SMALL,)
    assert leftover in names_in(project / FOLDER)
    an_hour_ago = time.time() - 3601
    os.utime(project / FOLDER / leftover, (an_hour_ago, an_hour_ago))
    keep(project)
    assert names_in(project / FOLDER) == {NAME, ".gitignore", "CACHEDIR.TAG"}


def test_an_interrupted_process_leaves_nothing(project):
    done = in_a_process(project, "def stop(*_): raise KeyboardInterrupt\nPath.replace = stop\nkeep()")
    assert done.returncode != 0
    assert done.stderr.endswith("KeyboardInterrupt\n")
    assert names_in(project / FOLDER) == set()


def test_processes_that_are_killed_at_any_moment(project):
    (project / FOLDER).mkdir()
    for delay in (0.0, 0.001, 0.003, 0.01, 0.03):
        code = f"import threading\nthreading.Timer({delay}, lambda: os.kill(os.getpid(), signal.SIGKILL)).start()\nwhile True:\n    keep()"
        assert in_a_process(project, code).returncode == -signal.SIGKILL
        found = Store(project).find(NAME)
        assert found is None or found.results == (SMALL,)
    keep(project)
    assert Store(project).find(NAME).results == (SMALL,)


def test_processes_side_by_side(project):
    code = (
        "name = str(os.getpid()).zfill(64)\nfor i in range(60):\n    keep()\n    keep(name, (SMALL, RESULT))\n"
        "    found, mine = Store(Path.cwd()).find('0123abcd' * 8), Store(Path.cwd()).find(name)\n"
        "    assert found is not None and found.results == (SMALL,), i\n"
        "    assert mine is not None and mine.results == (SMALL, RESULT), i\n"
    )
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda _: in_a_process(project, code), range(8)))
    assert [(one.returncode, one.stderr) for one in done] == [(0, "")] * 8
    names = names_in(project / FOLDER)
    assert len(names) == 3 + 8
    assert all(re.fullmatch(r"[0-9a-f]+|\.gitignore|CACHEDIR\.TAG", name) for name in names)


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


@pytest.fixture
def victim(tmp_path_factory):
    """A folder of somebody's, with an old file."""
    folder = tmp_path_factory.mktemp("victim")
    (folder / "thesis.docx").write_text("precious")
    (folder / NAME).write_text("precious too")
    for file in folder.iterdir():
        os.utime(file, (1, 1))
    return folder


def contents_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("marked", [False, True])
def test_a_link_in_the_place_of_the_folder_is_not_followed(project, victim, marked):
    if marked:
        (victim / "CACHEDIR.TAG").write_text(store._MARKS["CACHEDIR.TAG"])
    before = contents_of(victim)
    (project / FOLDER).symlink_to(victim)
    keep(project)
    assert Store(project).find(NAME) is None
    assert not Store(project).clean()
    assert contents_of(victim) == before
    assert (project / FOLDER).is_symlink()


def test_a_folder_of_others_is_left_as_it_is(project, victim):
    victim.rename(project / FOLDER)
    before = contents_of(project / FOLDER)
    keep(project)
    assert Store(project).find(NAME) is None
    assert not Store(project).clean()
    assert contents_of(project / FOLDER) == before


def test_what_others_put_into_the_folder_stays(project):
    keep(project)
    month = time.time() - 31 * 24 * 3600
    for name in ("thesis.docx", "writing-about-it.txt", "A" * 64, "a" * 63):
        (project / FOLDER / name).write_text("precious")
        os.utime(project / FOLDER / name, (month, month))
    (project / FOLDER / ("c" * 64)).symlink_to(project / "model.py")
    keep(project)
    assert Store(project).clean()
    kept = {"thesis.docx", "writing-about-it.txt", "A" * 64, "a" * 63, "c" * 64, ".gitignore", "CACHEDIR.TAG"}
    assert names_in(project / FOLDER) == kept


def test_a_folder_that_a_killed_process_has_begun(project):
    (project / FOLDER).mkdir()
    (project / FOLDER / "writing-0123").touch()
    keep(project)
    assert Store(project).find(NAME).results == (SMALL,)


def pipe(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize("place", [pipe, lambda path: path.symlink_to("/dev/zero"), lambda path: path.mkdir()])
@pytest.mark.parametrize("name", [NAME, "CACHEDIR.TAG"])
def test_what_is_no_file_is_never_read(project, place, name):
    keep(project).unlink()
    (project / FOLDER / name).unlink(missing_ok=True)
    place(project / FOLDER / name)
    assert Store(project).find(NAME) is None


def test_an_entry_that_is_too_large(project, monkeypatch):
    keep(project)
    monkeypatch.setattr("rfcheck.plain_file.read_plain.__defaults__", (100,))
    assert Store(project).find(NAME) is None


def test_an_entry_that_somebody_else_wrote(project, monkeypatch, tmp_path_factory):
    keep(project)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("another user")))
    assert Store(project).find(NAME) is None
    keep(project)
    assert Store(project).find(NAME).results == (SMALL,)


def test_without_a_key_nothing_is_kept(project, monkeypatch):
    keep(project)
    monkeypatch.setattr(store, "signing_key", lambda: None)
    assert Store(project).find(NAME) is None
    keep(project, name=OTHER)
    assert names_in(project / FOLDER) == {NAME, ".gitignore", "CACHEDIR.TAG"}
