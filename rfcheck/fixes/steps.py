"""Changes to a model, as data: each can be carried out, and written as lines of Python."""

from __future__ import annotations

import keyword
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from rfcheck.fixes.parts import Container, Part
from rfcheck.fixes.snippet import Snippet

_CROP = '''\
def crop(conv, taps, padding):
    """The part of a convolution whose taps read pixels; in a container, so that its weight has a name of its own."""
    size = tuple(tap.stop - tap.start for tap in taps)
    options = dict(dilation=conv.dilation, groups=conv.groups, bias=conv.bias is not None)
    cropped = type(conv)(conv.in_channels, conv.out_channels, size, conv.stride, padding, **options).to(conv.weight)
    cropped.weight.data.copy_(conv.weight.data[(..., *taps)])
    cropped.weight.requires_grad_(conv.weight.requires_grad)
    if conv.bias is not None:
        cropped.bias.data.copy_(conv.bias.data)
        cropped.bias.requires_grad_(conv.bias.requires_grad)
    return nn.Sequential(OrderedDict(cropped=cropped.train(conv.training)))'''


@dataclass(frozen=True, slots=True)
class Assign:
    """Give a module another value of an attribute."""

    path: str
    attribute: str
    value: tuple[int, ...]

    def apply(self, model: nn.Module) -> nn.Module:
        """Change the model in place."""
        setattr(model.get_submodule(self.path), self.attribute, self.value)
        return model

    def lines(self, model: nn.Module) -> list[str]:
        """The change as Python."""
        return [f"{expression(model, self.path)}.{self.attribute} = {self.value!r}"]


@dataclass(frozen=True, slots=True)
class Replace:
    """Put a new module in place of another."""

    path: str
    part: Part | Container

    def apply(self, model: nn.Module) -> nn.Module:
        """Change the model in place."""
        return put(model, self.path, self.part.make(_like(model)).train(model.training))

    def lines(self, model: nn.Module) -> list[str]:
        """The change as Python."""
        return [f"{everywhere(model, self.path)} = {made(self.part, model)}"]


@dataclass(frozen=True, slots=True)
class Shorten:
    """Keep only the first children of an nn.Sequential."""

    path: str
    keep: int

    def apply(self, model: nn.Module) -> nn.Module:
        """Change the model in place, unless it is itself what is shortened."""
        sequence = model.get_submodule(self.path)
        shortened = nn.Sequential(OrderedDict(list(sequence._modules.items())[: self.keep]))  # type: ignore[arg-type]
        shortened.training = sequence.training
        return put(model, self.path, shortened)

    def lines(self, model: nn.Module) -> list[str]:
        """The change as Python."""
        target = expression(model, self.path)
        if type(model.get_submodule(self.path)) is nn.Sequential:
            return [f"{everywhere(model, self.path)} = {target}[:{self.keep}]"]
        return [f"{everywhere(model, self.path)} = nn.Sequential(OrderedDict(list({target}._modules.items())[:{self.keep}]))"]


@dataclass(frozen=True, slots=True)
class Append:
    """Put a new module behind the children of an nn.Sequential."""

    path: str
    name: str
    part: Part

    def apply(self, model: nn.Module) -> nn.Module:
        """Change the model in place."""
        model.get_submodule(self.path).add_module(self.name, self.part.make(_like(model)).train(model.training))
        return model

    def lines(self, model: nn.Module) -> list[str]:
        """The change as Python."""
        return [f'{expression(model, self.path)}.add_module("{self.name}", {made(self.part, model)})']


@dataclass(frozen=True, slots=True)
class Wrap:
    """Put a new module without parameters behind another one that has none either."""

    path: str
    part: Part

    def apply(self, model: nn.Module) -> nn.Module:
        """Change the model in place."""
        inner = model.get_submodule(self.path)
        return put(model, self.path, nn.Sequential(inner, self.part.make(None)).train(model.training))

    def lines(self, model: nn.Module) -> list[str]:
        """The change as Python."""
        target = expression(model, self.path)
        return [f"{everywhere(model, self.path)} = nn.Sequential({target}, {self.part.code()})"]


@dataclass(frozen=True, slots=True)
class Crop:
    """Keep the taps of a convolution between two ends, per image axis; ``kernel`` is its size before."""

    path: str
    kernel: tuple[int, ...]
    taps: tuple[tuple[int, int], ...]
    padding: tuple[int, ...]

    def apply(self, model: nn.Module) -> nn.Module:
        """Change the model in place."""
        conv: Any = model.get_submodule(self.path)
        if conv.kernel_size != self.kernel:
            raise ValueError(f"the kernel of {self.path} is {conv.kernel_size}, not {self.kernel}")
        size = tuple(end - start for start, end in self.taps)
        options = {"dilation": conv.dilation, "groups": conv.groups, "bias": conv.bias is not None}
        with torch.device(conv.weight.device):
            cropped = type(conv)(conv.in_channels, conv.out_channels, size, conv.stride, self.padding, **options)
        cropped.to(conv.weight.dtype)
        cropped.weight.data.copy_(conv.weight.data[(..., *(slice(*tap) for tap in self.taps))])
        cropped.weight.requires_grad_(conv.weight.requires_grad)
        if conv.bias is not None:
            cropped.bias.data.copy_(conv.bias.data)
            cropped.bias.requires_grad_(conv.bias.requires_grad)
        return put(model, self.path, nn.Sequential(OrderedDict(cropped=cropped)).train(conv.training))

    def lines(self, model: nn.Module) -> list[str]:
        """The change as Python; uses the function in `CROP`."""
        target = expression(model, self.path)
        taps = tuple(slice(start, end, None) for start, end in self.taps)
        return [f"{everywhere(model, self.path)} = crop({target}, {taps!r}, {self.padding!r})".replace(", None)", ")")]


Step = Assign | Replace | Shorten | Append | Wrap | Crop


def run_steps(model: nn.Module, steps: Sequence[Step]) -> nn.Module:
    """Carry out changes in place; the model itself is replaced only where it is what is shortened."""
    for step in steps:
        model = step.apply(model)
    return model


def snippet_of(model: nn.Module, steps: Sequence[Step]) -> Snippet:
    """Code that carries out the steps.

    Args:
        model: before the changes; decides how its parts are addressed.
        steps: the changes.
    """
    statements = tuple(line for step in steps for line in step.lines(model))
    definitions = (_CROP,) if any(isinstance(step, Crop) for step in steps) else ()
    code = "\n".join((*definitions, *statements))
    imports = [line for name, line in _IMPORTS.items() if name in code]
    return Snippet(tuple(imports), definitions, statements)


_IMPORTS = {"OrderedDict(": "from collections import OrderedDict", "nn.": "from torch import nn"}


def put(model: nn.Module, path: str, new: nn.Module) -> nn.Module:
    """Put a module in place of another, under every name that it has; at the empty path it takes the place of the model.

    Raises:
        AttributeError: if there is no such module.
    """
    if not path:
        return new
    for parent, name in _registrations(model, path):
        parent._modules[name] = new
    return model


def _registrations(model: nn.Module, path: str) -> list[tuple[nn.Module, str]]:
    """The tables that hold a module, and its name in each; the one of the path is the last."""
    old = model.get_submodule(path)
    outer, _, own = path.rpartition(".")
    place = (model.get_submodule(outer), own)
    found = [(parent, name) for parent in model.modules() for name, child in parent._modules.items() if child is old]
    return [*((parent, name) for parent, name in found if (parent, name) != place), place]


def everywhere(model: nn.Module, path: str) -> str:
    """The left side of an assignment to a module, under every name that it has."""
    if not path:
        return "model"
    names = {id(module): name for name, module in model.named_modules()}
    paths = [f"{names[id(parent)]}.{name}".lstrip(".") for parent, name in _registrations(model, path)]
    return " = ".join(expression(model, each) for each in paths)


def expression(model: nn.Module, path: str) -> str:
    """How Python code addresses a module of the variable ``model``: ``model.layer2[0].conv1``."""
    text, module = "model", model
    for part in path.split(".") if path else ():
        if isinstance(module, (nn.Sequential, nn.ModuleList)) and part.isdigit():
            text += f"[{list(module._modules).index(part)}]"
        elif isinstance(module, nn.ModuleDict):
            text += f'["{part}"]'
        elif part.isidentifier() and not keyword.iskeyword(part):
            text += f".{part}"
        else:
            text += f'._modules["{part}"]'
        module = module.get_submodule(part)
    return text


def _like(model: nn.Module) -> torch.Tensor | None:
    """A parameter whose device and type new parameters follow."""
    return next((parameter for parameter in model.parameters() if parameter.dtype.is_floating_point), None)


def made(part: Part | Container, model: nn.Module) -> str:
    """The code of a part; moved to where the model is, unless that is where torch makes it."""
    like = _like(model)
    elsewhere = like is not None and not like.is_meta and (like.device.type != "cpu" or like.dtype != torch.float32)
    return f"{part.code()}.to(next(model.parameters()))" if elsewhere and part.has_parameters else part.code()
