"""Run only the part of a forward that lies around a new head, to see that the user's own code there accepts it."""

from __future__ import annotations

import copy
from collections import OrderedDict
from dataclasses import dataclass

import torch
from torch import nn

from rfcheck.fixes.new_head import NewHead
from rfcheck.fixes.places import Place
from rfcheck.fixes.steps import run_steps
from rfcheck.fixes.subject import Subject
from rfcheck.graph.recorder import Recorder

_BATCH = 2  # an image more than the trace had: a forward that writes a batch of one into its shapes would fail in training


class _Constant(nn.Module):
    """Stands for everything up to a place."""

    def __init__(self, result: torch.Tensor) -> None:
        super().__init__()
        self.result = result

    def forward(self, _: torch.Tensor) -> torch.Tensor:
        return self.result


def dry_run(subject: Subject, place: Place, head: NewHead) -> str | None:
    """Why the forward does not work with a new head; None if it does.

    Every module before the place is left out, and the one that ends there gives an empty tensor without data, so that only function
    calls of the user's forward and the new head run.

    Args:
        subject: stays as it is.
        place: where the new head begins.
        head: the changes behind the place.
    """
    node = subject.graph._node[place.node]
    result = torch.empty(_BATCH, *node["shape"][1:], device="meta")
    image = torch.empty(_BATCH, *subject.graph.graph["input_shape"][1:], device="meta")
    shell = _Shell(place.module, frozenset(head.kept_modules), result).of(subject.model, "")
    with torch.device("meta"):
        changed = _in_evaluation(run_steps(shell, head.steps))
    recorder = Recorder(hold_tensors=True, use_shape_rules=True)
    recorder.add_input(image)
    try:
        with torch.no_grad(), recorder:
            given = changed(image)
    except Exception as error:  # whatever the user's forward raises
        return f"{type(error).__name__}: {' '.join(str(error).split())}"
    if not isinstance(given, torch.Tensor) or tuple(given.shape) != (_BATCH, head.classes):
        return "the forward does not return what the new head computes"
    return None


@dataclass(frozen=True, slots=True)
class _Shell:
    """Makes stand-ins for modules: identities, except on the way to the place and behind it.

    Attributes:
        place: dotted name of the module that ends at the place.
        kept: dotted names of the modules behind it that stay.
        result: what the module at the place gives.
    """

    place: str
    kept: frozenset[str]
    result: torch.Tensor

    def of(self, module: nn.Module, path: str) -> nn.Module:
        """The stand-in of a module."""
        if path == self.place:
            return _Constant(self.result)
        if path in self.kept:
            return _in_evaluation(module)
        if path and not self.place.startswith(f"{path}."):
            return nn.Identity()
        shell = copy.copy(module)
        for table in ("_forward_hooks", "_forward_pre_hooks"):
            shell.__dict__[table] = OrderedDict()
        for table in ("_parameters", "_buffers"):
            shell.__dict__[table] = {name: _without_data(tensor) for name, tensor in module.__dict__[table].items()}
        children = {name: (child, f"{path}.{name}".lstrip(".")) for name, child in module._modules.items()}
        shell.__dict__["_modules"] = {name: child and self.of(child, at) for name, (child, at) in children.items()}
        return shell


def _in_evaluation(module: nn.Module) -> nn.Module:
    """A module like another one, in evaluation mode; shares everything but its modes."""
    shell = copy.copy(module)
    children = {name: child and _in_evaluation(child) for name, child in module._modules.items()}
    shell.__dict__.update(training=False, _modules=children)
    return shell


def _without_data(tensor: torch.Tensor | None) -> torch.Tensor | None:
    if tensor is None:
        return None
    empty = torch.empty_like(tensor, device="meta")
    return nn.Parameter(empty, requires_grad=False) if isinstance(tensor, nn.Parameter) else empty
