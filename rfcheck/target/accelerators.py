"""What torch answers about accelerators where there is none: nothing is computed, so that any answer will do."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from types import FunctionType, ModuleType
from typing import Any

import torch

_MODULES = ("cuda", "xpu", "mps", "mtia", "accelerator")

_TRUE_ANSWERS = ("is_", "device_count", "classproperty", "make_graphed", "get_arch", "get_gencode", "can_")
"""How names begin of functions that say that there is no accelerator, or have nothing to do with one."""

_NUMBERS = (
    "clock_rate", "current_allocated", "current_device", "device_memory", "driver_allocated", "get_per_process", "get_sync_debug",
    "initial_seed", "max_memory", "memory_allocated", "memory_cached", "memory_reserved", "memory_usage", "power_draw",
    "recommended_max", "temperature", "utilization",
)  # fmt: skip
"""How names begin of functions whose answer is a number."""


class Something(float):
    """Stands for a stream, an event, the properties of a device, and for whatever is taken from them or calculated with them."""

    def __getattr__(self, name: str) -> Something:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *_args: object, **_settings: object) -> Something:
        """Whatever a method of it would give."""
        return self

    def __enter__(self) -> Something:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __index__(self) -> int:
        return int(self)

    def __contains__(self, _: object) -> bool:
        return False


_INHERITED = object()


@contextlib.contextmanager
def no_default_device() -> Iterator[None]:
    """Ignore that code asks for a default device, which would take the place of the one where everything is."""
    with _running_instead([(torch.set_default_device, _nothing)]):
        yield


@contextlib.contextmanager
def answering() -> Iterator[None]:
    """Let what torch has for devices, streams, random states and types of tensors of accelerators work on a CPU.

    Functions keep their identity and only run other code: whoever has imported them, and whatever lists them, notices nothing.
    """
    changes = [
        (torch.cuda, name, getattr(torch, name)) for name in vars(torch.cuda) if name.endswith("Tensor") and hasattr(torch, name)
    ]
    changes += [*_OF_CLASSES, (torch, "Generator", _Generator)]
    before = [(owner, name, vars(owner).get(name, _INHERITED)) for owner, name, _ in changes]
    with _running_instead(_ANSWERS):
        try:
            for owner, name, value in changes:
                setattr(owner, name, value)
            yield
        finally:
            for owner, name, value in before:
                if value is _INHERITED:
                    delattr(owner, name)
                else:
                    setattr(owner, name, value)


@contextlib.contextmanager
def _running_instead(answers: list[tuple[Any, Any]]) -> Iterator[None]:
    codes = [(function, function.__code__) for function, _ in answers]
    try:
        for function, answer in answers:
            function.__code__ = answer.__code__
        yield
    finally:
        for function, code in codes:
            function.__code__ = code


class _OfGenerators(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, _generator)


_generator = torch.Generator


class _Generator(metaclass=_OfGenerators):
    """Makes generators, which are all of the CPU."""

    def __new__(cls, device: Any = "cpu") -> Any:
        return _generator(device="meta" if str(device) == "meta" else "cpu")


def _nothing(*_args: object, **_kwargs: object) -> None:
    pass


def _zero(*_args: object, **_kwargs: object) -> int:
    return 0


def _text(*_args: object, **_kwargs: object) -> str:
    return ""


def _two_numbers(*_args: object, **_kwargs: object) -> tuple[int, int]:
    return (0, 0)


def _table(*_args: object, **_kwargs: object) -> dict[str, Any]:
    return {}


def _list(*_args: object, **_kwargs: object) -> list[Any]:
    return []


def _state(*_args: object, **_kwargs: object) -> Any:
    import torch

    return torch.get_rng_state()


def _something(*_args: object, **_kwargs: object) -> Any:
    from rfcheck.target.accelerators import Something

    return Something(1)


def _answer(name: str) -> Callable[..., Any]:
    """What runs in place of a function of this name; those that only do something do nothing."""
    known = {
        "get_device_capability": _two_numbers,
        "mem_get_info": _two_numbers,
        "get_memory_info": _two_numbers,
        "get_device_name": _text,
        "memory_summary": _text,
        "list_gpu_processes": _text,
        "memory_snapshot": _list,
        "get_rng_state": _state,
        "get_rng_state_all": _list,
        "memory_stats": _table,
        "get_device_properties": _something,
        "range_start": _zero,
    }
    if name in known:
        return known[name]
    if "stream" in name and not name.startswith("set_"):
        return _something
    return _zero if name.startswith(_NUMBERS) else _nothing


def _functions(module: ModuleType) -> Iterator[tuple[FunctionType, FunctionType]]:
    for name, function in vars(module).items():
        if isinstance(function, FunctionType) and function.__module__.startswith("torch."):
            is_public = not name.startswith("_") and not name.startswith(_TRUE_ANSWERS)
            answer = _answer(name)
            if is_public and not function.__code__.co_freevars and isinstance(answer, FunctionType):
                yield function, answer


_ANSWERS = [
    pair
    for module in (*(getattr(torch, name) for name in _MODULES if hasattr(torch, name)), torch.cuda.nvtx)
    for pair in _functions(module)
]
"""Functions that fail where there is no accelerator, and what runs in place of each."""

_OF_CLASSES: list[tuple[Any, str, Any]] = [
    *(
        (kind, "__new__", _something)
        for kind in (torch.cuda.Stream, torch.cuda.ExternalStream, torch.cuda.Event, torch.cuda.CUDAGraph)
    ),
    *((kind, name, _nothing) for kind in (torch.cuda.device, torch.cuda.graph) for name in ("__enter__", "__exit__")),
    (torch.cuda.graph, "__init__", _nothing),
    (torch.Tensor, "record_stream", _nothing),
]
"""Methods of classes that fail there, and what stands in their place."""
