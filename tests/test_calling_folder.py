from __future__ import annotations

import os

from rfcheck.calling_folder import called_from_here, calling_folder, go_to
from rfcheck.span import shown_path


def test_the_folder_of_a_command_stays(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    with called_from_here():
        os.chdir("sub")
        assert calling_folder() == str(tmp_path)
        assert shown_path("model.py") == "model.py"
        assert shown_path(str(tmp_path / "sub" / "model.py")) == "sub/model.py"
    assert calling_folder() == str(tmp_path / "sub")


def test_a_command_may_go_elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    with called_from_here():
        go_to("sub")
        assert calling_folder() == str(tmp_path / "sub")
    go_to(str(tmp_path))
    assert calling_folder() == str(tmp_path)
