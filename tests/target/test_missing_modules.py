"""Modules that nothing but the folders around a file has."""

from __future__ import annotations

import sys

from rfcheck.target.isolation import own_imports
from rfcheck.target.missing_modules import FolderSearch, folder_with


def test_what_is_found_around_a_file(tmp_path):
    for name in ("a/b/net.py", "a/near.py", "a/src/kit/__init__.py", "plain/data/x.txt", "code/part.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    search = FolderSearch(tmp_path / "a" / "b" / "net.py")
    with own_imports():
        before = list(sys.path)
        assert search.find_spec("near", None).origin == str(tmp_path / "a" / "near.py")
        assert search.find_spec("kit", None).origin == str(tmp_path / "a" / "src" / "kit" / "__init__.py")
        assert list(search.find_spec("code", None).submodule_search_locations) == [str(tmp_path / "code")]
        assert search.find_spec("plain", None) is None
        assert search.find_spec("nothing", None) is None
        assert search.find_spec("kit.near", [str(tmp_path / "a")]) is None
        assert sys.path == [*before, str(tmp_path / "a"), str(tmp_path / "a" / "src"), str(tmp_path)]
    assert sys.path == before


def test_folders_of_the_project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("setup.py", "nets/net.py", "libs/one/part.py", "libs/two/kit/__init__.py", "venv/hidden.py", ".x/hidden.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = [folder_with(name, tmp_path / "nets" / "net.py") for name in ("part", "kit", "kit.deep", "hidden", "nothing")]
    assert found == ["libs/one", "libs/two", "libs/two", None, None]
