"""Functions and classes that code of others replaces in the libraries that models are made of, as in `nn.Conv2d = Counting`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import cached_property, partial
from operator import is_
from types import CodeType, ModuleType
from typing import Any

from rfcheck.frames import is_users_file
from rfcheck.process_state import Part

_OF_TORCH = ("torch.nn", "torch.functional", "torch.cuda", "torch.jit", "torch.hub", "torch.random", "torch.utils.checkpoint")
"""What models use of torch besides the names in it; the rest of its modules are its own affair."""

_LIBRARIES = tuple(f"{name}." for name in (*_OF_TORCH, "torchvision", "timm"))


class _Tables:
    """The names of modules and classes, and what each stands for.

    Attributes:
        of: by module or class.
    """

    def __init__(self) -> None:
        self.of = [(owner, dict(vars(owner))) for owner in _owners()]

    def put_back(self) -> None:
        """Give names back that the user's code took; what a library does to itself while it is imported stays."""
        for owner, names in self.of:
            now = vars(owner)
            if len(now) == len(names) and all(map(is_, now.values(), names.values())):
                continue
            for name, value in names.items():
                if now.get(name, self) is not value and callable(value) and (name not in now or self._is_by_users(now[name])):
                    setattr(owner, name, value)
            for name in [name for name in now if name not in names]:
                if _is_written_by_users(now[name]):
                    delattr(owner, name)

    @cached_property
    def _known(self) -> set[int]:
        return {id(value) for _, names in self.of for value in names.values() if callable(value)}

    def _is_by_users(self, value: Any) -> bool:
        return id(value) in self._known or isinstance(value, partial) or _is_written_by_users(value)


def _owners() -> Iterator[Any]:
    """Modules of the libraries, and the classes that are defined in them."""
    for name, module in list(sys.modules.items()):
        if isinstance(module, ModuleType) and (name == "torch" or f"{name}.".startswith(_LIBRARIES)):
            yield module
            yield from (value for value in list(vars(module).values()) if isinstance(value, type) and value.__module__ == name)
            if name == "torch":
                yield module.Tensor


def _is_written_by_users(value: Any) -> bool:
    """Whether a function, class or object of one was written in a file of the user's."""
    while isinstance(value, (partial, staticmethod, classmethod, property)):
        value = getattr(value, "fget" if isinstance(value, property) else "func" if isinstance(value, partial) else "__func__")
    code = getattr(value, "__code__", None)
    if isinstance(code, CodeType):
        return is_users_file(code.co_filename)
    module = sys.modules.get((value if isinstance(value, type) else type(value)).__module__)
    return module is None or is_users_file(getattr(module, "__file__", None) or "<built in>")


REPLACED = Part(_Tables, _Tables.put_back)
"""All of them, as they are where it is read."""
