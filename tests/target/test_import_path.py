from __future__ import annotations

import sys

import pytest

from rfcheck.target.import_path import hidden_packages, importable_as


@pytest.fixture
def package(tmp_path):
    folder = tmp_path / "project" / "outer" / "inner"
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder.parent / "__init__.py").touch()
    return folder


def test_files_of_packages_keep_their_name(package, tmp_path):
    assert importable_as(package / "net.py") == (tmp_path / "project", "outer.inner.net")
    assert importable_as(tmp_path / "project" / "net.py") == (tmp_path / "project", "net")


def test_packages_that_a_module_of_the_user_hides(package, tmp_path, monkeypatch):
    (tmp_path / "project" / "json.py").touch()
    (tmp_path / "project" / "yaml").mkdir()
    (tmp_path / "project" / "sys.py").touch()
    (package / "torch.py").touch()
    (tmp_path / "numpy.py").touch()
    names = ["json", "yaml", "sys", "torch", "numpy", "os", "nothing"]
    assert hidden_packages(names, package / "net.py") == {"json", "yaml"}
    assert hidden_packages(names, package.parent.parent / "net.py") == {"json", "yaml"}
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    assert "numpy" not in hidden_packages(names, package / "net.py")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    assert hidden_packages(names, package / "net.py") == {"json", "yaml", "numpy"}
