"""Models by their names in Python files and modules: classes and functions are called, with the arguments that they need."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

from torch import nn

from rfcheck.errors import TargetError
from rfcheck.suggestions import did_you_mean
from rfcheck.target.buildable import Target, require_module
from rfcheck.target.building import building
from rfcheck.target.obvious import Given, example_value
from rfcheck.target.origin import ConstructionSites
from rfcheck.target.source import FileSource, import_named
from rfcheck.target.spec import TargetSpec


def named_in_module(spec: TargetSpec, given: Given) -> Target:
    """What a target names in a module that is imported.

    Raises:
        TargetError: if it is not there, or makes no model with what is given.
    """
    sites = ConstructionSites()
    with sites.recording():
        module = import_named(spec.place)
    return _named(spec, lambda _: module, None, sites, given)


def named_in_file(spec: TargetSpec, source: FileSource, given: Given) -> Target:
    """What a target names in a file.

    Raises:
        TargetError: if it is not there, or makes no model with what is given.
    """
    return _named(spec, lambda on_meta: run(source, on_meta), source, source.sites, given)


def run(source: FileSource, on_meta: bool) -> ModuleType:
    """The file's module; run normally where it does not run on the meta device."""
    if on_meta:
        try:
            return source.module(on_meta=True)
        except TargetError:
            pass
    return source.module(on_meta=False)


def _named(
    spec: TargetSpec, module: Callable[[bool], ModuleType], source: FileSource | None, sites: ConstructionSites, given: Given
) -> Target:
    assert spec.attribute is not None
    value = _attribute(spec, module(True))
    spec = _completed(spec, value, given)

    def make(on_meta: bool) -> nn.Module:
        made = _attribute(spec, module(on_meta))
        if not isinstance(made, nn.Module):
            with building(spec.text, made, sites, on_meta=on_meta):
                made = made(*spec.args, **spec.kwargs)
        return require_module(spec.text, made)

    line = source.line_of((spec.attribute or "").partition(".")[0]) if source else None
    return Target(spec.text, str(source.path) if source else None, line, make, sites, isinstance(value, nn.Module))


def _attribute(spec: TargetSpec, module: ModuleType) -> Any:
    value: Any = module
    assert spec.attribute is not None
    for part in spec.attribute.split("."):
        if not hasattr(value, part):
            public = [n for n in vars(value) if not n.startswith("_")] if hasattr(value, "__dict__") else []
            models = [n for n in public if isinstance(getattr(value, n), nn.Module) or inspect.isclass(getattr(value, n))]
            hint = did_you_mean(part, public, f"it has {', '.join(models[:5]) or 'no models'}", 3)
            raise TargetError(f"{spec.text}: {spec.place} has no {part!r}; {hint}")
        value = getattr(value, part)
    return value


def _completed(spec: TargetSpec, value: Any, given: Given) -> TargetSpec:
    """A call with the arguments that it needs; those that are added are part of its name, so that reports say them."""
    if isinstance(value, nn.Module):
        if spec.is_call:
            raise TargetError(f"{spec.text}: {spec.attribute} is a model already, not a function; leave the arguments out")
        return spec
    if not callable(value):
        raise TargetError(f"{spec.text}: {spec.attribute} is a {type(value).__name__}, not a model or a function that makes one")
    filled = given.filled(value, len(spec.args), spec.kwargs)
    if filled.missing:
        raise TargetError(needed_arguments(spec.place, spec.attribute or "", filled.missing))
    return spec.with_arguments(filled.values) if filled.values else spec


def needed_arguments(place: str, name: str, missing: Sequence[str]) -> str:
    """What to say of a class or function that cannot be called without more arguments."""
    example = ", ".join(f"{argument}={example_value(argument)}" for argument in missing)
    return f"{place}:{name} needs the arguments {', '.join(missing)}; give them as '{place}:{name}({example})'"
