"""What the recorder writes down: one record per operator call, tensors replaced by what is known of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rfcheck.frames import Frame

if TYPE_CHECKING:
    import torch


@dataclass(slots=True, eq=False)
class ModuleCall:
    """One call of one module.

    Attributes:
        path: dotted name of the module in the model, "" for the model itself.
        type: class name of the module.
        repeat: 1 for the first call of this module, 2 for the second, ...
        is_leaf: whether the module has no sub-modules.
        from_torch: whether its class is one of torch's own, so that its attributes decide what it computes.
    """

    path: str
    type: str
    repeat: int
    is_leaf: bool
    from_torch: bool = False


@dataclass(slots=True, eq=False)
class TensorArg:
    """A tensor that an operator received.

    Attributes:
        value: identity of the content if it depends on the input image, None for constants (weights, masks, ...).
        shape: shape of the tensor.
        params: names of the parameters that a constant was made from.
        is_mask: whether it holds truth values.
        data: values of a small constant by which an operator chooses entries, where they are known.
        origin: of a constant: 0, `UNSEEN` or `UNWRITTEN`.
    """

    value: int | None
    shape: tuple[int, ...]
    params: frozenset[str] = frozenset()
    is_mask: bool = False
    data: torch.Tensor | None = None
    origin: int = 0


@dataclass(slots=True, eq=False)
class TensorOut:
    """A tensor that an operator returned: the identity of its content, its shape, and the bytes newly allocated for it."""

    value: int
    shape: tuple[int, ...]
    fresh_bytes: int


@dataclass(slots=True, eq=False)
class OpRecord:
    """One operator call whose result depends on the input image.

    Attributes:
        func: the operator overload, or one of the markers in this module.
        args: positional arguments with every tensor replaced by a TensorArg.
        kwargs: keyword arguments, likewise.
        tensors: every tensor argument in order, constants included.
        outputs: the results.
        call: the innermost module call that issued it.
        frames: the user's code that issued it inside that call, where it was asked for and is not a module of torch's own.
        memory: of a tensor that is viewed by strides: its own strides, and where it begins.
    """

    func: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    tensors: list[TensorArg]
    outputs: list[TensorOut]
    call: ModuleCall
    frames: tuple[Frame, ...] = ()
    memory: tuple[tuple[int, ...], int] | None = None


@dataclass(slots=True, eq=False)
class ConstantRecord:
    """An operator call on constants only (a bias computed from weights); it costs, but is not on any path from the image."""

    func: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    tensors: list[TensorArg]
    out_shape: tuple[int, ...]
    call: ModuleCall


@dataclass(slots=True, eq=False)
class ViewStep:
    """One view on the way from a tensor to a part of it: enough to repeat the view, or to write through it."""

    func: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    slot: int
    shape: tuple[int, ...]


@dataclass(slots=True)
class Recording:
    """A whole forward pass.

    Attributes:
        records: operator calls that depend on the image, in execution order.
        constants: costly calls that do not.
        input_value: identity of the input image.
        output_values: identities of what the model returned.
        calls: how often each module was called, by dotted name.
        made: parameters that were made in the forward, by name.
        packed: elements of the parameters that quantised layers have packed, by name.
        lacks_values: whether entries were chosen by a list of numbers that torch put where there is no data.
    """

    records: list[OpRecord] = field(default_factory=list)
    constants: list[ConstantRecord] = field(default_factory=list)
    input_value: int = 0
    output_values: list[int] = field(default_factory=list)
    calls: dict[str, int] = field(default_factory=dict)
    lacks_values: bool = False
    made: dict[str, torch.Tensor] = field(default_factory=dict)
    packed: dict[str, int] = field(default_factory=dict)


INPUT = "input"
"""Name of the graph's source."""

SCATTER = "rfcheck.scatter"
"""Marker for a write through a view: args are (base or None, written, tuple of ViewStep)."""

OUTSIDE = "rfcheck.outside"
"""Marker for values that something other than torch has computed: args are how they left torch, "" if that was not seen."""

UNCOUNTED = "how many multiply-accumulates it takes is not known, they count 0"
"""What is noted of an operator whose positions are followed and whose cost is not known."""

UNSEEN = 1
"""Origin of a constant that was made of a tensor that nobody saw being made: it existed before, or something else made it."""

UNWRITTEN = 2
"""Origin of a constant that was made of memory that no operator has written to, so that something else must have."""

COPYING = frozenset({"copy_", "copy", "fill_", "fill"})
"""Operators whose result holds what their second argument does; the first gives the shape."""
