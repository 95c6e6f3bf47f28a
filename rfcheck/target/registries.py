"""What a project registers with installed packages, whose registries take no name twice: taken out with the project's modules."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import FunctionType, ModuleType
from typing import Any

_PASSED_OVER = frozenset({"rfcheck", "torch", "numpy", "scipy", "pandas", "sympy", "networkx"})
"""Packages with many modules, whose own registries hold no models."""


class Registries:
    """Dicts, lists and sets of installed packages: names of modules, and attributes of objects and classes there.

    What is replaced in one comes back where its module is called a registry and was there when this was made.
    """

    def __init__(self) -> None:
        self._packages = {_package(name) for name in sys.modules}
        self._before = {id(one): (one, dict(one)) for one in _containers(_is_called_registry) if isinstance(one, dict)}

    def release(self, forgotten: Mapping[str, ModuleType]) -> None:
        """Let the packages that modules use hold none of their classes and functions any more.

        Operators that the modules have defined in libraries of torch's are undefined.

        Args:
            forgotten: modules of a project, by name.
        """
        used = {_package(name) for module in forgotten.values() for name in _homes(module)}
        used |= {_package(name) for name in sys.modules} - self._packages
        for module in forgotten.values():
            _undefine_operators(module)
        for container in _containers(lambda name: _package(name) in used) if forgotten else ():
            if isinstance(container, dict):
                self._release_from(container, forgotten)
            elif any(_is_of(value, forgotten) for value in container):
                kept = [value for value in container if not _is_of(value, forgotten)]
                container.clear()
                (container.update if isinstance(container, set) else container.extend)(kept)

    def _release_from(self, table: dict[Any, Any], forgotten: Mapping[str, ModuleType]) -> None:
        _, before = self._before.get(id(table), (None, {}))
        for key in [key for key, value in table.items() if _is_of(value, forgotten) or _is_of(key, forgotten)]:
            if key in before:
                table[key] = before[key]
            else:
                del table[key]


def _package(name: str) -> str:
    return name.partition(".")[0]


def _is_called_registry(name: str) -> bool:
    return "regist" in name.lower()


def _homes(module: ModuleType) -> Iterator[str]:
    """Modules that the names of a module come from."""
    for value in list(vars(module).values()):
        own = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
        yield from (name for name in (own, type(value).__module__) if isinstance(name, str))


def _undefine_operators(module: ModuleType) -> None:
    library: Any = sys.modules.get("torch.library")
    for value in [] if library is None else list(vars(module).values()):
        if isinstance(value, library.Library):
            value._destroy()


def _containers(wanted: Callable[[str], bool]) -> Iterator[Any]:
    for name, module in list(sys.modules.items()):
        package = _package(name)
        if package in _PASSED_OVER or package in sys.stdlib_module_names or not wanted(name) or type(module) is not ModuleType:
            continue
        for value in list(vars(module).values()):
            if isinstance(value, (dict, list, set)):
                yield value
            elif isinstance(value, type):
                yield from _held(vars(value).values() if value.__module__ == name else ())
            elif not isinstance(value, (FunctionType, ModuleType)):
                own = getattr(value, "__dict__", None)
                yield from _held(own.values() if type(own) is dict else ())


def _held(values: Iterable[Any]) -> Iterator[Any]:
    return (value for value in list(values) if isinstance(value, (dict, list, set)))


def _is_of(value: Any, forgotten: Mapping[str, ModuleType]) -> bool:
    return isinstance(value, (FunctionType, type)) and value.__module__ in forgotten
