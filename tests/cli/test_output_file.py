from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from rfcheck.cli.output_file import require_writable, write_atomically
from rfcheck.errors import SettingsError

no_superuser = pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("path", ["out.txt", "./out.txt", "../out.txt"])
def test_what_can_be_written_passes_and_is_not_touched(path):
    require_writable(path, "--output-file")
    assert not Path(path).exists()


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (".", "--plot .: is a folder; give a file"),
        ("no/out.txt", "--plot no/out.txt: the folder no does not exist"),
        ("file/out.txt", "--plot file/out.txt: the folder file does not exist"),
    ],
)
def test_what_cannot_be_written_is_refused(path, message):
    Path("file").write_text("old")
    with pytest.raises(SettingsError) as caught:
        require_writable(path, "--plot")
    assert str(caught.value) == message


@no_superuser
@pytest.mark.parametrize("path", ["protected.txt", "folder/out.txt"])
def test_permissions_are_asked_first(path):
    Path("protected.txt").touch(mode=0o444)
    Path("folder").mkdir(mode=0o555)
    with pytest.raises(SettingsError) as caught:
        require_writable(path, "--output-file")
    assert str(caught.value) == f"--output-file {path}: cannot be written; check its permissions"


@pytest.mark.parametrize(
    ("content", "written"),
    [("größer\n", "größer\n".encode()), ("a\r\nb\n", b"a\r\nb\n"), (b"\x89PNG\r\n", b"\x89PNG\r\n"), ("", b"")],
)
def test_content_is_written_as_it_is(content, written):
    for _ in range(2):  # a new file, then one that exists
        write_atomically(Path("out.txt"), content, "--output-file")
        assert Path("out.txt").read_bytes() == written
    assert [path.name for path in Path().iterdir()] == ["out.txt"]


def test_permissions_follow_the_umask():
    before = os.umask(0o027)
    try:
        write_atomically(Path("out.txt"), "", "--output-file")
        assert os.umask(0o027) == 0o027
    finally:
        os.umask(before)
    assert stat.S_IMODE(Path("out.txt").stat().st_mode) == 0o640


@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(monkeypatch, failure):
    Path("out.txt").write_text("old")

    def fail(*_args):
        raise failure

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises((SettingsError, KeyboardInterrupt)) as caught:
        write_atomically(Path("out.txt"), "new", "--output-file")
    if isinstance(failure, OSError):
        assert str(caught.value) == "--output-file out.txt: cannot be written: No space left on device"
    assert [path.name for path in Path().iterdir()] == ["out.txt"]
    assert Path("out.txt").read_text() == "old"


def test_a_folder_that_has_gone_meanwhile():
    with pytest.raises(SettingsError) as caught:
        write_atomically(Path("gone/out.txt"), "new", "--output-file")
    assert str(caught.value) == "--output-file gone/out.txt: cannot be written: No such file or directory"


@pytest.mark.skipif(not Path("/dev/null").is_char_device(), reason="needs a device")
def test_a_device_stays_a_device():
    write_atomically(Path("/dev/null"), "text", "--output-file")
    assert Path("/dev/null").is_char_device()


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "file.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to("file.txt")
    write_atomically(tmp_path / "link.txt", "new", "--output-file")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "file.txt").read_text() == "new"


def test_the_permissions_of_a_file_stay(tmp_path):
    path = tmp_path / "model.py"
    path.write_text("old")
    path.chmod(0o751)
    write_atomically(path, "new", "--fix")
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("new", 0o751)


@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="needs names for open files")
def test_a_pipe_that_only_this_process_has():
    end, begin = os.pipe()
    write_atomically(Path(f"/dev/fd/{begin}"), "text", "--output")
    os.close(begin)
    with os.fdopen(end) as file:
        assert file.read() == "text"


@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="needs names for open files")
@pytest.mark.parametrize("folder", ["/dev/fd", "/proc/self/fd"])
def test_an_open_file_keeps_what_others_write(folder):
    with Path("log.txt").open("w") as log:
        log.write("before\n")
        log.flush()
        write_atomically(Path(f"{folder}/{log.fileno()}"), "text\n", "--output")
        log.write("after\n")
    assert Path("log.txt").read_text() == "before\ntext\nafter\n"
    assert [path.name for path in Path().iterdir()] == ["log.txt"]


@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="needs names for open files")
@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_a_standard_stream_that_is_a_file(name):
    code = (
        "import sys; from pathlib import Path; from rfcheck.cli.output_file import write_atomically;"
        f"sys.{name}.write('before\\n'); write_atomically(Path('/dev/{name}'), 'text\\n', '--output'); sys.{name}.write('after\\n')"
    )
    with Path("log.txt").open("w") as log:
        log.write("earlier\n")
        log.flush()
        subprocess.run([sys.executable, "-c", code], check=True, **{name: log})
    assert Path("log.txt").read_text() == "earlier\nbefore\ntext\nafter\n"


@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="needs names for open files")
def test_an_open_file_that_is_none():
    with pytest.raises(SettingsError) as caught:
        write_atomically(Path("/dev/fd/4077"), "text", "--output")
    assert str(caught.value) == "--output /dev/fd/4077: cannot be written: Bad file descriptor"
