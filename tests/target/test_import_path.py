from __future__ import annotations

import sys

import pytest

from rfcheck.target.import_path import (
    folders_around,
    hidden_packages,
    import_parts,
    importable_as,
    path_with,
    project_folder,
    project_folders,
)


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
    assert importable_as(package / "__init__.py") == (tmp_path / "project", "outer.inner")


def test_folders_are_packages_where_relative_imports_need_them(package, tmp_path):
    assert importable_as(package / "net.py", 2) == (tmp_path / "project", "outer.inner.net")
    assert importable_as(package / "net.py", 3) == (tmp_path, "project.outer.inner.net")
    assert importable_as(package / "__init__.py", 3) == (tmp_path, "project.outer.inner")
    assert import_parts(tmp_path / "v1.0" / "net.v2.py", 1) == (tmp_path, ("v1.0", "net.v2"))


def test_folders_of_the_project(package, tmp_path, monkeypatch):
    monkeypatch.chdir(package)
    file, project = package / "net.py", tmp_path / "project"
    assert project_folder(file) is None
    assert project_folders(file) == [str(package)]
    assert list(folders_around(file))[:3] == [package, package.parent, project]
    (project / "pyproject.toml").touch()
    (project / "src").mkdir()
    assert project_folder(file) == project
    assert project_folders(file) == [str(package), str(project), str(project / "src")]
    assert list(folders_around(file)) == [package, package.parent, project, project / "src"]


def test_installed_packages_come_behind_the_folders_of_a_project(monkeypatch):
    monkeypatch.setattr(sys, "path", ["/own", "/lib/python3", "/lib/site-packages", "/late"])
    assert path_with(["/late", "/first"], ["/own", "/first", "/project"]) == [
        "/late", "/first", "/own", "/lib/python3", "/project", "/lib/site-packages",
    ]  # fmt: skip


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


def test_packages_that_the_project_hides(package, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    for name in ("json", "yaml"):
        (tmp_path / "here" / f"{name}.py").touch()
    monkeypatch.chdir(tmp_path / "here")
    assert hidden_packages(["json", "yaml"], package / "net.py") == {"yaml"}
