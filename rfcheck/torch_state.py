"""Torch's switches: each can be read, and written as it was."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

import torch
from torch.utils import _device, _python_dispatch

from rfcheck.process_state import Part

_C: Any = torch._C
_overrides: Any = torch.overrides
_modules: Any = torch.nn.modules.module
_cuda: Any = torch.cuda
_printing: Any = torch._tensor_str
_DEVICE_OF_THREAD: Any = torch._GLOBAL_DEVICE_CONTEXT

_UNSET = object()


def _switch(getter: str, setter: str) -> Part | None:
    """A pair of functions of torch's, or of the part of it that is written in C; None where this version has no such pair."""
    read, write = (getattr(torch, name, getattr(_C, name, None)) for name in (getter, setter))
    return None if read is None or write is None else Part(read, write)


def _autocast(device: str) -> Part:
    def write(before: tuple[bool, torch.dtype]) -> None:
        torch.set_autocast_enabled(device, before[0])
        torch.set_autocast_dtype(device, before[1])

    return Part(lambda: (torch.is_autocast_enabled(device), torch.get_autocast_dtype(device)), write)


def _set_deterministic(before: tuple[bool, bool]) -> None:
    torch.use_deterministic_algorithms(before[0], warn_only=before[1])


def _default_device() -> tuple[Any, ...]:
    """Modes that see calls of torch's functions, as a default device is one, and where torch notes the device besides."""
    return (vars(_DEVICE_OF_THREAD).get("device_context", _UNSET), _device.CURRENT_DEVICE, *_function_modes())


def _function_modes() -> list[Any]:
    return [_C._get_function_stack_at(position) for position in range(_C._len_torch_function_stack())]


def _set_default_device(before: tuple[Any, ...]) -> None:
    held = _function_modes()  # torch 2.6 returns an object that it has freed, where nobody else holds the mode
    while _C._len_torch_function_stack():
        _overrides._pop_mode()
    del held
    for mode in before[2:]:
        _overrides._push_mode(mode)
    _device.CURRENT_DEVICE = before[1]
    if before[0] is not _UNSET:
        _DEVICE_OF_THREAD.device_context = before[0]
    elif hasattr(_DEVICE_OF_THREAD, "device_context"):
        del _DEVICE_OF_THREAD.device_context


_KEYS = tuple(getattr(_C._TorchDispatchModeKey, name) for name in ("FUNCTIONAL", "PROXY", "FAKE"))
_FLAGS = tuple(name for name in vars(_python_dispatch) if name.startswith("_is_in_"))


def _dispatch_modes() -> tuple[Any, ...]:
    """Modes that see operators: those that exist once, and how many others there are; and what torch notes about them."""
    flags = [getattr(_python_dispatch, name) for name in _FLAGS]
    return (_C._len_torch_dispatch_stack(), _C._only_lift_cpu_tensors(), *map(_C._get_dispatch_mode, _KEYS), *flags)


def _set_dispatch_modes(before: tuple[Any, ...]) -> None:
    for key, mode in zip(_KEYS, before[2:], strict=False):
        held = _C._get_dispatch_mode(key)
        if held is not mode:
            _C._unset_dispatch_mode(key)
            if mode is not None:
                _C._set_dispatch_mode(mode)
    while (count := _C._len_torch_dispatch_stack()) > before[0]:
        held = _C._get_dispatch_stack_at(count - 1)
        _C._pop_torch_dispatch_stack(None)
    del held
    _C._set_only_lift_cpu_tensors(before[1])
    for name, value in zip(_FLAGS, before[2 + len(_KEYS) :], strict=True):
        setattr(_python_dispatch, name, value)
    note = getattr(_python_dispatch, "set_is_in_mode_without_ignore_compile_internals", None)
    if note is not None:
        note(before[-1])  # the last flag, which torch keeps twice


_GLOBAL_HOOKS = tuple(name for name, hooks in vars(_modules).items() if name.startswith("_global_") and isinstance(hooks, dict))


def _hooks_of_all_modules() -> dict[Any, Any]:
    return {(name, key): hook for name in _GLOBAL_HOOKS for key, hook in getattr(_modules, name).items()}


def _set_hooks_of_all_modules(before: dict[Any, Any]) -> None:
    for name in _GLOBAL_HOOKS:
        hooks = getattr(_modules, name)
        hooks.update({key: hook for (owner, key), hook in before.items() if owner == name})
        for key in [key for key in hooks if (name, key) not in before]:
            del hooks[key]


_CUDA_FUNCTIONS = [value for value in (*vars(_cuda).values(), *vars(_cuda.device).values()) if isinstance(value, FunctionType)]
_CUDA_TYPES = tuple(name for name in vars(_cuda) if name.endswith("Tensor"))


def _cuda_stand_ins() -> tuple[Any, ...]:
    """What torch.cuda runs and offers, which other code answers where there is no accelerator."""
    return (*(function.__code__ for function in _CUDA_FUNCTIONS), *(getattr(_cuda, name) for name in _CUDA_TYPES))


def _set_cuda_stand_ins(before: tuple[Any, ...]) -> None:
    for function, code in zip(_CUDA_FUNCTIONS, before, strict=False):
        function.__code__ = code
    for name, value in zip(_CUDA_TYPES, before[len(_CUDA_FUNCTIONS) :], strict=True):
        setattr(_cuda, name, value)


def _random_states() -> list[Any]:
    return [torch.get_rng_state(), *(_cuda.get_rng_state_all() if _cuda.is_initialized() else ())]


def _set_random_states(before: list[Any]) -> None:
    torch.set_rng_state(before[0])
    if before[1:]:
        _cuda.set_rng_state_all(before[1:])


_SWITCHES = (
    ("get_default_dtype", "set_default_dtype"),
    ("get_num_threads", "set_num_threads"),
    ("is_grad_enabled", "_set_grad_enabled"),
    ("is_autocast_cache_enabled", "set_autocast_cache_enabled"),
    ("get_float32_matmul_precision", "set_float32_matmul_precision"),
    ("_get_cudnn_enabled", "_set_cudnn_enabled"),
    ("_get_cudnn_benchmark", "_set_cudnn_benchmark"),
    ("_get_cudnn_deterministic", "_set_cudnn_deterministic"),
    ("_get_mkldnn_enabled", "_set_mkldnn_enabled"),
    ("_get_nnpack_enabled", "_set_nnpack_enabled"),
    ("_get_flash_sdp_enabled", "_set_sdp_use_flash"),
    ("_get_math_sdp_enabled", "_set_sdp_use_math"),
    ("_get_mem_efficient_sdp_enabled", "_set_sdp_use_mem_efficient"),
    ("_get_cudnn_sdp_enabled", "_set_sdp_use_cudnn"),
    ("_get_deterministic_fill_uninitialized_memory", "_set_deterministic_fill_uninitialized_memory"),
)
_fast_path: Callable[[], bool] = torch.backends.mha.get_fastpath_enabled

PARTS: tuple[Part, ...] = (
    Part(_dispatch_modes, _set_dispatch_modes),  # first, so that what follows is seen by no mode that was left on
    Part(_default_device, _set_default_device),
    *(part for getter, setter in _SWITCHES if (part := _switch(getter, setter)) is not None),
    _autocast("cpu"),
    _autocast("cuda"),
    Part(
        lambda: (torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()),
        _set_deterministic,
    ),
    Part(
        lambda: (torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled()),
        lambda before: torch.set_anomaly_enabled(*before),
    ),
    Part(_fast_path, torch.backends.mha.set_fastpath_enabled),
    Part(vars(_printing.PRINT_OPTS).copy, vars(_printing.PRINT_OPTS).update),
    Part(_hooks_of_all_modules, _set_hooks_of_all_modules),
    Part(_cuda_stand_ins, _set_cuda_stand_ins),
    Part(_random_states, _set_random_states),
)
"""Every switch, in the order in which they are given back."""
