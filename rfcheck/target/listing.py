"""What a file says about a model: operators in order, the module calls around them, and tensors without data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from rfcheck.target.budgets import elements


@dataclass(frozen=True, slots=True)
class Scope:
    """A call of a module, around some steps of a program.

    Attributes:
        path: dotted name of the module.
        type: class name of the module.
        call: tells the calls of one module apart.
    """

    path: str
    type: str
    call: str


@dataclass(slots=True)
class Run:
    """One forward pass of a program.

    Attributes:
        values: what the steps have computed, by the names of the file.
        modules: of the program, by dotted name.
        is_resized: whether the image has another size than the one that the file was made for.
    """

    values: dict[str, Any]
    modules: Mapping[str, nn.Module]
    is_resized: bool

    def keep(self, made: Iterable[tuple[str, Any]]) -> None:
        """Take what a step has made, by name.

        Raises:
            ValueError: if it is a tensor of more elements than any model needs.
        """
        for name, value in made:
            if isinstance(value, torch.Tensor):
                elements(value.shape)
            self.values[name] = value


@dataclass(frozen=True, slots=True)
class Step:
    """One operator of a program.

    Attributes:
        label: how messages name it: "Reshape '/head/Reshape'".
        scopes: the module calls around it, the outermost first, without the model itself; None where it belongs to no module.
        reads: its first input, by name; None where it has none.
        apply: reads values of the run and adds its own.
    """

    label: str
    scopes: tuple[Scope, ...] | None
    reads: str | None
    apply: Callable[[Run], None]


@dataclass(frozen=True, slots=True)
class Listing:
    """What a file says about a model.

    Attributes:
        type: class name of the model.
        source: what kind of file it is, for messages: "program" or "ONNX model".
        remedy: how to write a file that takes other sizes.
        input_name: value that stands for the image.
        input_sizes: of the image, (N, C, *axes); None where the file allows any.
        steps: in execution order.
        outputs: values that the model returns.
        parameters: tensors without data by dotted name.
        buffers: tensors without data by dotted name.
        tensors: dotted names of parameters and buffers by the values that stand for them.
        constants: other tensors by value.
        modules: class names by dotted name of the module, also of modules without a step.
        attributes: attributes of convolutions by dotted name of the module, as in torch.nn.
    """

    type: str
    source: str
    remedy: str
    input_name: str
    input_sizes: tuple[int | None, ...]
    steps: tuple[Step, ...]
    outputs: tuple[str, ...]
    parameters: Mapping[str, torch.Tensor]
    buffers: Mapping[str, torch.Tensor]
    tensors: Mapping[str, str]
    constants: Mapping[str, torch.Tensor]
    modules: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ModuleCalled:
    """Steps inside one call of a module, and the first input of the first of them."""

    path: str
    reads: str | None
    body: list[Step | ModuleCalled]


def nested(steps: Sequence[Step]) -> list[Step | ModuleCalled]:
    """Steps as the calls of modules that they are made in, one inside the other."""
    outermost: list[Step | ModuleCalled] = []
    bodies = [outermost]
    opened: list[Scope] = []
    for step in steps:
        if step.scopes is not None:
            shared = 0
            while shared < min(len(opened), len(step.scopes)) and opened[shared].call == step.scopes[shared].call:
                shared += 1
            del opened[shared:], bodies[shared + 1 :]
            for scope in step.scopes[shared:]:
                call = ModuleCalled(scope.path, step.reads, [])
                bodies[-1].append(call)
                bodies.append(call.body)
                opened.append(scope)
        bodies[-1].append(step)
    return outermost
