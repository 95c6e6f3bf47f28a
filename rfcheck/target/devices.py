"""Where a model's code asks for an accelerator: nothing is computed, so everything stays on one device."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from rfcheck.target.accelerators import answering, no_default_device

_ACCELERATOR = re.compile(r"(?:cuda|mps|xpu|npu|hpu|ipu|mlu|musa|xla|hip|vulkan|mtia|privateuseone)(?::\d+)?$")
_MOVERS = frozenset(
    getattr(torch.Tensor, name)
    for name in ("cpu", "cuda", "xpu", "npu", "hpu", "ipu", "mlu", "musa")
    if hasattr(torch.Tensor, name)
)
_TYPE_NAME = re.compile(r"torch\.(?:\w+\.)?(?P<type>[A-Z]\w*Tensor)$")
_ABOUT_DEVICES = re.compile(
    r"device|cuda|nvidia|\bhip\b|\bmps\b|\bxpu\b|\bnpu\b|accelerator|invalid type|meta tensor", re.IGNORECASE
)


_OF_AN_ACCELERATOR = re.compile(r"\b(cuda|nvidia|gpu|mps|xpu|npu|accelerators?)\b|device (string|type)|Accelerator", re.IGNORECASE)


def device_remedy(error: BaseException) -> str:
    """What to do where code asks for an accelerator in a way that cannot be ignored, as the end of a sentence; else nothing."""
    if _OF_AN_ACCELERATOR.search(f"{type(error).__name__} {error}") is None:
        return ""
    return "; rfcheck needs no accelerator: leave the device out there, or take that of the input or a parameter"


def is_about_devices(error: BaseException) -> bool:
    """Whether an error may come from where tensors are, and not from what is done with them."""
    return _ABOUT_DEVICES.search(f"{type(error).__name__} {error}") is not None


class _OneDevice(TorchFunctionMode):
    """Answers requests for an accelerator with the device where everything is."""

    def __init__(self, home: torch.device | None) -> None:
        super().__init__()
        self._home = home

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Call a function of torch without what it says about accelerators."""
        given = dict(kwargs or {})
        if func in _MOVERS:
            return self._moved(args[0])
        if func is torch.Tensor.to:
            return self._to(args, given)
        if func is torch.Tensor.type and len(args) + len(given) > 1:
            return self._typed(args, given)
        if func is torch.Tensor.pin_memory:
            return args[0]
        if "device" in given and _is_accelerator(given["device"]):
            del given["device"]
            if self._home is not None:
                given["device"] = self._home
        return func(*args, **given)

    def _moved(self, tensor: torch.Tensor) -> torch.Tensor:
        return tensor if self._home is None or tensor.device == self._home else tensor.to(self._home)

    def _to(self, args: tuple[Any, ...], given: dict[str, Any]) -> Any:
        tensor, *wanted = args
        if not (any(map(_is_device, wanted[:1])) or _is_device(given.get("device"))):
            return tensor.to(*wanted, **given)
        given.pop("device", None)
        rest = wanted[1:] if any(map(_is_device, wanted[:1])) else wanted
        moved = self._moved(tensor)
        return moved.to(*rest, **given) if any(isinstance(v, torch.dtype) for v in (*rest, *given.values())) else moved

    def _typed(self, args: tuple[Any, ...], given: dict[str, Any]) -> Any:
        """A change of type by the name or the class of one, which also says a device."""
        wanted = args[1] if len(args) > 1 else given.get("dtype")
        name = f"{wanted.__module__}.{wanted.__name__}" if isinstance(wanted, type) else wanted
        found = _TYPE_NAME.match(name) if isinstance(name, str) else None
        kind = getattr(torch, found["type"], None) if found is not None else None
        if kind is None:
            return args[0].type(*args[1:], **given)
        return self._moved(args[0]).to(kind.dtype)


def _is_accelerator(value: object) -> bool:
    if isinstance(value, torch.device):
        return value.type not in ("cpu", "meta")
    if isinstance(value, str):
        return _ACCELERATOR.match(value) is not None
    return isinstance(value, int) and not isinstance(value, bool)


def _is_device(value: object) -> bool:
    """Whether a tensor that is sent there would leave the device where everything is."""
    return _is_accelerator(value) or (str(value) == "cpu" and isinstance(value, (str, torch.device)))


@contextlib.contextmanager
def on_one_device(home: torch.device | None = None) -> Iterator[None]:
    """Ignore that code asks for an accelerator; what it makes stays where it is, or goes where everything is.

    Nothing of torch is changed on leaving. Where there is no accelerator, torch's functions that ask about one answer meanwhile.

    Args:
        home: where tensors go; None for where they are.
    """
    with _OneDevice(home), no_default_device(), contextlib.nullcontext() if torch.cuda.is_available() else answering():
        yield
