"""Which lines of the user's own code are being executed, and where they stand in their files."""

from __future__ import annotations

import contextlib
import importlib.util
import inspect
import linecache
import os
import re
import site
import sys
import sysconfig
from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import islice
from pathlib import Path
from types import CodeType, FrameType, FunctionType

from rfcheck.calling_folder import calling_folder
from rfcheck.span import Span, shown_path

Frame = tuple[str, CodeType, int]
"""A frame that has ended or goes on: the name of its file (code of two files may be equal), its code, and the offset of the
instruction that it had come to."""

_OWN = os.path.dirname(os.path.abspath(__file__)) + os.sep  # noqa: PTH100, PTH120 - as in the names of code objects
_BETWEEN = frozenset({os.path.join(_OWN, "target", "devices.py")})  # noqa: PTH118
"""Own files through which the user's calls of torch go."""

_PASSED, _USERS, _RFCHECKS = range(3)


class _Kinds(dict[str, int]):
    """Whose code a file holds, by the name that code objects have for it."""

    def __missing__(self, name: str) -> int:
        users = is_users_file(name) and os.path.exists(name)  # noqa: PTH110 - generated code may have any name
        kind = _RFCHECKS if name.startswith(_OWN) and name not in _BETWEEN else _USERS if users else _PASSED
        self[name] = kind
        return kind


_KINDS = _Kinds()


def user_frames(frame: FrameType | None, constructed: type = object) -> tuple[Frame, ...]:
    """The frames of the user's code that led to a call, from the innermost outwards, as far as rfcheck called them.

    Args:
        frame: where the call is; frames of rfcheck's own before the first other one are passed over.
        constructed: class of which an object is being made there; the frames of its own constructors do not count.
    """
    kinds = _KINDS
    while frame is not None and kinds[frame.f_code.co_filename] == _RFCHECKS:
        frame = frame.f_back
    found: list[Frame] = []
    constructors: list[CodeType] | None = None
    while frame is not None:
        code = frame.f_code
        kind = kinds[code.co_filename]
        if kind == _USERS:
            if constructors is None:
                constructors = list(_constructors(constructed))
            if code in constructors:
                constructors.remove(code)  # a constructor that is met again made another object of the class
            else:
                constructors.clear()
                found.append((code.co_filename, code, frame.f_lasti))
        elif kind == _RFCHECKS and code.co_name != "__torch_function__":  # a mode stands between a function and who calls it
            break
        frame = frame.f_back
    return tuple(found)


@lru_cache(maxsize=4096)
def _constructors(cls: type) -> tuple[CodeType, ...]:
    """The user's code that runs around a construction: constructors of a class and its bases, their decorators, its metaclass."""
    functions = [vars(base).get("__init__") for base in cls.__mro__]
    functions += [vars(meta).get("__call__") for meta in inspect.getmro(type(cls))]
    return tuple(code for function in functions for code in _codes(function) if _KINDS[code.co_filename] == _USERS)


def _codes(value: object) -> Iterator[CodeType]:
    """The code of a function or method, and of what its decorators wrap."""
    while isinstance(value, (FunctionType, staticmethod, classmethod)):
        if isinstance(value, FunctionType):
            yield value.__code__
        value = getattr(value, "__wrapped__", None)


def is_users_file(path: str) -> bool:
    """Whether a file is neither part of the environment (Python, installed packages) nor of rfcheck."""
    if path.startswith("<") or not path.endswith(".py"):
        return False
    if f"{_resolved_folder(os.path.dirname(path))}{os.sep}".startswith(environment_folders()):  # noqa: PTH120
        return False  # most files, for which links need not be followed one by one
    real = resolved(path)
    if real.startswith((resolved(_OWN), *environment_folders())):
        return False
    return not {"site-packages", "dist-packages"} & set(Path(real).parts)


def resolved(path: str) -> str:
    """Where the links in a path lead; what was found out of a folder counts for all files in it."""
    folder, name = os.path.split(os.path.abspath(path) if not os.path.isabs(path) else path)  # noqa: PTH100, PTH117
    path = os.path.join(_resolved_folder(folder), name)  # noqa: PTH118
    return os.path.realpath(path) if os.path.islink(path) else path  # noqa: PTH114


@lru_cache(maxsize=4096)
def _resolved_folder(folder: str) -> str:
    return os.path.realpath(folder)


@cache
def environment_folders() -> tuple[str, ...]:
    """Folders of the standard library and of installed packages, torch included; each ends with a separator."""
    folders = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    folders += [*site.getsitepackages(), site.getusersitepackages()]
    for name in ("torch", "torchvision", "timm"):  # they may be installed in place, from a checkout
        with contextlib.suppress(ValueError):  # a stand-in that somebody put into sys.modules
            found = importlib.util.find_spec(name)
            folders += found.submodule_search_locations or () if found is not None else ()
    return tuple({f"{os.path.realpath(folder)}{os.sep}" for folder in folders})


def chain_of(frames: tuple[Frame, ...]) -> tuple[Span, ...]:
    """Where frames stand in their files; several on one line count once."""
    return _chain(frames, calling_folder()) if frames else ()


@lru_cache(maxsize=4096)
def _chain(frames: tuple[Frame, ...], here: str) -> tuple[Span, ...]:
    chain: list[Span] = []
    for frame in frames:
        span = _span(*frame, here)
        if not chain or chain[-1][:2] != span[:2]:
            chain.append(span)
    return tuple(chain)


@lru_cache(maxsize=4096)
def _span(file: str, code: CodeType, instruction: int, here: str) -> Span:  # noqa: ARG001 - paths are shown from there
    path = shown_path(file)
    line, end_line, column, end_column = next(islice(code.co_positions(), instruction // 2, None), (None,) * 4)
    if line is not None and end_line is not None and column is not None and end_column is not None:
        linecache.checkcache(file)
        return Span(path, line, _character(file, line, column), end_line, _character(file, end_line, end_column))
    return Span(path, code.co_firstlineno if line is None else line)


def _character(file: str, line: int, offset: int) -> int:
    """The column, from 1, of a byte offset in a line."""
    text = linecache.getline(file, line)
    return offset + 1 if text.isascii() else len(text.encode("utf-8")[:offset].decode("utf-8", "ignore")) + 1


def class_chain(cls: type) -> tuple[Span, ...]:
    """The definition of a class of the user's own, as a chain of one; empty for other classes."""
    definition = _definition(cls)
    return () if definition is None else _line(*definition, calling_folder())


@lru_cache(maxsize=4096)
def _line(file: str, line: int, here: str) -> tuple[Span, ...]:  # noqa: ARG001 - paths are shown from there
    return (Span(shown_path(file), line),)


@lru_cache(maxsize=4096)
def _definition(cls: type) -> tuple[str, int] | None:
    """File and line of a class; None where no file of the user's holds it."""
    codes = [code for value in vars(cls).values() for code in _codes(value)]
    files = [getattr(sys.modules.get(cls.__module__), "__file__", None), *(code.co_filename for code in codes)]
    path = next((file for file in files if isinstance(file, str) and is_users_file(file)), None)
    if path is None:
        return None
    first = min((code.co_firstlineno for code in codes if code.co_filename == path), default=sys.maxsize)
    linecache.checkcache(path)
    starts = re.compile(rf"\s*class\s+{re.escape(cls.__name__)}\s*[(:\[]")
    lines = [number for number, text in enumerate(linecache.getlines(path), start=1) if starts.match(text)]
    line = max((number for number in lines if number <= first), default=None)
    return None if line is None else (path, line)
