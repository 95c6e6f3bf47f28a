from __future__ import annotations

import subprocess
import sys

import pytest

from rfcheck.cache.store import Store
from tests.conftest import EXAMPLES


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def keep(folder):
    folder.mkdir(parents=True, exist_ok=True)
    Store(folder).keep("0" * 64, [], [], [])
    return folder / ".rfcheck_cache"


def test_what_a_check_kept_is_removed(run, tmp_path):
    run(str(EXAMPLES / "vgg16.py"), "--resolution", "32")
    assert (tmp_path / ".rfcheck_cache").is_dir()
    assert run("clean") == (0, "removed .rfcheck_cache\n", "")
    assert list(tmp_path.iterdir()) == []
    assert run("clean") == (0, f"no .rfcheck_cache of rfcheck's in {tmp_path} or below\n", "")


def test_folders_below_are_cleaned_and_hidden_ones_and_environments_are_not(run, tmp_path):
    gone = [keep(tmp_path), keep(tmp_path / "a"), keep(tmp_path / "a" / "b c")]
    kept = [keep(tmp_path / ".git"), keep(tmp_path / "venv"), keep(tmp_path / "node_modules" / "x")]
    (tmp_path / "venv" / "pyvenv.cfg").touch()
    assert run("clean") == (0, "removed .rfcheck_cache\nremoved a/.rfcheck_cache\nremoved a/b c/.rfcheck_cache\n", "")
    assert not any(folder.exists() for folder in gone)
    assert all(folder.is_dir() for folder in kept)


@pytest.mark.parametrize(("name", "text"), [("rfcheck.toml", ""), ("pyproject.toml", "[tool.rfcheck]\n")])
def test_the_project_is_that_of_the_configuration(run, tmp_path, monkeypatch, name, text):
    outside = keep(tmp_path)
    folder = keep(tmp_path / "project")
    (tmp_path / "project" / name).write_text(text)
    (tmp_path / "project" / "models").mkdir()
    monkeypatch.chdir(tmp_path / "project" / "models")
    code, out, err = run("clean")
    assert (code, out, err) == (0, f"removed {folder}\n", "")
    assert not folder.exists()
    assert outside.is_dir()


def test_a_folder_that_rfcheck_did_not_make_stays(run, tmp_path):
    (tmp_path / ".rfcheck_cache").mkdir()
    (tmp_path / ".rfcheck_cache" / "thesis.tex").touch()
    code, out, err = run("clean")
    assert (code, err) == (0, "left .rfcheck_cache: rfcheck did not make it\n")
    assert out == f"no .rfcheck_cache of rfcheck's in {tmp_path} or below\n"
    assert (tmp_path / ".rfcheck_cache" / "thesis.tex").exists()


def test_what_others_put_there_stays(run, tmp_path):
    (keep(tmp_path) / "thesis.tex").touch()
    message = "left .rfcheck_cache: it holds files that rfcheck did not write\n"
    assert run("clean") == (0, "removed what rfcheck kept in .rfcheck_cache\n", message)
    assert (tmp_path / ".rfcheck_cache" / "thesis.tex").exists()


def test_a_link_stays_and_what_it_leads_to(run, tmp_path):
    elsewhere = keep(tmp_path / "project" / ".elsewhere")
    (tmp_path / "project" / ".rfcheck_cache").symlink_to(elsewhere)
    code, _, err = run("clean")
    assert (code, err) == (0, "left project/.rfcheck_cache: rfcheck did not make it\n")
    assert (elsewhere / ("0" * 64)).is_file()


def test_a_folder_that_cannot_be_removed_is_an_error(run, tmp_path, monkeypatch):
    keep(tmp_path)

    def fail(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.rmdir", fail)  # permissions do not hold for everybody who runs tests
    assert run("clean") == (2, "", "error: .rfcheck_cache: cannot be removed: Permission denied\n")


def test_a_file_of_that_name_is_no_folder(run, tmp_path):
    (tmp_path / ".rfcheck_cache").touch()
    assert run("clean")[0] == 0
    assert (tmp_path / ".rfcheck_cache").is_file()


def test_torch_is_not_imported(tmp_path):
    code = "import sys\nfrom rfcheck.cli import main\ntry:\n    main(['clean'])\nfinally:\n    print({'torch'} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert result.stdout == f"no .rfcheck_cache of rfcheck's in {tmp_path} or below\nset()\n"
