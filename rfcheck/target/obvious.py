"""Arguments of models whose meaning is plain from their names, and the values that they get where nobody gives one."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from rfcheck.config import Settings

DEFAULT_CLASSES = 10
"""Number of classes of a model that has to be told, where nobody says it."""

MOST_CHANNELS = 16
"""What stands in front of the extents of an image is the number of its channels up to here."""

Meaning = Literal["classes", "channels", "extent"]

_NAMES: dict[Meaning, frozenset[str]] = {
    "classes": frozenset({
        "class_num", "classes", "classes_num", "cls_num", "n_class", "n_classes", "nb_class", "nb_classes", "nclass", "nclasses",
        "num_class", "num_classes", "num_cls", "num_labels", "number_of_classes", "numclass", "numclasses", "out_classes",
    }),
    "channels": frozenset({
        "channels", "image_channels", "img_ch", "img_channels", "in_ch", "in_chan", "in_channel", "in_channels", "in_chans",
        "in_chns", "inp", "inp_ch", "inp_channels", "inp_chans", "input_ch", "input_channel", "input_channels", "input_chans",
        "input_nc", "n_channels", "n_input_channels", "nchannels", "num_channels", "num_input_channels",
    }),
    "extent": frozenset({
        "im_size", "image_resolution", "image_size", "img_resolution", "img_size", "imgsz", "input_resolution", "input_size",
        "resolution",
    }),
}  # fmt: skip


def meaning_of(name: str) -> Meaning | None:
    """What an argument of a model says about it, by its name; None where that is not plain."""
    return next((meaning for meaning, names in _NAMES.items() if name.lower() in names), None)


_INPUT = re.compile(r"(num|n|nb)?_?(in|inp|input)_?(c|ch|chans?|channels?|nc|planes?|size|dims?|features?|maps?|filters)?$", re.I)
"""Names of arguments that may say how many channels a model reads, though not so plainly that nobody need say it."""


def example_value(name: str) -> str:
    """What a message writes for an argument that must be given: a likely value, or "..."."""
    return "3" if _INPUT.match(name) else "..."


@dataclass(frozen=True, slots=True)
class Example:
    """A call in the user's code.

    Attributes:
        args: literal values by position.
        kwargs: literal values by name.
    """

    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)

    def value(self, name: str, positional: Sequence[str], default: Any) -> Any:
        """The value of an argument.

        Args:
            name: of the argument.
            positional: names of the arguments that may be given by position, in their order.
            default: to return where the call does not give it.
        """
        if name in self.kwargs:
            return self.kwargs[name]
        at = positional.index(name) if name in positional else len(self.args)
        return self.args[at] if at < len(self.args) else default

    def named(self, parameters: Mapping[str, inspect.Parameter]) -> dict[str, Any]:
        """All values by the names of their arguments."""
        names = [name for name, p in parameters.items() if p.kind is p.POSITIONAL_OR_KEYWORD]
        return {**dict(zip(names, self.args, strict=False)), **self.kwargs}


@dataclass(frozen=True, slots=True)
class Given:
    """What is known about the arguments of models.

    Attributes:
        classes: of the task; None for `DEFAULT_CLASSES`.
        channels: of the input.
        extents: of the image, one per axis, or one for all; None where it is not known.
        arguments: values by name, for every model that takes an argument of that name.
        example: what the user's own code calls a model with.
    """

    classes: int | None = None
    channels: int = 3
    extents: int | tuple[int, ...] | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    example: Example = field(default_factory=Example)

    @classmethod
    def of(cls, size: int | tuple[int, ...] | None, settings: Settings, arguments: Mapping[str, Any] | None = None) -> Given:
        """What the input size and the settings of an analysis say.

        Args:
            size: of the input in any of the forms of `rfcheck.analyze`.
            settings: of the analysis; channels count where the size does not say.
            arguments: as in the attributes.
        """
        channels = settings.channels
        if isinstance(size, tuple) and len(size) > 3 and size[0] == 1:
            size = size[1:]
        if isinstance(size, tuple) and len(size) > 1 and size[0] <= MOST_CHANNELS < size[1]:
            channels, size = size[0], size[1:]
        return cls(settings.classes, channels, size, arguments or {})

    def like(self, example: Example) -> Given:
        """The same, with the values of a call in the user's code for what nobody says."""
        return replace(self, example=example)

    def value_of(self, parameter: inspect.Parameter) -> Any:
        """The value of an argument that must be given; `inspect.Parameter.empty` where none is plain."""
        if parameter.name in self.arguments:
            return self.arguments[parameter.name]
        meaning = meaning_of(parameter.name)
        if meaning == "classes":
            return self.classes or DEFAULT_CLASSES
        if meaning == "channels":
            return self.channels
        if meaning == "extent" and self.extents is not None:
            return _extent(self.extents, parameter)
        return parameter.empty

    def filled(self, factory: Callable[..., Any], given: int = 0, named: Mapping[str, Any] | None = None) -> Filled:
        """The arguments that a class or function gets on top of those that are written down.

        Args:
            factory: the class or function.
            given: how many arguments are given by position.
            named: arguments that are given by name.
        """
        named = named or {}
        parameters = parameters_of(factory)
        positional = [p.name for p in parameters.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        taken = {*positional[:given], *named}
        values: dict[str, Any] = {}
        missing: list[str] = []
        for name, parameter in parameters.items():
            if name in taken or parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                continue
            is_required = parameter.default is parameter.empty
            value = self.value_of(parameter) if is_required else self.arguments.get(name, parameter.empty)
            if parameter.kind is parameter.POSITIONAL_ONLY:
                value = parameter.empty
            if is_required and value is parameter.empty:
                value = self.example.value(name, positional, parameter.empty)
            if value is not parameter.empty:
                values[name] = value
            elif is_required:
                missing.append(name)
        if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
            values |= {name: value for name, value in self.arguments.items() if name not in parameters and name not in taken}
        return Filled(values, tuple(missing))


@dataclass(frozen=True, slots=True)
class Filled:
    """Arguments that a call gets.

    Attributes:
        values: by name.
        missing: names of arguments that must be given, and are not.
    """

    values: Mapping[str, Any]
    missing: tuple[str, ...]


def parameters_of(factory: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    """The parameters of a class or function; none where they are not known."""
    try:
        return inspect.signature(factory).parameters
    except (TypeError, ValueError):
        return {}


def _extent(extents: int | tuple[int, ...], parameter: inspect.Parameter) -> Any:
    """One number for a square image, unless the annotation asks for several."""
    wants_several = str(parameter.annotation).lower().removeprefix("typing.").startswith(("tuple", "<class 'tuple'"))
    if isinstance(extents, int):
        return (extents, extents) if wants_several else extents
    return tuple(extents) if wants_several or len(set(extents)) > 1 else extents[0]
