"""Imports that end with a block."""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
from importlib.abc import MetaPathFinder

import pytest

from rfcheck.target.isolation import forget_imports, imports_from, make_room_for, own_imports


@pytest.fixture
def folders(tmp_path):
    """Two projects of the same module names; the second has no "late"."""
    for number, name in ((1, "old"), (2, "new")):
        for path in (
            f"{name}_dir/blocks.py",
            f"{name}_dir/parts/__init__.py",
            f"{name}_dir/parts/deep.py",
            f"{name}_dir/bare/leaf.py",
        ):
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(f"VERSION = {number}\n")
    (tmp_path / "new_dir" / "late.py").write_text("VERSION = 2\n")
    return tmp_path / "old_dir", tmp_path / "new_dir"


NAMES = ("blocks", "parts", "parts.deep", "bare.leaf")


def versions() -> list[int]:
    return [importlib.import_module(name).VERSION for name in NAMES]


def test_what_was_imported_is_forgotten(folders):
    modules, path = set(sys.modules), list(sys.path)
    for number, folder in enumerate(folders, 1):
        with own_imports():
            sys.path.insert(0, str(folder))
            assert versions() == [number] * 4
            assert "bare" in sys.modules
        assert set(sys.modules) == modules
        assert sys.path == path


def test_also_after_an_error(folders):

    def interrupted():
        with own_imports():
            sys.path.insert(0, str(folders[0]))
            importlib.import_module("blocks")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert "blocks" not in sys.modules
    assert str(folders[0]) not in sys.path


def test_a_replaced_module_comes_back(folders, monkeypatch):
    monkeypatch.syspath_prepend(str(folders[0]))
    before = importlib.import_module("blocks")
    try:
        with own_imports():
            del sys.modules["blocks"]
            sys.path.insert(0, str(folders[1]))
            assert importlib.import_module("blocks").VERSION == 2
        assert sys.modules["blocks"] is before
    finally:
        del sys.modules["blocks"]


def test_what_was_forgotten_inside_comes_back(folders, monkeypatch):
    monkeypatch.syspath_prepend(str(folders[0]))
    before = importlib.import_module("blocks")
    finders = list(sys.meta_path)
    try:
        with own_imports():
            make_room_for([str(folders[0])])
            assert sys.modules["blocks"] is before
            make_room_for([str(folders[1])])
            assert "blocks" not in sys.modules
            sys.meta_path.append(object())
        assert sys.modules["blocks"] is before
        assert sys.meta_path == finders
    finally:
        del sys.modules["blocks"]


def test_imports_of_the_innermost_block_are_forgotten(folders):
    forget_imports()
    with own_imports():
        sys.path.insert(0, str(folders[0]))
        outer = importlib.import_module("blocks")
        with own_imports():
            inner = importlib.import_module("parts")
            forget_imports()
            assert sys.modules["blocks"] is outer
            assert importlib.import_module("parts") is not inner


def test_packages_in_use_and_the_environment_stay(folders, monkeypatch):
    monkeypatch.syspath_prepend(str(folders[0]))
    importlib.import_module("parts")
    try:
        with own_imports():
            deep = importlib.import_module("parts.deep")
            sys.modules.pop("json.tool", None)
            tool = importlib.import_module("json.tool")
            sys.modules.pop("colorsys", None)
            colours = importlib.import_module("colorsys")
        assert sys.modules["parts.deep"] is deep
        assert sys.modules["json.tool"] is tool
        assert sys.modules["colorsys"] is colours
        assert sys.modules["json"] is json
    finally:
        for name in ("parts", "parts.deep"):
            sys.modules.pop(name, None)


def test_entries_of_the_path_lead_to_the_copy(folders, monkeypatch):
    old, new = folders
    monkeypatch.setattr(sys, "path", [str(new), str(new / "gone"), *sys.path])
    before = list(sys.path)
    with imports_from(old.resolve(), instead_of=new.resolve()):
        assert sys.path[:2] == [str(old.resolve()), str(new / "gone")]
        assert versions() == [1] * 4
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module("late")
    assert sys.path == before
    assert versions() == [2] * 4
    for name in (*NAMES, "bare"):
        del sys.modules[name]


class _Editable(MetaPathFinder):
    """Finds top-level modules in a folder that is not on the path, as editable installations do."""

    def __init__(self, folder):
        self.folder = folder

    def find_spec(self, name, path=None, target=None):
        if path is not None:
            return None
        file, package = self.folder / f"{name}.py", self.folder / name / "__init__.py"
        if package.exists():
            return importlib.util.spec_from_file_location(name, package, submodule_search_locations=[str(package.parent)])
        if (self.folder / name).is_dir():
            spec = importlib.machinery.ModuleSpec(name, None, is_package=True)
            spec.submodule_search_locations = [str(self.folder / name)]
            return spec
        return importlib.util.spec_from_file_location(name, file) if file.exists() else None


def test_editable_installations_lead_to_the_copy(folders, monkeypatch):
    old, new = folders
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, _Editable(new)])
    finders = list(sys.meta_path)
    with imports_from(old.resolve(), instead_of=new.resolve()):
        assert versions() == [1] * 4
        assert importlib.import_module("late").VERSION == 2, "the copy has no such file"
        assert importlib.import_module("blocks").__file__ == str(old.resolve() / "blocks.py")
    assert sys.meta_path == finders
    assert not {*NAMES, "bare", "late"} & set(sys.modules)


def test_nothing_keeps_paths_of_the_copy(folders):
    old, new = folders
    with imports_from(old.resolve(), instead_of=new.resolve()):
        sys.path.insert(0, str(old.resolve()))
        assert versions() == [1] * 4
        assert str(old.resolve()) in sys.path_importer_cache
    assert not [entry for entry in sys.path_importer_cache if entry.startswith(str(old.resolve()))]


def test_a_folder_without_init_inside_a_package_is_forgotten_too(folders, monkeypatch):
    old, _ = folders
    (old / "parts" / "bare").mkdir()
    (old / "parts" / "bare" / "leaf.py").write_text("VERSION = 1\n")
    with own_imports():
        monkeypatch.syspath_prepend(str(old))
        importlib.import_module("parts.bare.leaf")
    assert not {"parts", "parts.bare", "parts.bare.leaf"} & set(sys.modules)


def test_modules_of_packages_in_use_are_not_moved(folders, monkeypatch):
    """A package that was imported before goes on with its own files."""
    old, new = folders
    monkeypatch.syspath_prepend(str(new))
    importlib.import_module("parts")
    try:
        with imports_from(old.resolve(), instead_of=new.resolve()):
            assert importlib.import_module("parts.deep").VERSION == 2
            assert importlib.import_module("blocks").VERSION == 1
    finally:
        for name in ("parts", "parts.deep"):
            sys.modules.pop(name, None)
