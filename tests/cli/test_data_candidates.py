from __future__ import annotations

import pytest

from tests.cli.completing import answered, candidates, values


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    (tmp_path / "images").mkdir()
    (tmp_path / "import_me.py").write_text("def load():\n    pass\n\nclass Loader:\n    pass\n")
    monkeypatch.chdir(tmp_path)


def test_every_source_with_a_colon_where_a_path_follows():
    assert values("verify", "--data", "") == ["digits", "folder:", "cifar10:", "cifar100:", "mnist:", "fashion-mnist:"]
    assert values("verify", "--data", "cifar1") == ["cifar10:", "cifar100:"]


def test_folders_behind_the_colon():
    assert values("verify", "--data", "folder:i") == ["folder:images/"]
    assert values("verify", "--data", "mnist:") == ["mnist:images/"]
    assert values("verify", "--data", "digits:") == []


def test_files_and_their_functions():
    assert values("verify", "--data", "im") == ["images/", "import_me.py"]
    assert candidates("verify", "--data", "import_me.py:") == [("import_me.py:load", "function")]
    assert values("verify", "--data", "nowhere.py:") == []


def test_an_answer_imports_nothing_heavy(tmp_path):
    assert answered("fish", "rfcheck verify model.py --data fol", tmp_path) == "folder:\t\n"
