"""No network while a model's code runs: weights are not read, and whatever else would connect is stopped."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import CodeType, FunctionType, ModuleType
from typing import Any

from torch import nn

_LOADERS = {
    "torch.hub": ("load_state_dict_from_url",),
    "timm.models._builder": ("load_pretrained", "load_custom_pretrained"),
}
"""Functions that fetch weights, by module; what they give, or do, is skipped."""

_OPERATORS = ("add", "sub", "mul", "truediv", "matmul", "radd", "rsub", "rmul", "rtruediv", "rmatmul", "neg", "pow", "call")


class NoWeights(dict[Any, Any]):
    """Stands for weights that were not read: an empty mapping, and whatever is taken from it or computed with it."""

    def __missing__(self, _: Any) -> NoWeights:
        return NoWeights()

    def __delitem__(self, key: Any) -> None:
        super().pop(key, None)

    def pop(self, *_: Any) -> NoWeights:
        """What a key stands for."""
        return NoWeights()

    def get(self, *_: Any) -> NoWeights:
        """What a key stands for."""
        return NoWeights()

    def copy(self) -> NoWeights:
        """Another one."""
        return NoWeights()

    def __getattr__(self, name: str) -> NoWeights:
        if name.startswith("__"):
            raise AttributeError(name)
        return NoWeights()

    @classmethod
    def __torch_function__(cls, *_: Any) -> NoWeights:
        return cls()


for _name in _OPERATORS:
    setattr(NoWeights, f"__{_name}__", lambda *_, **__: NoWeights())


class NetworkRefusedError(ConnectionError):
    """A connection that a model's code tried to open; names the host."""

    def __init__(self, host: str) -> None:
        super().__init__(f"rfcheck opens no network connection ({host})")
        self.host = host


class Refusals:
    """What was kept from a model's code.

    Attributes:
        hosts: to which it tried to connect.
        skipped_weights: whether it asked for weights.
    """

    def __init__(self) -> None:
        self.hosts: list[str] = []
        self.skipped_weights = False


_current: list[Refusals] = []


WITHOUT_WEIGHTS = "leave the weights out where the code asks for them, as with pretrained=False or weights=None"


def why_refused(refusals: Refusals) -> str:
    """What code does that is stopped, as a part of a sentence."""
    return f"opens a network connection to {refusals.hosts[0]}, and rfcheck never downloads"


@contextlib.contextmanager
def offline(refusals: Refusals) -> Iterator[None]:
    """Keep a model's code from the network; everything that is changed for that is given back on leaving.

    Args:
        refusals: takes note of what the code is kept from.
    """
    _current.append(refusals)
    try:
        with contextlib.ExitStack() as changes:
            if len(_current) == 1:
                changes.enter_context(_LoadersSkipped())
                changes.enter_context(_attribute(nn.Module, "load_state_dict", _loading(nn.Module.load_state_dict)))
                changes.enter_context(_attribute(socket, "getaddrinfo", _resolving(socket.getaddrinfo)))
                for name in ("connect", "connect_ex"):
                    changes.enter_context(_attribute(socket.socket, name, _connecting(getattr(socket.socket, name))))
            yield
    finally:
        _current.pop()
        for outer in _current:
            outer.hosts += refusals.hosts
            outer.skipped_weights |= refusals.skipped_weights


def weights_not_read() -> NoWeights:
    """Take note that weights were asked for, and stand for them."""
    if _current:
        _current[-1].skipped_weights = True
    return NoWeights()


def _stand_in(*_args: object, **_kwargs: object) -> object:
    """Run as the code of functions of other modules, and with what these see."""
    from rfcheck.target.offline import weights_not_read as skipped

    return skipped()


class _LoadersSkipped(MetaPathFinder):
    """Exchanges the code of functions that fetch weights, since others import them under names of their own.

    Modules that are imported meanwhile are changed once they have been run.
    """

    def __init__(self) -> None:
        self._codes: list[tuple[FunctionType, CodeType]] = []

    def __enter__(self) -> None:
        for module in _LOADERS:
            self._exchange(sys.modules.get(module))
        sys.meta_path.insert(0, self)

    def __exit__(self, *_: object) -> None:
        sys.meta_path.remove(self)
        for function, code in self._codes:
            function.__code__ = code

    def _exchange(self, module: ModuleType | None) -> None:
        for name in () if module is None else _LOADERS[module.__name__]:
            function = getattr(module, name, None)
            if isinstance(function, FunctionType) and function.__code__ is not _stand_in.__code__:
                self._codes.append((function, function.__code__))
                function.__code__ = _stand_in.__code__

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """The module that Python finds, changed once it has been run; None for all but a few."""
        spec = PathFinder.find_spec(fullname, path, target) if fullname in _LOADERS else None
        loader: Any = None if spec is None else spec.loader
        if loader is None:
            return None
        run = loader.exec_module

        def run_and_exchange(module: ModuleType) -> None:
            run(module)
            if self in sys.meta_path:
                self._exchange(module)

        loader.exec_module = run_and_exchange
        return spec


@contextlib.contextmanager
def _attribute(owner: Any, name: str, value: object) -> Iterator[None]:
    """An attribute for a while; one that is inherited is inherited again."""
    missing = object()
    before = vars(owner).get(name, missing)
    setattr(owner, name, value)
    try:
        yield
    finally:
        if before is missing:
            delattr(owner, name)
        else:
            setattr(owner, name, before)


def _loading(original: Callable[..., Any]) -> Callable[..., Any]:
    def load_state_dict(self: nn.Module, state_dict: Any, *args: Any, **kwargs: Any) -> Any:
        """Load weights, unless they were not read."""
        if isinstance(state_dict, NoWeights) or any(one.skipped_weights for one in _current):
            return nn.modules.module._IncompatibleKeys([], [])
        return original(self, state_dict, *args, **kwargs)

    return load_state_dict


def _connecting(original: Callable[..., Any]) -> Callable[..., Any]:
    def connect(self: socket.socket, address: Any) -> Any:
        if isinstance(address, tuple) and self.family in (socket.AF_INET, socket.AF_INET6):
            _refuse(address[0])
        return original(self, address)

    return connect


def _resolving(original: Callable[..., Any]) -> Callable[..., Any]:
    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        _refuse(host)
        return original(host, *args, **kwargs)

    return getaddrinfo


def _refuse(host: object) -> None:
    """Refuse a connection of a model's code, unless it stays on this machine."""
    name = host.decode(errors="replace") if isinstance(host, bytes) else str(host)
    if _current and host is not None and not _is_here(name):
        _current[-1].hosts.append(name)
        raise NetworkRefusedError(name)


def _is_here(host: str) -> bool:
    if host in ("", "localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
