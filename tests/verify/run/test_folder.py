from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from rfcheck.errors import VerifyError
from rfcheck.verify.run.folder import existing_folder, new_folder

NOW = datetime(2026, 1, 2, 3, 4, 5)


def test_a_folder_is_called_after_the_model_and_the_time():
    assert new_folder(None, "build(num_classes=10)", NOW).path == Path("rfcheck-runs/build-num_classes-10-20260102-030405")
    assert new_folder(None, "()", NOW).path == Path("rfcheck-runs/model-20260102-030405")


def test_nothing_is_made_before_something_is_written(tmp_path):
    folder = new_folder(str(tmp_path / "new"), "Net", NOW)
    assert not folder.path.exists()
    assert new_folder(str(tmp_path), "Net", NOW).path == tmp_path  # an empty one may be used


def test_a_folder_that_holds_something_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(VerifyError) as caught:
        new_folder(str(tmp_path), "Net", NOW)
    assert str(caught.value) == f"--run-dir {tmp_path}: is not empty; name a folder that is, or a new one"


def test_a_file_in_the_place_of_a_folder_is_refused(tmp_path):
    file = tmp_path / "notes.txt"
    file.write_text("mine")
    with pytest.raises(VerifyError) as caught:
        new_folder(str(file), "Net", NOW)
    assert str(caught.value) == f"--run-dir {file}: is a file; name a folder"


def test_an_empty_name_is_no_folder():
    with pytest.raises(VerifyError) as caught:
        new_folder("", "Net", NOW)
    assert str(caught.value) == "--run-dir: the name is empty; name a folder"
    with pytest.raises(VerifyError) as caught:
        existing_folder("")
    assert str(caught.value) == "--resume: the name is empty; give the folder of a run"


def test_results_are_there_once_an_epoch_is_over(tmp_path):
    folder = new_folder(str(tmp_path), "Net", NOW)
    folder.model("original", 0).mkdir(parents=True)
    assert not folder.has_results()
    (folder.model("original", 0) / "checkpoint.pt").touch()
    assert folder.has_results()


def test_a_folder_with_a_run_is_not_written_over(tmp_path):
    (tmp_path / "run.toml").write_text("version = 1")
    with pytest.raises(VerifyError) as caught:
        new_folder(str(tmp_path), "Net", NOW)
    expected = f"--run-dir {tmp_path}: holds a run already; go on with it by --resume {tmp_path}, or name another folder"
    assert str(caught.value) == expected


def test_several_processes_need_a_folder_in_common(tmp_path, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(VerifyError) as caught:
        new_folder(None, "Net", NOW)
    assert str(caught.value) == "2 processes were started, which need a folder in common: add --run-dir DIR"
    (tmp_path / "run.toml").write_text("version = 1")  # the first process has begun
    monkeypatch.setenv("RANK", "1")
    assert new_folder(str(tmp_path), "Net", NOW).path == tmp_path


def test_what_is_resumed_must_be_a_run(tmp_path):
    with pytest.raises(VerifyError) as caught:
        existing_folder(str(tmp_path / "no"))
    expected = f"--resume {tmp_path / 'no'}: no such folder; give the folder of a run, as it was named when the run began"
    assert str(caught.value) == expected
    with pytest.raises(VerifyError) as caught:
        existing_folder(str(tmp_path))
    assert str(caught.value) == f"--resume {tmp_path}: holds no run.toml; give the folder of a run"
    (tmp_path / "run.toml").write_text("version = 1")
    assert existing_folder(str(tmp_path)).document == tmp_path / "report.json"


def test_a_run_that_was_killed_in_its_first_moment_may_begin_again(tmp_path):
    (tmp_path / ".rfcheck.0123").touch()
    assert new_folder(str(tmp_path), "Net", NOW).path == tmp_path
