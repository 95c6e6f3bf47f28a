"""Quantised layers, whose weights are packed out of sight: recorded as the plain layers that they stand for."""

from __future__ import annotations

from typing import Any

import torch

from rfcheck.graph.records import TensorArg

_aten = torch.ops.aten


def is_packed(func: Any, args: tuple[Any, ...]) -> bool:
    """Whether a call is that of a quantised linear layer or convolution with packed weights."""
    name = func._opname
    layer = name.startswith(("linear", "conv"))
    return func.namespace == "quantized" and layer and len(args) > 1 and isinstance(args[1], torch.ScriptObject)


def unpacked(packed: Any, x: Any, path: str) -> tuple[Any, tuple[Any, ...], dict[str, int]]:
    """The plain layer that a packed one stands for.

    Args:
        packed: weights, bias, and the window of a convolution.
        x: what the layer reads.
        path: dotted name of the module that called it.

    Returns:
        Its operator, its arguments, and the elements of its parameters by name.
    """
    weight, bias = packed.unpack()
    sizes = {f"{path}.weight": weight.numel()} | ({} if bias is None else {f"{path}.bias": bias.numel()})
    args: list[Any] = [x, TensorArg(None, tuple(weight.shape), frozenset((f"{path}.weight",)))]
    args.append(None if bias is None else TensorArg(None, tuple(bias.shape), frozenset((f"{path}.bias",))))
    if not hasattr(packed, "stride"):
        return _aten.linear.default, tuple(args), sizes
    window = (list(packed.stride()), list(packed.padding()), list(packed.dilation()))
    args += [*window, bool(packed.transpose()), list(packed.output_padding()), packed.groups()]
    return _aten.convolution.default, tuple(args), sizes
