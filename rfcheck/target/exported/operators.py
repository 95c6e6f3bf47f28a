"""The operators that an exported program names: which of them may be run, and how."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

import torch

from rfcheck.errors import TargetError
from rfcheck.target.budgets import MOST_PIECES

_TORCH = "torch.ops."
_LARGEST_EXPONENT = 64
_LARGEST_SIZE = 2**63
_NAMESPACES = frozenset({"aten", "prims", "torchvision"})
"""Where operators come from that compute on tensors and do nothing else."""


def _power(base: float, exponent: float) -> Any:
    if abs(exponent) > _LARGEST_EXPONENT:
        raise ValueError(f"the program raises a size to the power of {exponent}")
    return base**exponent


def _on_numbers(function: Callable[..., Any]) -> Callable[..., Any]:
    """Arithmetic on numbers only, whose results can be sizes; texts, lists and larger numbers would grow to fill the memory."""

    def bounded(*given: Any) -> Any:
        if not all(isinstance(value, (int, float)) for value in given):
            raise ValueError("the program computes with something that is not a number as if it were a size")
        made = function(*given)
        if isinstance(made, int) and abs(made) > _LARGEST_SIZE:
            raise ValueError("the program computes with a number that is larger than any size")
        return made

    return bounded


def _item(values: Any, index: Any) -> Any:
    """One of several results."""
    if not isinstance(values, (list, tuple)) or not isinstance(index, int):
        raise ValueError("the program takes a part of something that has none")
    return values[index]


_ARITHMETIC: Mapping[str, Callable[..., Any]] = {
    **{
        f"_operator.{name}": getattr(operator, name)
        for name in ("eq", "ne", "le", "ge", "lt", "gt", "neg", "pos", "add", "sub", "mul", "floordiv", "mod", "truediv")
    },
    **{f"_operator.{name}": getattr(operator, name) for name in ("and_", "or_", "not_")},
    **{f"math.{name}": getattr(math, name) for name in ("trunc", "ceil", "floor", "sqrt")},
    "_operator.pow": _power,
    "torch.sym_int": int,
    "torch.sym_float": float,
    "torch.sym_max": max,
    "torch.sym_min": min,
    "torch.sym_sqrt": math.sqrt,
    "torch._sym_sqrt": math.sqrt,
    "torch.sym_not": operator.not_,
    "torch.sym_ite": lambda condition, then, otherwise: then if condition else otherwise,
}

_ON_SIZES: Mapping[str, Callable[..., Any]] = {
    **{name: _on_numbers(function) for name, function in _ARITHMETIC.items()},
    "_operator.getitem": _item,
}
"""What programs do with numbers."""

_CHECKS = ("_assert", "sym_constrain", "_check", "_functional_assert", "_functional_sym_constrain")
"""Beginnings of the names of operators that only check what the program was exported with."""

_INLINED = ("wrap_with_set_grad_enabled", "wrap_with_autocast")
"""Operators that do nothing but run a part of the program in another mode."""


def on_sizes(target: str) -> Callable[..., Any] | None:
    """The function on numbers that a target names; None if it names none."""
    return _ON_SIZES.get(target)


def is_check(target: str) -> bool:
    """Whether an operator only checks sizes or types; other sizes than the exported one are welcome here."""
    return target.startswith(_TORCH) and target.split(".")[-2].startswith(_CHECKS)


def is_inlined(target: str) -> bool:
    """Whether an operator runs a part of the program in another mode."""
    return target.startswith(f"{_TORCH}higher_order.") and target.endswith(_INLINED)


def qualified(target: str) -> tuple[str, str]:
    """Namespace and name of an operator.

    Raises:
        TargetError: if the target is no operator on tensors.
    """
    namespace, _, name = target.removeprefix(_TORCH).partition(".")
    if not target.startswith(_TORCH) or not name:
        raise TargetError(f"the program calls {target}, which is not an operator of torch")
    if namespace == "higher_order":
        raise TargetError(
            f"the program calls {target.removeprefix(_TORCH)}; rfcheck follows programs without branches, loops and compiled parts"
        )
    return namespace, name.partition(".")[0]


def operator_of(target: str) -> Any | None:
    """The operator overload that a target names; None if rfcheck does not run it.

    Operators of other libraries are not run even where this process has them, nor are those of torch that read files.
    """
    namespace, _ = qualified(target)
    if namespace not in _NAMESPACES:
        return None
    if namespace == "torchvision":
        _register_torchvision()
    found: Any = torch.ops
    for part in target.removeprefix(_TORCH).split("."):
        found = getattr(found, part, None)
    if not isinstance(found, torch._ops.OpOverload):
        return None
    if not torch._C._dispatch_has_kernel(found.name()):  # type: ignore[no-untyped-call]
        return None
    return None if any(argument.name == "filename" for argument in found._schema.arguments) else found


def _register_torchvision() -> None:
    try:
        import torchvision  # noqa: F401
    except ImportError:
        return


def evaluated(found: Any) -> Callable[..., Any]:
    """What is called for an operator, with its arguments by name: in evaluation, without data, at any size.

    Args:
        found: operator overload.
    """
    instead = _INSTEAD.get(found)
    if instead is not None:
        return instead
    types = {argument.name: str(argument.type) for argument in found._schema.arguments}
    if any(str(returned.type) == "List[Tensor]" for returned in found._schema.returns):
        return lambda **arguments: found(**_in_few_pieces(arguments))
    if "device" in types:
        return lambda **arguments: found(**{**arguments, "device": torch.device("meta")})
    if "train" in types:  # dropout
        return lambda **arguments: found(**{**arguments, "train": False})
    if "training" in types and "running_mean" in types:
        return lambda **arguments: found(**{**arguments, "training": arguments["running_mean"] is None})
    return lambda **arguments: found(**arguments)


def _in_few_pieces(arguments: dict[str, Any]) -> dict[str, Any]:
    """Arguments of an operator that cuts a tensor, unless the pieces themselves would fill the memory."""
    cut = arguments.get("self", arguments.get("input"))
    longest = max(cut.shape, default=0) if isinstance(cut, torch.Tensor) else 0
    given = next((arguments[name] for name in ("sections", "chunks") if isinstance(arguments.get(name), int)), None)
    size = arguments.get("split_size", 1)
    pieces = longest // max(size, 1) if given is None and isinstance(size, int) else given or 0
    if pieces > MOST_PIECES and not any(isinstance(value, (list, tuple)) for value in arguments.values()):
        raise ValueError(f"the program cuts a tensor into {pieces:,} pieces, at most {MOST_PIECES:,} are followed")
    return arguments


def _batch_norm(**arguments: Any) -> tuple[torch.Tensor, ...]:
    """Normalisation that also returns new statistics; in evaluation these are the old ones."""
    made = torch.ops.aten.native_batch_norm.default(**{**arguments, "training": False})
    return (*made, arguments["running_mean"], arguments["running_var"])


def _group_norm(input: torch.Tensor, weight: Any, bias: Any, group: int, eps: float, **_: int) -> tuple[torch.Tensor, ...]:
    """Normalisation whose arguments repeat the shape of its input, as it was when the program was exported."""
    images, channels = input.shape[:2]
    positions = math.prod(input.shape[2:])
    made: tuple[torch.Tensor, ...] = torch.ops.aten.native_group_norm.default(
        input, weight, bias, images, channels, positions, group, eps
    )
    return made


def _slice_scatter(self: torch.Tensor, src: torch.Tensor, **slice_: Any) -> torch.Tensor:
    """A write into a slice, as a program without in-place operators has it; here it is one again."""
    written = self.clone()
    torch.ops.aten.slice.Tensor(written, **slice_).copy_(src)
    return written


def _select_scatter(self: torch.Tensor, src: torch.Tensor, dim: int, index: int) -> torch.Tensor:
    written = self.clone()
    written.select(dim, index).copy_(src)
    return written


_INSTEAD: Mapping[Any, Callable[..., Any]] = {
    torch.ops.aten._native_batch_norm_legit_functional.default: _batch_norm,
    torch.ops.aten.native_group_norm.default: _group_norm,
    torch.ops.aten.slice_scatter.default: _slice_scatter,
    torch.ops.aten.select_scatter.default: _select_scatter,
}
"""What is run in the place of operators that hold for one size or for training only."""
