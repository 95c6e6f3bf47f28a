from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import pytest

from rfcheck.cache.dependencies import CLOCK_LAG, Reading, import_folders

FILES = {
    "plain.py": "x = 1",
    "lazy.py": "def load():\n    import plain",
    "package/__init__.py": "from .inner import x",
    "package/inner.py": "x = 1",
    "package/data.yaml": "a: 1",
    "spaces/part.py": "x = 1",
    "settings.py": "x = 1",
    "config.yaml": "a: 1",
    "ünï cödé.yaml": "a: 1",
    "weights.npy": None,
}

# what a model's code does, and the files of the project that it reads in that way
CASES = {
    "nothing": ("pass", []),
    "import": ("import plain", ["plain.py"]),
    "import inside a function": ("import lazy; lazy.load()", ["lazy.py", "plain.py"]),
    "relative import": ("import package", ["package/__init__.py", "package/inner.py"]),
    "package without __init__": ("import spaces.part", ["spaces/part.py"]),
    "lazy loading": (
        "import importlib.util as i\nspec = i.find_spec('plain')\nspec.loader = i.LazyLoader(spec.loader)\n"
        "sys.modules['plain'] = i.module_from_spec(spec)\nspec.loader.exec_module(sys.modules['plain'])\n"
        "open('plain.py', 'a').write('raise KeyError')",
        ["plain.py"],
    ),
    "things that are no modules": (
        "class Odd:\n    def __getattr__(self, name): raise KeyError(name)\nsys.modules['odd'] = Odd()", [],
    ),
    "import of what is imported already": ("sys.path.insert(0, '.'); import plain; import plain", ["plain.py"]),
    "module that nobody registers": (
        "import importlib.util as i\nspec = i.spec_from_file_location('x', 'settings.py')\n"
        "spec.loader.exec_module(i.module_from_spec(spec))",
        ["settings.py"],
    ),
    "module that is removed": ("import plain; del sys.modules['plain']", ["plain.py"]),
    "runpy": ("import runpy; runpy.run_path('settings.py')", ["settings.py"]),
    "exec": ("exec(open('settings.py').read())", ["settings.py"]),
    "open": ("open('config.yaml').close()", ["config.yaml"]),
    "open to change": ("open('config.yaml', 'r+').close()", ["config.yaml"]),
    "pathlib": ("from pathlib import Path; Path('config.yaml').read_text()", ["config.yaml"]),
    "bytes": ("open(b'config.yaml').close()", ["config.yaml"]),
    "os.open": ("import os; os.close(os.open('config.yaml', os.O_RDONLY))", ["config.yaml"]),
    "os.open of a path": (
        "import os, pathlib; os.close(os.open(pathlib.Path('config.yaml'), os.O_RDONLY))",
        ["config.yaml"],
    ),
    "unicode": ("open('ünï cödé.yaml').close()", ["ünï cödé.yaml"]),
    "numpy": ("import numpy; numpy.load('weights.npy')", ["weights.npy"]),
    "package data": ("import importlib.resources as r; (r.files('package') / 'data.yaml').read_text()",
                     ["package/__init__.py", "package/data.yaml", "package/inner.py"]),
    "another folder": ("import os; os.chdir('package'); open('data.yaml').close()", ["package/data.yaml"]),
    "file that is not there": ("try: open('local.yaml')\nexcept OSError: pass", ["local.yaml"]),
    "in a thread": (
        "import threading; t = threading.Thread(target=lambda: open('config.yaml').close()); t.start(); t.join()",
        ["config.yaml"],
    ),
    "wrong arguments": ("for wrong in (3.5, None, 'a\\0b', 99):\n    try: open(wrong)\n    except Exception: pass", None),
    "writing": ("open('new.txt', 'w').close(); open('more.txt', 'a').close(); open('third.txt', 'x').close()", []),
    "temporary files": ("import tempfile; tempfile.TemporaryFile(dir='.').close(); tempfile.mkstemp(dir='.')", []),
    "devices": ("open('/dev/null').close(); open('/proc/self/status').close()", []),
    "packages": ("import click, yaml, networkx", []),
}  # fmt: skip

SCRIPT = """
import sys
from rfcheck.cache.dependencies import Reading
reading = Reading()
sys.path.insert(0, {project!r})
with reading.noted():
{code}
open({project!r} + '/config.yaml').close()
for file in reading.files():
    print(file)
"""


@pytest.fixture
def project(tmp_path):
    import numpy

    for name, content in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content or "", encoding="utf-8")
    numpy.save(tmp_path / "weights.npy", numpy.zeros(3))
    return tmp_path


def files_read(project: Path, code: str, **environment: str) -> list[str]:
    """The files of a project that are noted while a process of its own runs a piece of code."""
    script = SCRIPT.format(project=str(project), code="    " + code.replace("\n", "\n    "))
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=project,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **environment},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    files = [Path(line) for line in done.stdout.splitlines()]
    assert all(file.is_absolute() for file in files)
    return [file.relative_to(project).as_posix() for file in files if file.is_relative_to(project)]


@pytest.mark.parametrize(("code", "expected"), CASES.values(), ids=list(CASES))
def test_what_is_read(project, code, expected):
    found = files_read(project, code)
    assert expected is None or found == expected


def test_compiled_code_stands_for_its_source(project):
    for _ in range(2):
        found = files_read(project, CASES["module that nobody registers"][0], PYTHONDONTWRITEBYTECODE="")
        assert found == ["settings.py"]
    assert (project / "__pycache__").exists()


def test_a_link_and_what_it_leads_to(project):
    (project / "link.yaml").symlink_to("config.yaml")
    assert files_read(project, "open('link.yaml').close()") == ["link.yaml"]


# how a module of the project asks what is in a folder, and the folders that are noted for it
LISTINGS = {
    "os.listdir": ("import os; os.listdir('package')", ["package"]),
    "the current folder": ("import os; os.listdir()", ["."]),
    "os.walk": ("import os; list(os.walk('package'))", ["package", "package/inner"]),
    "pathlib": ("from pathlib import Path; list(Path('package').glob('*.yaml'))", ["package"]),
    "glob": ("import glob; glob.glob('package/*.yaml')", ["package"]),
    "bytes": ("import os; os.listdir(b'package')", ["package"]),
    "pkgutil": ("import package, pkgutil; list(pkgutil.iter_modules(package.__path__))", ["package", "package/inner"]),
    "a folder that is not there": ("import os\ntry: os.listdir('absent')\nexcept OSError: pass", ["absent"]),
    "a number": ("import os; os.listdir(os.open('package', os.O_RDONLY))", []),
    "imports": ("import package, spaces.part, torch", []),
    "the environment": ("import os, click; os.listdir(os.path.dirname(click.__file__)); os.listdir('/proc/self')", []),
}


@pytest.mark.parametrize(("code", "expected"), LISTINGS.values(), ids=list(LISTINGS))
def test_what_is_listed(project, code, expected):
    (project / "lists.py").write_text(code, encoding="utf-8")
    (project / "package" / "inner").mkdir()
    script = (
        SCRIPT.format(project=str(project), code="    import lists") + "print('-')\nfor folder in reading.folders(): print(folder)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=project, capture_output=True, text=True, check=True)
    assert [os.path.relpath(line, project) for line in done.stdout.partition("-\n")[2].splitlines()] == expected


def test_nothing_of_the_environment_counts(project):
    script = SCRIPT.format(project=str(project), code="    import torch, numpy, yaml")
    done = subprocess.run([sys.executable, "-c", script], cwd=project, capture_output=True, text=True, check=True)
    libraries = tuple(f"{sysconfig.get_path(name)}{os.sep}" for name in ("stdlib", "purelib", "platlib"))
    assert not [line for line in done.stdout.splitlines() if line.startswith(libraries)]


def test_one_hook_serves_all(project):
    code = (
        "import sys\nadded = []\nreal = sys.addaudithook\nsys.addaudithook = lambda hook: (added.append(hook), real(hook))\n"
        "from rfcheck.cache.dependencies import Reading\n"
        "for _ in range(3):\n    with Reading().noted():\n        pass\nprint(len(added))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("a: 1")
    return path


def test_blocks_add_up_and_nothing_counts_between_them(file, tmp_path):
    other = tmp_path / "other.yaml"
    other.touch()
    first, second = Reading(), Reading()
    with first.noted():
        file.read_text()
    other.read_text()
    with first.noted(), second.noted():
        pass
    assert file in first.files()
    assert not {file, other} & set(second.files())
    assert other not in first.files()


def test_an_error_ends_a_block(file):
    reading = Reading()
    with pytest.raises(KeyError), reading.noted():
        raise KeyError
    file.read_text()
    assert file not in reading.files()


def edited(file: Path) -> None:
    file.write_text("a: 2")


def moved_there(file: Path) -> None:
    old = file.with_suffix(".old")
    old.write_text("a: 2")
    os.utime(old, (1, 1))
    old.replace(file)


def removed(file: Path) -> None:
    file.unlink()


@pytest.mark.parametrize("change", [edited, moved_there, removed])
@pytest.mark.parametrize("in_block", [1, 2, 3])
def test_what_changes_after_it_was_read(file, change, in_block):
    time.sleep(0.02)  # longer than the clock of the file system stands still
    reading = Reading()
    for number in (1, 2):
        with reading.noted():
            if number <= in_block:
                file.read_text()
            assert number > in_block or reading.is_up_to_date([file])
            if in_block == number:
                change(file)
    if in_block == 3:
        change(file)
    assert not reading.is_up_to_date([file])


def test_what_changes_right_before_it_is_read(file):
    reading = Reading()
    with reading.noted():
        edited(file)
        file.read_text()
    assert reading.is_up_to_date([file])


def test_what_was_not_there_and_is_now(tmp_path):
    file, reading = tmp_path / "local.yaml", Reading()
    with reading.noted(), pytest.raises(FileNotFoundError):
        file.read_text()
    assert reading.is_up_to_date([file])
    file.touch()
    assert not reading.is_up_to_date([file])


@pytest.mark.parametrize("change", [edited, moved_there])
@pytest.mark.parametrize("in_block", [True, False])
def test_what_was_read_unnoticed_counts_as_read_when_the_first_block_began(file, change, in_block):
    time.sleep(0.5)  # files are noted to have changed a little earlier than they did
    reading = Reading()
    with reading.noted():
        assert reading.is_up_to_date([file, file.with_name("none")])
        if in_block:
            change(file)
    if not in_block:
        change(file)
    assert not reading.is_up_to_date([file])


def test_what_was_written_right_before_may_have_been_read_unnoticed_before_that(file, monkeypatch):
    reading = Reading()
    monkeypatch.setattr(time, "time_ns", lambda: file.stat().st_mtime_ns + CLOCK_LAG)
    with reading.noted():
        assert not reading.is_up_to_date([file])


def test_nothing_is_up_to_date_before_anything_was_read(file):
    assert not Reading().is_up_to_date([file])


def test_folders_in_which_modules_are_searched(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    environment = [str(Path(os.__file__).parent), *(path for path in sys.path if "site-packages" in path)]
    monkeypatch.setattr(sys, "path", ["", "relative", str(tmp_path / "modules.zip"), *environment])
    files = [tmp_path / "package" / "inner.py", tmp_path / "data" / "config.yaml"]
    folders = [tmp_path, tmp_path / "modules.zip", tmp_path / "package", tmp_path / "relative"]
    assert import_folders(files) == folders


def test_a_name_in_a_folder_that_python_does_not_tell(tmp_path, monkeypatch):
    """``os.open`` says a name, and not the open folder that the name is meant in."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "c.txt").write_text("4")
    (tmp_path / "here.txt").write_text("4")
    monkeypatch.chdir(tmp_path)
    folder = os.open("sub", os.O_RDONLY)
    try:
        certain, uncertain = Reading(), Reading()
        with certain.noted():
            os.close(os.open("here.txt", os.O_RDONLY))
            Path("gone.txt").exists()
        with uncertain.noted():
            os.close(os.open("c.txt", os.O_RDONLY, dir_fd=folder))
    finally:
        os.close(folder)
    assert certain.is_complete
    assert not uncertain.is_complete
    assert not uncertain.is_up_to_date([])
