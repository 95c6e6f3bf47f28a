from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from rfcheck.cli.source_file import replace_source, require_editable
from rfcheck.errors import FixError

no_superuser = pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
OLD, NEW = b"WIDTH = 1\n", b"WIDTH = 2\n"


@pytest.fixture(autouse=True)
def _in_a_folder_with_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("model.py").write_bytes(OLD)


def files() -> list[str]:
    return sorted(path.name for path in Path().iterdir())


def test_a_file_that_can_be_edited_is_not_touched():
    require_editable(Path("model.py"))
    assert Path("model.py").read_bytes() == OLD
    assert files() == ["model.py"]


@no_superuser
@pytest.mark.parametrize(("path", "mode"), [("model.py", 0o444), (".", 0o555)])
def test_permissions_are_asked_first(path, mode):
    Path(path).chmod(mode)
    with pytest.raises(FixError) as caught:
        require_editable(Path("model.py"))
    Path(path).chmod(0o755)
    assert str(caught.value) == "model.py: cannot be edited; check the permissions of the file and of its folder"


@pytest.mark.parametrize("mode", [0o600, 0o755, 0o664])
def test_permissions_stay(mode):
    Path("model.py").chmod(mode)
    before = os.umask(0o077)
    try:
        replace_source(Path("model.py"), OLD, NEW)
    finally:
        os.umask(before)
    assert Path("model.py").read_bytes() == NEW
    assert stat.S_IMODE(Path("model.py").stat().st_mode) == mode
    assert files() == ["model.py"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser gives files away")
def test_the_owner_stays():
    os.chown("model.py", 12345, 54321)
    replace_source(Path("model.py"), OLD, NEW)
    assert (Path("model.py").stat().st_uid, Path("model.py").stat().st_gid) == (12345, 54321)


def test_a_link_stays_a_link():
    Path("folder").mkdir()
    Path("folder/link.py").symlink_to("../model.py")
    replace_source(Path("folder/link.py"), OLD, NEW)
    assert Path("folder/link.py").is_symlink()
    assert Path("model.py").read_bytes() == NEW
    assert files() == ["folder", "model.py"]


def test_a_file_that_somebody_changed_is_left_alone():
    Path("model.py").write_bytes(b"WIDTH = 3\n")
    with pytest.raises(FixError) as caught:
        replace_source(Path("model.py"), OLD, NEW)
    assert str(caught.value) == "model.py: somebody changed the file meanwhile, so that it was left alone; run rfcheck again"
    assert Path("model.py").read_bytes() == b"WIDTH = 3\n"


def test_a_file_that_somebody_removed():
    Path("model.py").unlink()
    with pytest.raises(FixError) as caught:
        replace_source(Path("model.py"), OLD, NEW)
    assert str(caught.value) == "model.py: cannot be written: No such file or directory"
    assert files() == []


@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(monkeypatch, failure):
    def fail(*_args):
        raise failure

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises((FixError, KeyboardInterrupt)) as caught:
        replace_source(Path("model.py"), OLD, NEW)
    if isinstance(failure, OSError):
        assert str(caught.value) == "model.py: cannot be written: No space left on device"
    assert files() == ["model.py"]
    assert Path("model.py").read_bytes() == OLD


def test_python_sees_the_new_text_at_once():
    """Bytecode counts as fresh while size and second of the change are the same."""
    show = [sys.executable, "-c", "import model; print(model.WIDTH)"]
    environment = {
        name: value for name, value in os.environ.items() if name not in ("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX")
    }

    def width() -> int:
        return int(subprocess.run(show, capture_output=True, check=True, text=True, env=environment).stdout)

    assert width() == 1
    second = Path("model.py").stat().st_mtime
    assert list(Path().glob("__pycache__/model.*.pyc"))
    replace_source(Path("model.py"), OLD, NEW)
    os.utime("model.py", (second, second))
    assert width() == 2
