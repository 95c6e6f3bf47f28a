"""Names of nodes: the module call that issued an operator, and the operator where the module has several."""

from __future__ import annotations

from collections.abc import Sequence

from rfcheck.graph.records import ModuleCall

_RANK = ("conv", "linear", "attention", "pool", "resample", "matmul", "norm", "recurrent", "multiply", "softmax", "activation")
_PLAIN_NAMES = {
    "convolution": "conv",
    "addmm": "linear",
    "mm": "linear",
    "bmm": "matmul",
    "baddbmm": "matmul",
    "max_pool2d_with_indices": "max_pool2d",
    "max_pool3d_with_indices": "max_pool3d",
    "slice_scatter": "write",
}


def operator_name(qualified: str, kernel_axes: int = 0) -> str:
    """The name that a user knows an operator by: ``aten::native_batch_norm`` is batch_norm, ``aten::relu_`` is relu."""
    name = qualified.partition("::")[2] or qualified.rpartition(".")[2]
    name = name.strip("_").removeprefix("native_").removeprefix("unsafe_")
    name = _PLAIN_NAMES.get(name, name)
    return f"conv{kernel_axes}d" if name == "conv" and kernel_axes else name


def node_names(calls: Sequence[ModuleCall], kinds: Sequence[str], operators: Sequence[str]) -> list[str]:
    """A unique name for each operator call.

    ``layer4.1.conv2`` for the operator that a leaf module stands for, ``layer4.1.conv2:2`` for its second call,
    ``layer4.1/max_pool2d`` for a function called in a module's forward.

    Args:
        calls: per operator call, the module call that issued it.
        kinds: per operator call, "conv", "pool", ...
        operators: per operator call, its name.
    """
    primary: dict[int, int] = {}
    for index, (call, kind) in enumerate(zip(calls, kinds, strict=True)):
        if call.is_leaf and call.path:
            best = primary.get(id(call))
            if best is None or _rank(kind) < _rank(kinds[best]):
                primary[id(call)] = index
    names: list[str] = []
    taken: dict[str, int] = {"input": 1}
    for index, (call, operator) in enumerate(zip(calls, operators, strict=True)):
        path = call.path if call.repeat == 1 else f"{call.path}:{call.repeat}"
        name = path if primary.get(id(call)) == index else f"{path}/{operator}".lstrip("/")
        count = taken.get(name, 0) + 1
        taken[name] = count
        while count > 1 and f"{name}:{count}" in taken:
            count += 1
        if count > 1:
            name = f"{name}:{count}"
            taken[name] = 1
        names.append(name)
    return names


def _rank(kind: str) -> int:
    return _RANK.index(kind) if kind in _RANK else len(_RANK) + (kind == "rearrange")
