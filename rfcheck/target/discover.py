"""Find the models in a Python file: instances, classes and functions that can be called without arguments."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any

from torch import nn

from rfcheck.target.glance import FACTORY_NAMES
from rfcheck.target.statements import bound_names, imports_of


def instance_names(module: ModuleType, tree: ast.Module) -> list[str]:
    """Names of module-level models that a file does not merely import; a model with two names is listed once.

    Losses, activations and transforms are none: what has no parameters counts only if its class is the file's own.

    Args:
        module: the file, run.
        tree: of the file.
    """
    imports, own = imports_of(tree), bound_names(tree)
    seen: set[int] = set()
    names: list[str] = []
    for name, value in vars(module).items():
        is_public = not name.startswith("_") and (name in own or not (imports.stars or name in imports.names))
        if is_public and isinstance(value, nn.Module) and id(value) not in seen and _may_learn(value, module):
            seen.add(id(value))
            names.append(name)
    return names


def _may_learn(model: nn.Module, module: ModuleType) -> bool:
    return type(model).__module__ == module.__name__ or any(True for _ in model.parameters())


def function_names(module: ModuleType) -> list[str]:
    """Names of functions that make a model without arguments: by their annotation, or by a usual name."""
    return [
        name
        for name, value in vars(module).items()
        if inspect.isfunction(value)
        and not inspect.iscoroutinefunction(value)
        and value.__module__ == module.__name__
        and not name.startswith("_")
        and (name in FACTORY_NAMES or _returns_module(value, module))
        and not required_arguments(value)
    ]


def class_names(module: ModuleType) -> list[str]:
    """Names of the file's own module classes with a forward."""
    return [name for name, value in vars(module).items() if _is_own_model(value, module) and not name.startswith("_")]


def _is_own_model(value: Any, module: ModuleType) -> bool:
    return (
        inspect.isclass(value)
        and issubclass(value, nn.Module)
        and value.__module__ == module.__name__
        and inspect.getattr_static(value, "forward") is not nn.Module.forward  # TorchScript classes have it on instances only
        and not inspect.isabstract(value)
    )


def required_arguments(factory: Callable[..., Any]) -> list[str]:
    """Arguments that a class or function cannot be called without."""
    try:
        parameters = inspect.signature(factory).parameters.values()
    except (TypeError, ValueError):
        return []
    return [p.name for p in parameters if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]


def _returns_module(function: Callable[..., Any], module: ModuleType) -> bool:
    annotation = inspect.get_annotations(function).get("return")
    if isinstance(annotation, str):
        try:
            annotation = eval(annotation, dict(vars(module)))  # the annotation as Python itself would resolve it
        except Exception:
            return False
    return inspect.isclass(annotation) and issubclass(annotation, nn.Module)


def without_parts(classes: dict[str, type], built: dict[str, nn.Module]) -> list[str]:
    """The classes that are models of their own: not a part, and not the class, of another model that was found.

    Args:
        classes: candidate classes by name.
        built: every model found, by name; for a class, an instance of it.
    """
    kept: list[str] = []
    for name, cls in classes.items():
        others = [model for other, model in built.items() if other != name]
        inside = any(type(part) is cls for model in others for part in model.modules() if part is not model)
        same = any(type(model) is cls for other, model in built.items() if other not in classes)
        if not (inside or same):
            kept.append(name)
    return kept
