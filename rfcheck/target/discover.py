"""Find the models in a Python file that was run: instances, classes and functions, apart from what others are made of."""

from __future__ import annotations

import ast
import functools
import inspect
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import Any

from torch import nn

from rfcheck.target.factories import is_annotated, makes_module, only_makes, passed_classes, returns_module
from rfcheck.target.glance import FACTORY_NAMES
from rfcheck.target.obvious import Filled, meaning_of, parameters_of
from rfcheck.target.statements import bound_names, imports_of
from rfcheck.target.uses import Uses, is_unfinished, makes_layers

_WORKING = re.compile(r"(main|run|demo|debug|example|train|test|fit|eval|evaluate|predict|infer|benchmark|profile)(_|$|[A-Z])")
"""Names of functions that do something with a model, whatever they return."""

_BLOCK = re.compile(
    r"((?i:block|layer|unit)s?|Act|Activation|Add|Attention|Attn|Bottleneck|Branch|Cat|Cell|Concat|Conv|ConvBNReLU|Down|Downsample|Drop|"
    r"Dropout|Embed|Embedding|FFN|Flatten|Focus|Fusion|Gate|Head|Identity|Linear|Loss|Mlp|Module|Neck|Norm|"
    r"Pool|Pooling|Pyramid|ReLU|Reduction|Residual|SE|SPP|Scale|Shortcut|Shuffle|Split|Stage|Stem|Transition|Up|Upsample)"
    r"(?:[0-9]*|[0-9]+[dD]|V[0-9]+|_[a-zA-Z0-9]*)$"
)
"""How the names of building blocks end."""

_NETWORK = re.compile(
    r"(net|net[a-z]?[0-9]*|model|cnn|former|classifier|generator|discriminator|autoencoder|backbone|vae|gan|vgg)", re.I
)


@dataclass(frozen=True, slots=True)
class Candidates:
    """What may be a model in a file that was run.

    Attributes:
        names: of instances, functions and classes.
        makers: those of functions and classes.
        classes: all module classes of the file, parts of others included.
        said: the functions that are annotated, or called as what makes a model.
        uses: of the file.
    """

    names: tuple[str, ...]
    makers: tuple[str, ...]
    classes: tuple[str, ...]
    said: frozenset[str]
    uses: Uses

    @classmethod
    def of(cls, module: ModuleType, tree: ast.Module) -> Candidates:
        """Everything in a file that its text does not show to be a part of something else.

        Args:
            module: the file, run.
            tree: of the file.
        """
        uses, names = Uses.in_file(tree), vars(module)
        classes, functions = class_names(module, uses), function_names(module, uses)
        parts = uses.parts(classes, passed_classes(tree, names))
        makers = [name for name in (*functions, *classes) if name not in parts]
        said = frozenset(name for name in functions if name in FACTORY_NAMES or is_annotated(names[name]))
        return cls((*instance_names(module, tree), *makers), tuple(makers), tuple(classes), said, uses)

    def is_said_to_make_one(self, name: str) -> bool:
        """Whether a function is annotated to make a model, or called so."""
        return name in self.said

    def is_base(self, name: str) -> bool:
        """Whether a class is the base of others in the file, and need not be complete itself."""
        return name in self.classes and name in self.uses.bases()

    def models(self, built: Mapping[str, nn.Module]) -> list[str]:
        """Those that are models, by what was built of them."""
        kept = [name for name in self.names if name in built and self._is_model(name, built[name])]
        return without_parts(kept, built, self.classes, [name for name in self.names if name not in self.makers])

    def _is_model(self, name: str, model: nn.Module) -> bool:
        if name not in self.makers:
            return True
        if name not in self.classes:
            return name in self.said or any(True for _ in model.children()) or _is_of_users(model)
        node = self.uses.classes.get(name)
        has_layers = any(True for _ in model.parameters()) or (node is not None and makes_layers(node))
        return has_layers and not (node is not None and self.is_base(name) and is_unfinished(node, model))


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


def function_names(module: ModuleType, uses: Uses) -> list[str]:
    """Names of functions that make a model: by their annotation, by a usual name, or by what they return.

    Args:
        module: the file, run.
        uses: of the file.
    """
    return [name for name, value in vars(module).items() if not name.startswith("_") and _is_factory(name, value, module, uses)]


def _is_factory(name: str, value: Any, module: ModuleType, uses: Uses) -> bool:
    node = uses.functions.get(name)
    if node is None:  # partial(ResNet, Block), a lambda, or a function that was put there
        is_own = name in uses.used and (isinstance(value, functools.partial) or getattr(value, "__name__", "") == "<lambda>")
        is_usual = isinstance(value, FunctionType) and value.__module__ == module.__name__ and name in FACTORY_NAMES
        return (is_own and makes_module(value)) or (is_usual and not inspect.iscoroutinefunction(value))
    if isinstance(node, ast.AsyncFunctionDef) or inspect.isclass(value) or isinstance(value, nn.Module) or not callable(value):
        return False
    return name in FACTORY_NAMES or is_annotated(value) or _returns_model(name, node, module, uses)


def _returns_model(name: str, node: ast.FunctionDef, module: ModuleType, uses: Uses) -> bool:
    called = [uses.functions[one] for one in uses.reached_from(name) if one in uses.functions]
    return _WORKING.match(name) is None and returns_module(node, vars(module)) and only_makes([node, *called])


def class_names(module: ModuleType, uses: Uses) -> list[str]:
    """Names of the file's own module classes with a forward, also of those that a decorator put in their place; each once.

    Args:
        module: the file, run.
        uses: of the file.
    """
    found = {name: value for name, value in vars(module).items() if not name.startswith("_") and _is_model_class(value)}
    own = [name for name, value in found.items() if name in uses.classes or value.__module__ == module.__name__]
    first = {id(found[name]): name for name in reversed(own)}
    return [name for name in own if first[id(found[name])] == name]


def _is_model_class(value: Any) -> bool:
    return (
        inspect.isclass(value)
        and issubclass(value, nn.Module)
        and inspect.getattr_static(value, "forward") is not nn.Module.forward  # TorchScript classes have it on instances only
        and not inspect.isabstract(value)
    )


def required_arguments(factory: Callable[..., Any]) -> list[str]:
    """Arguments that a class or function cannot be called without."""
    return [
        name
        for name, p in parameters_of(factory).items()
        if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    ]


def is_block(name: str) -> bool:
    """Whether a class has the name of a building block."""
    return _BLOCK.search(name) is not None


def is_network(name: str) -> bool:
    """Whether a class has the name of a whole network."""
    return _NETWORK.search(name) is not None


def may_be_built(name: str, factory: Callable[..., Any], filled: Filled) -> bool:
    """Whether the arguments that a class or function gets make a model of it.

    A building block, too, is often told nothing but the channels of its input; only what is called a network is one then.

    Args:
        name: of the class or function.
        factory: the class or function.
        filled: what it gets.
    """
    if filled.missing:
        return False
    told = {meaning_of(argument) for argument in filled.values if argument in required_arguments(factory)}
    if told != {"channels"} or any(meaning_of(argument) in ("classes", "extent") for argument in parameters_of(factory)):
        return True
    return is_network(name) and not is_block(name)


def without_parts(
    names: Sequence[str], built: Mapping[str, nn.Module], classes: Collection[str], instances: Collection[str] = ()
) -> list[str]:
    """The models that are no part of another one, and, of a class, not what another one that was found builds as well.

    A file that makes an instance of a class says itself how the class is to be called.

    Classes are compared by their names: a file may have been run twice.

    Args:
        names: candidates.
        built: every model found, by name.
        classes: those of the candidates that are classes.
        instances: those of them that the file makes when it runs.
    """
    inside = {name: {_kind(part) for part in model.modules() if part is not model} for name, model in built.items()}
    kept: list[str] = []
    for name in names:
        kind = _kind(built[name])
        others = [other for other in built if other != name]
        is_part = name in classes and any(kind in inside[other] and _kind(built[other]) not in inside[name] for other in others)
        is_twin = name in classes and any(
            other not in classes
            and kind == _kind(built[other])
            and (other in instances or _structure(built[name]) == _structure(built[other]))
            for other in others
        )
        if not (is_part or is_twin):
            kept.append(name)
    return kept


def _is_of_users(model: nn.Module) -> bool:
    return not type(model).__module__.startswith("torch.nn.")


def _kind(model: nn.Module) -> tuple[str, str]:
    return type(model).__module__, type(model).__qualname__


def _structure(model: nn.Module) -> list[Any]:
    """What tells that two modules were made with the same arguments: their parts, the shapes of tensors, and plain attributes."""
    found: list[Any] = []
    for path, module in model.named_modules():
        plain = {name: value for name, value in vars(module).items() if _is_plain(value)}
        shapes = [(name, tuple(tensor.shape)) for name, tensor in _own_tensors(module) if tensor is not None]
        found.append((path, _kind(module), plain, shapes, module.extra_repr()))
    return found


def _own_tensors(module: nn.Module) -> list[tuple[str, Any]]:
    return [*module._parameters.items(), *module._buffers.items()]


def _is_plain(value: object) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, bool | int | float | str)
