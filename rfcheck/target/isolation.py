"""Imports that end with a block: what one version of a project imported is not there for the next."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

from rfcheck.frames import environment_folders
from rfcheck.target.registries import Registries

_BEGUN: list[tuple[dict[str, ModuleType], Registries]] = []
"""The modules that were there when each block of `own_imports` began, the innermost last, and what registries held then."""


@contextlib.contextmanager
def own_imports() -> Iterator[None]:
    """Forget on leaving what was imported inside from anywhere but the environment, and let imports look where they looked before.

    Modules of packages that were in use before stay, as do installed packages: many of them cannot be imported twice. What was
    there before comes back where it was replaced or forgotten.
    """
    modules, path, finders = dict(sys.modules), list(sys.path), list(sys.meta_path)
    begun = modules, Registries()
    _BEGUN.append(begun)
    try:
        yield
    finally:
        _BEGUN.remove(begun)
        sys.path[:] = path
        sys.meta_path[:] = finders
        _forget_but(*begun)
        sys.modules.update({name: module for name, module in modules.items() if name not in sys.modules})


def forget_imports() -> None:
    """Forget what was imported since the innermost block of `own_imports` began, as on leaving it; outside of one, nothing."""
    if _BEGUN:
        _forget_but(*_BEGUN[-1])


def came_through_imports(error: BaseException) -> bool:
    """Whether an error went through code that was imported since the innermost block of `own_imports` began, and ends with it."""
    if not _BEGUN:
        return False
    names = (frame.f_globals.get("__name__") for frame, _ in traceback.walk_tb(error.__traceback__))
    new = {name for name in names if isinstance(name, str) and name not in _BEGUN[-1][0] and _package(name) != "rfcheck"}
    modules = {name: sys.modules.get(name) for name in new}
    return any(module is None or _is_of_a_project(module) for module in modules.values())


def _forget_but(modules: Mapping[str, ModuleType], registries: Registries) -> None:
    packages = {_package(name) for name in modules}
    new = {name: module for name, module in sys.modules.items() if modules.get(name) is not module}
    own = {name: module for name, module in new.items() if _is_of_a_project(module)}
    registries.release({name: module for name, module in own.items() if name in modules or _package(name) not in packages})
    for name in own:
        if name in modules:
            sys.modules[name] = modules[name]
        elif _package(name) not in packages:
            del sys.modules[name]
    importlib.invalidate_caches()


def make_room_for(folders: Sequence[str]) -> None:
    """Forget modules of other projects in whose place imports find others in these folders.

    Args:
        folders: that imports look into before all others, apart from the standard library.
    """
    tops = {name: module for name, module in list(sys.modules.items()) if "." not in name and name not in ("rfcheck", "__main__")}
    for name, module in tops.items():
        place = _place_of(module)
        if place is None or not _is_of_a_project(module):
            continue
        spec = PathFinder.find_spec(name, folders)
        found = None if spec is None else next(iter(spec.submodule_search_locations or ()), spec.origin)
        if found is not None and os.path.realpath(found) != os.path.realpath(place):
            forget_package(name)


def forget_package(name: str) -> None:
    """Forget a top-level module with all that is in it."""
    for known in [known for known in sys.modules if _package(known) == name]:
        del sys.modules[known]


@contextlib.contextmanager
def imports_from(copy: Path, *, instead_of: Path) -> Iterator[None]:
    """`own_imports`, where modules of a project come from a copy of its folder.

    Entries of ``sys.path`` inside the project lead to their counterparts in the copy, and what is found in the project by other
    means (an editable installation) is taken from the copy where the copy has it.

    Args:
        copy: folder to import from; resolved.
        instead_of: folder of the project; resolved.
    """
    finder = _Redirection(copy, instead_of)
    with own_imports():
        sys.path[:] = [finder.moved(entry, needs_folder=True) for entry in sys.path]
        sys.meta_path.insert(0, finder)
        try:
            yield
        finally:
            sys.meta_path.remove(finder)
            for entry in [entry for entry in sys.path_importer_cache if Path(entry).is_relative_to(copy)]:
                del sys.path_importer_cache[entry]


class _Redirection(MetaPathFinder):
    """Finds modules as the other finders do, and moves those of a project to a copy of it."""

    def __init__(self, copy: Path, project: Path) -> None:
        self._copy = copy
        self._project = project
        self._in_use = {_package(name) for name in sys.modules}

    def moved(self, entry: str, *, needs_folder: bool = False) -> str:
        """The counterpart of a path in the copy; the path itself if it is outside the project or has none."""
        resolved = Path(entry).resolve()
        if not resolved.is_relative_to(self._project):
            return entry
        counterpart = self._copy / resolved.relative_to(self._project)
        return str(counterpart) if (counterpart.is_dir() if needs_folder else counterpart.exists()) else entry

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """The module that the other finders find, from the copy where that has it."""
        if _package(fullname) in self._in_use:
            return None
        for finder in sys.meta_path:
            spec = None if finder is self else finder.find_spec(fullname, path, target)
            if spec is not None:
                return self._redirected(spec)
        return None

    def _redirected(self, spec: ModuleSpec) -> ModuleSpec:
        folders = None if spec.submodule_search_locations is None else list(spec.submodule_search_locations)
        moved_folders = None if folders is None else [self.moved(folder) for folder in folders]
        if spec.origin is not None and spec.has_location:
            file = self.moved(spec.origin)
            if file == spec.origin:
                return spec
            return importlib.util.spec_from_file_location(spec.name, file, submodule_search_locations=moved_folders) or spec
        if moved_folders != folders:  # a folder without __init__.py
            spec = ModuleSpec(spec.name, None, is_package=True)
            spec.submodule_search_locations = moved_folders
        return spec


def _package(name: str) -> str:
    return name.partition(".")[0]


def _is_of_a_project(module: object) -> bool:
    """Whether a module was read from a file outside the environment."""
    place = _place_of(module)
    if place is None:
        return False
    real = os.path.realpath(place)
    return not real.startswith(environment_folders()) and not {"site-packages", "dist-packages"} & set(Path(real).parts)


def _place_of(module: object) -> str | None:
    """The folder of a package, or the file of a module; None for one that was read from neither."""
    if not isinstance(module, ModuleType):
        return None
    places = [*list(vars(module).get("__path__") or ())[:1], vars(module).get("__file__")]
    return next((place for place in places if isinstance(place, str)), None)
