"""What modules, and the objects among their attributes, hold; put back in place, so that nothing is ever missing meanwhile."""

from __future__ import annotations

import enum
import random
import sys
import types
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from operator import is_
from typing import Any

import torch
from torch import nn

_MODULE_TABLES = frozenset({"_parameters", "_buffers", "_modules"})
_NOT_FOLLOWED = (type, enum.Enum, types.ModuleType, types.FunctionType, types.MethodType, types.CodeType, torch.Tensor)
_PLAIN_STANDARD = frozenset({"argparse", "collections", "types", "dataclasses"})
"""Modules of the standard library whose objects hold what is put into them; those of others (locks, loggers) work by themselves."""
_LIMIT = 50_000
"""How many objects are followed, nearest first, and how many members of one: a module may lead to a trainer and all its data."""
_TABLES = (dict, OrderedDict)
_Save = Callable[[Any], Callable[[], object]]


class Contents:
    """The state of modules as it is when this is made; `put_back` restores it, as often as it is called.

    Held are attributes of modules and of the objects, containers and arrays that they reach, also through each other; random number
    generators among them; and attributes of the modules' classes. Not held are variables of functions and files, what compiled
    code hides (iterators, open files), and objects of the standard library and of torch.

    Args:
        modules: all modules of a model.
    """

    def __init__(self, modules: Iterable[nn.Module]) -> None:
        self._tables: list[tuple[dict[Any, Any], dict[Any, Any]]] = []
        self._empty: list[Any] = []  # most tables of a module are, and need no more
        self._undo: list[Callable[[], object]] = []
        self._seen: dict[int, Any] = {}
        waiting: deque[Any] = deque()
        classes: dict[type, None] = {}
        for module in modules:
            self._save_attributes(module, waiting, but=_MODULE_TABLES)
            classes[type(module)] = None
        for cls in classes:
            for owner in _own_classes(cls):
                self._save_class(owner, waiting)
        while waiting and len(self._seen) < _LIMIT:
            self._save(waiting.popleft(), waiting)

    def put_back(self) -> None:
        """Put everything back that has changed."""
        for table, before in self._tables:
            _restore_table(table, before)
        for container in self._empty:
            if container:
                container.clear()
        for undo in self._undo:
            undo()

    def _save_attributes(self, owner: Any, waiting: deque[Any], but: frozenset[str] = frozenset()) -> None:
        """Save the attributes of a module or an object; what they hold waits, but for tables of tensors and modules."""
        self._seen[id(owner)] = owner
        slots = _slots(type(owner))
        for slot in slots:
            self._undo.append(_saved_slot(slot, owner))
            with suppress(AttributeError):
                waiting.append(slot.__get__(owner))
        try:
            table = object.__getattribute__(owner, "__dict__")
        except (AttributeError, TypeError):
            return
        if type(table) is not dict:
            return
        self._tables.append((table, table.copy()))
        kinds, empty = _KINDS, self._empty
        for name, value in table.items():
            if kinds[type(value)] is None:
                continue
            if type(value) in _TABLES and not value:
                empty.append(value)
            elif name in but:
                self._tables.append((value, value.copy()))
            else:
                waiting.append(value)

    def _save_class(self, cls: type, waiting: deque[Any]) -> None:
        if id(cls) not in self._seen:
            self._seen[id(cls)] = cls
            before = {name: value for name, value in vars(cls).items() if not name.startswith("__")}
            self._undo.append(lambda: _restore_class(cls, before))
            waiting.extend(value for value in before.values() if _KINDS[type(value)] is not None)

    def _save(self, value: Any, waiting: deque[Any]) -> None:
        save = _KINDS[type(value)]
        if save is None or id(value) in self._seen:
            return
        self._seen[id(value)] = value
        if save is not _saved_nothing:
            self._undo.append(save(value))
        if isinstance(value, (dict, list, tuple, set, deque)):
            held = value.values() if isinstance(value, dict) else value
            if len(value) < _LIMIT:
                waiting.extend(one for one in held if _KINDS[type(one)] is not None)
        if type(value).__dictoffset__ or _slots(type(value)):
            self._save_attributes(value, waiting)


class _Kinds(dict[type, "_Save | None"]):
    """How the content of a value is saved, by its type; None where it holds nothing that is followed."""

    def __missing__(self, cls: type) -> _Save | None:
        self[cls] = how = _way_to_save(cls)
        return how


def _way_to_save(cls: type) -> _Save | None:
    root = (cls.__module__ or "").partition(".")[0]
    for base, save in _CONTAINERS.items():
        if issubclass(cls, base):
            return save
    if issubclass(cls, tuple):
        return _saved_nothing
    if root == "numpy":
        return {"ndarray": _saved_array, "RandomState": _saved_numpy_state, "Generator": _saved_generator}.get(cls.__name__)
    if issubclass(cls, random.Random):
        return lambda value: _writing(value.setstate, value.getstate())
    if cls is torch.Generator:
        return lambda value: _writing(value.set_state, value.get_state())
    if issubclass(cls, nn.Module):
        return _saved_nothing  # one that is in no table of a module's
    standard = root in sys.stdlib_module_names and root not in _PLAIN_STANDARD and root != "__main__"
    if issubclass(cls, _NOT_FOLLOWED) or standard or root in ("torch", "numpy", "builtins"):
        return None
    return _saved_nothing if cls.__dictoffset__ or _slots(cls) else None


def _writing(write: Callable[[Any], object], before: Any) -> Callable[[], object]:
    return lambda: write(before)


def _saved_nothing(value: Any) -> Callable[[], object]:
    """Of a value that cannot change itself, but leads to others that can."""
    return lambda: value


def _saved_table(table: dict[Any, Any]) -> Callable[[], object]:
    before = dict(table) if table else {}
    return lambda: _restore_table(table, before)


def _restore_table(table: dict[Any, Any], before: dict[Any, Any]) -> None:
    """Values first, then what is new goes, then the order: a name that was there is never missing for longer than it moves."""
    kind: Any = OrderedDict if isinstance(table, OrderedDict) else dict
    if len(table) == len(before) and all(map(is_, table, before)):
        if not all(map(is_, table.values(), before.values())):
            kind.update(table, before)
        return
    kind.update(table, before)
    for key in [key for key in table if key not in before]:
        kind.__delitem__(table, key)
    if not all(map(is_, list(table), before)):
        for key, value in before.items():
            kind.__delitem__(table, key)
            kind.__setitem__(table, key, value)


def _saved_list(values: Any) -> Callable[[], object]:
    kind: Any = list if isinstance(values, list) else bytearray
    before = kind(values)

    def restore() -> None:
        if len(values) != len(before) or not all(map(is_, values, before)):
            kind.__setitem__(values, slice(None), before)

    return restore


def _saved_deque(values: deque[Any]) -> Callable[[], object]:
    before = list(values)

    def restore() -> None:
        if len(values) != len(before) or not all(map(is_, values, before)):
            deque.clear(values)
            deque.extend(values, before)

    return restore


def _saved_set(values: set[Any]) -> Callable[[], object]:
    before = set(values)

    def restore() -> None:
        set.update(values, before)
        set.intersection_update(values, before)

    return restore


def _saved_array(array: Any) -> Callable[[], object]:
    if not array.flags.writeable:
        return lambda: None
    before = array.copy()

    def restore() -> None:
        array[...] = before

    return restore


def _saved_numpy_state(generator: Any) -> Callable[[], object]:
    return _writing(generator.set_state, generator.get_state())


def _saved_generator(generator: Any) -> Callable[[], object]:
    bits = generator.bit_generator
    return _writing(lambda before: setattr(bits, "state", before), bits.state)


def _saved_slot(slot: Any, owner: Any) -> Callable[[], object]:
    try:
        before = slot.__get__(owner)
    except AttributeError:

        def empty() -> None:
            with suppress(AttributeError):
                slot.__delete__(owner)

        return empty
    return lambda: slot.__set__(owner, before)


def _restore_class(cls: type, before: dict[str, Any]) -> None:
    now = vars(cls)
    for name, value in before.items():
        if now.get(name, before) is not value:
            type.__setattr__(cls, name, value)
    for name in [name for name in now if name not in before and not name.startswith("__")]:
        type.__delattr__(cls, name)


_SLOTS: dict[type, tuple[Any, ...]] = {}


def _slots(cls: type) -> tuple[Any, ...]:
    """Attributes of the objects of a class that are in no table, but those that Python itself has."""
    found = _SLOTS.get(cls)
    if found is None:
        found = _SLOTS[cls] = tuple(
            value
            for owner in cls.__mro__
            if "__slots__" in vars(owner)
            for value in vars(owner).values()
            if isinstance(value, types.MemberDescriptorType)
        )
    return found


def _own_classes(cls: type) -> Iterator[type]:
    """A class and its bases, as far as neither Python nor torch defines them."""
    for owner in cls.__mro__:
        root = owner.__module__.partition(".")[0]
        if root != "torch" and root not in sys.stdlib_module_names - {"__main__"}:
            yield owner


_CONTAINERS: dict[type, _Save] = {
    dict: _saved_table,
    list: _saved_list,
    bytearray: _saved_list,
    set: _saved_set,
    deque: _saved_deque,
}
_KINDS = _Kinds()
