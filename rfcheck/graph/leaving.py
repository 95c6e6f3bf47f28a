"""Values that leave torch in a forward pass, as arrays or numbers, and tensors that are made of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch
from torch.overrides import TorchFunctionMode

if TYPE_CHECKING:
    from rfcheck.graph.recorder import Recorder

_Tensor: Any = torch.Tensor

_AS_ARRAYS = {
    _Tensor.numpy: "numpy",
    _Tensor.__array__: "numpy",
    _Tensor.tolist: "tolist",
    _Tensor.__dlpack__: "dlpack",
    _Tensor.data_ptr: "data_ptr",
}
_MAKERS = frozenset({torch.tensor, torch.as_tensor, torch.asarray, _Tensor.new_tensor})
"""Functions that make tensors of numbers. Those that make them of arrays do it out of sight, which is a sign of its own."""

_Mode: Any = TorchFunctionMode


class Leaving(_Mode):  # type: ignore[misc]
    """Tells a recorder which values leave torch, and which tensors are made of what has left.

    Only a forward pass with data needs it: without, there are no values that could leave.
    """

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self._recorder = recorder
        self._numbers: dict[int, float] = {}

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if func in _AS_ARRAYS:
            self._recorder.let_go(args[0], _AS_ARRAYS[func])
        elif func is _Tensor.item and isinstance(result, float) and self._recorder.value_of(args[0]) is not None:
            self._numbers[id(result)] = result  # kept alive, so that nothing else gets its identity
            self._recorder.let_go(args[0], "item")
        elif func in _MAKERS and self._is_of_what_left(result, args):
            self._recorder.take_in(result)
        return result

    def _is_of_what_left(self, made: torch.Tensor, args: Any) -> bool:
        """Whether a tensor may hold what has left: any of several values after an array has, else one that holds such a number."""
        if self._recorder.value_of(made) is not None or not self._recorder.left:
            return False
        if set(self._recorder.left) - {"item"}:
            return made.numel() > 1
        return any(id(number) in self._numbers for number in _numbers_in(args[-1]))


def _numbers_in(data: Any) -> Iterator[Any]:
    if isinstance(data, (list, tuple)):
        for item in data:
            yield from _numbers_in(item)
    elif isinstance(data, float):
        yield data
