"""Run a Python file as the module that it is where it lies: in its package, and with its project's folders to import from."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

from rfcheck.target.import_path import import_parts, path_with, project_folders
from rfcheck.target.isolation import forget_package, make_room_for
from rfcheck.target.missing_modules import FolderSearch
from rfcheck.target.unsaved import UnsavedLoader

_MOST_LEVELS = 6
_RELATIVE = "attempted relative import"
"""How the messages of errors begin that say that a file lies in too few packages."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a file is imported from.

    Attributes:
        path: of the file.
        root: folder to import from.
        packages: names of the packages around it, the outermost first, with their folders.
        name: of the module.
    """

    path: Path
    root: Path
    packages: tuple[tuple[str, Path], ...]
    name: str

    @classmethod
    def of(cls, path: Path, levels: int) -> _Place:
        root, parts = import_parts(path, levels)
        names = [part.replace(".", "_") for part in parts]
        is_package = path.stem == "__init__"
        around = parts if is_package else parts[:-1]
        folders = [root.joinpath(*around[: end + 1]) for end in range(len(around))]
        packages = tuple((".".join(names[: end + 1]), folder) for end, folder in enumerate(folders))
        if not packages:  # a file of its own gets a name that cannot hide another module
            return cls(path, root, (), f"_rfcheck_{names[-1]}")
        return cls(path, root, packages[:-1] if is_package else packages, ".".join(names))


def run_file(path: Path, levels: int, content: bytes | None, execute: Callable[[ModuleType], None]) -> ModuleType:
    """The module of a file, which its package may have imported already; it stays importable by its name.

    Args:
        path: of the file.
        levels: how many packages it lies in at least, by its relative imports.
        content: to run in place of what the file holds; None for the file as it is.
        execute: runs the code of the module that it is given, which has a loader.

    Raises:
        BaseException: whatever running it raises.
    """
    place = _Place.of(path, levels)
    try:
        return _run_at(place, content, execute)
    except ImportError as error:  # what it imports may lie in more packages than it tells itself
        if len(place.packages) >= _MOST_LEVELS or not str(error).startswith(_RELATIVE):
            raise
        return run_file(path, len(place.packages) + 1, content, execute)


def _run_at(place: _Place, content: bytes | None, execute: Callable[[ModuleType], None]) -> ModuleType:
    _look_around(place)
    with _served(place, content):
        for name, folder in place.packages:
            _import_package(name, folder)
        module = sys.modules.get(place.name)
        if module is not None and place.packages and _is_from(module, place.path):
            return module
        return _executed(place, content, execute)


def _executed(place: _Place, content: bytes | None, execute: Callable[[ModuleType], None]) -> ModuleType:
    """A new module, run; where that fails, the one that had its name comes back."""
    spec = _spec(place, content)
    module, previous = importlib.util.module_from_spec(spec), sys.modules.get(place.name)
    sys.modules[place.name] = module
    try:
        execute(module)
    except BaseException:
        sys.modules.pop(place.name, None)
        if previous is not None:
            sys.modules[place.name] = previous
        raise
    parent, _, own = place.name.rpartition(".")
    if parent in sys.modules:
        setattr(sys.modules[parent], own, module)
    return module


def _spec(place: _Place, content: bytes | None) -> ModuleSpec:
    folders = [str(place.path.resolve().parent)] if place.path.stem == "__init__" else None
    loader = None if content is None else UnsavedLoader(place.name, str(place.path), content)
    spec = importlib.util.spec_from_file_location(place.name, place.path, loader=loader, submodule_search_locations=folders)
    assert spec is not None
    return spec


def _look_around(place: _Place) -> None:
    """Let imports find what Python and pytest would, and then what lies anywhere around the file."""
    own = str(place.path.resolve().parent)
    later = project_folders(place.path)
    is_in_package = (place.path.resolve().parent / "__init__.py").exists()
    first = [str(place.root)] if is_in_package else [str(place.root), own]
    sys.path[:] = path_with(first, later)
    make_room_for([*first, *later])
    sys.meta_path[:] = [*(finder for finder in sys.meta_path if not isinstance(finder, FolderSearch)), FolderSearch(place.path)]


def _import_package(name: str, folder: Path) -> None:
    """Import a package of a file; a folder without ``__init__.py`` is one of these folders alone, whatever else has its name."""
    known = sys.modules.get(name)
    if known is not None and folder not in [Path(entry).resolve() for entry in getattr(known, "__path__", ())]:
        forget_package(name.partition(".")[0])
        known = None
    if known is not None:
        return
    start = folder / "__init__.py"
    if start.exists() and name.rpartition(".")[2] == folder.name:
        importlib.import_module(name)  # as Python does before a module of it
        return
    spec = importlib.util.spec_from_file_location(name, start, submodule_search_locations=[str(folder)])
    if spec is None or spec.loader is None or not start.exists():
        spec = ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations = [str(folder)]
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    if spec.loader is not None and start.exists():
        spec.loader.exec_module(module)


def _is_from(module: ModuleType, path: Path) -> bool:
    file = getattr(module, "__file__", None)
    return isinstance(file, str) and Path(file).resolve() == path.resolve()


@contextlib.contextmanager
def _served(place: _Place, content: bytes | None) -> Iterator[None]:
    """Let imports of the file, such as those of its package, read a text that is not saved."""
    if content is None:
        yield
        return
    finder = _Unsaved(place, content)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


class _Unsaved(MetaPathFinder):
    """Finds one module, with another text than that of its file."""

    def __init__(self, place: _Place, content: bytes) -> None:
        self._place = place
        self._content = content

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """The module, where the other finders would find the file."""
        if fullname != self._place.name:
            return None
        found = PathFinder.find_spec(fullname, path, target)
        is_file = found is not None and found.origin is not None and Path(found.origin).resolve() == self._place.path.resolve()
        return _spec(self._place, self._content) if is_file else None
