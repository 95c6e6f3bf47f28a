"""Which functions make models, by their annotations or by what they return; nothing of them is run to find out."""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import linecache
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import FunctionType, ModuleType
from typing import Any

from torch import nn

from rfcheck.target.uses import Function

_GIVE_BACK = frozenset({
    "apply", "bfloat16", "cpu", "cuda", "double", "eval", "float", "half", "requires_grad_", "share_memory", "to", "to_empty",
    "train", "type",
})  # fmt: skip
"""Methods of a module that return it."""

_PASS_ON = frozenset({"compile", "convert_sync_batchnorm", "deepcopy", "script", "spectral_norm", "weight_norm"})
"""Functions that return the module that they are given, or one like it."""

_WORK = frozenset({"DataLoader", "backward", "fit", "input", "parse_args", "parse_known_args", "step"})
"""What a function that makes a model, and nothing else, does not call."""

_DEEPEST = 12

_UNKNOWN = object()


@dataclass(frozen=True)
class _Scope:
    """The names of a function's body.

    Attributes:
        globals: of the module that it stands in.
        bound: expressions that its own names are given.
        imported: dotted places of what it imports.
    """

    globals: Mapping[str, Any]
    bound: Mapping[str, list[ast.expr]] = field(default_factory=dict)
    imported: Mapping[str, tuple[str, str | None]] = field(default_factory=dict)

    @classmethod
    def of(cls, function: Function | ast.Lambda, names: Mapping[str, Any]) -> _Scope:
        bound: dict[str, list[ast.expr]] = {}
        imported: dict[str, tuple[str, str | None]] = {}
        for node in _own_nodes(function):
            if isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr) and node.value is not None:
                for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                    if isinstance(target, ast.Name):
                        bound.setdefault(target.id, []).append(node.value)
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    imported[alias.asname or alias.name.partition(".")[0]] = (
                        alias.name if alias.asname else alias.name.partition(".")[0],
                        None,
                    )
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                for alias in node.names:
                    imported[alias.asname or alias.name] = (node.module, alias.name)
        return cls(names, bound, imported)

    def value(self, node: ast.expr) -> Any:
        """What a name or an attribute stands for when the function is not running; `_UNKNOWN` for what is made in it."""
        if isinstance(node, ast.Name):
            if node.id in self.bound:
                return _UNKNOWN
            if node.id in self.imported:
                return _imported(*self.imported[node.id])
            return self.globals.get(node.id, _UNKNOWN)
        if isinstance(node, ast.Attribute):
            holder = self.value(node.value)
            if isinstance(holder, ModuleType) or inspect.isclass(holder):
                return getattr(holder, node.attr, _UNKNOWN)
        return _UNKNOWN


def makes_module(factory: Callable[..., Any], depth: int = 0) -> bool:
    """Whether a function is annotated to return a Module, or returns the result of a call that makes one."""
    if isinstance(factory, functools.partial):
        return _value_makes(factory.func, depth + 1)
    function = inspect.unwrap(factory)
    if depth > _DEEPEST or not isinstance(function, FunctionType) or inspect.iscoroutinefunction(function):
        return False
    if is_annotated(function):
        return True
    node = _source_of(function.__code__.co_filename, function.__code__.co_firstlineno, function.__name__)
    return node is not None and returns_module(node, function.__globals__, depth)


def is_annotated(factory: Callable[..., Any]) -> bool:
    """Whether a function is annotated to return a Module."""
    function = inspect.unwrap(factory)
    annotation = inspect.get_annotations(function).get("return") if isinstance(function, FunctionType) else None
    for _ in range(2):  # a quoted name is quoted twice where annotations are not evaluated
        if isinstance(annotation, str):
            try:
                annotation = eval(annotation, dict(function.__globals__))  # the annotation as Python itself would resolve it
            except Exception:
                return False
    return _is_module_class(annotation)


def returns_module(node: Function | ast.Lambda, names: Mapping[str, Any], depth: int = 0) -> bool:
    """Whether what a function returns is a Module, as far as its text tells.

    Args:
        node: the function.
        names: of the module that it stands in.
        depth: how many functions have called it.
    """
    scope = _Scope.of(node, names)
    if isinstance(node, ast.Lambda):
        return _makes(node.body, scope, depth)
    nodes = list(_own_nodes(node))
    if any(isinstance(one, ast.Yield | ast.YieldFrom) for one in nodes):
        return False
    returned = [one.value for one in nodes if isinstance(one, ast.Return) and one.value is not None]
    return any(_makes(value, scope, depth) for value in returned)


def only_makes(code: Iterable[ast.AST]) -> bool:
    """Whether code calls nothing that trains, loads data or reads the command line."""
    called = [one.func for node in code for one in ast.walk(node) if isinstance(one, ast.Call)]
    return not _WORK & {one.id if isinstance(one, ast.Name) else getattr(one, "attr", "") for one in called}


def passed_classes(tree: ast.AST, names: Mapping[str, Any]) -> set[str]:
    """Names of module classes that a file passes to what makes a model: ``ResNet(BasicBlock, [2, 2])``."""
    scope = _Scope(names)
    found: set[str] = set()
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        if not _value_makes(scope.value(call.func), 1) and scope.value(call.func) is not functools.partial:
            continue
        arguments = [*call.args[scope.value(call.func) is functools.partial :], *(keyword.value for keyword in call.keywords)]
        named = [node for argument in arguments for node in _unpacked(argument) if isinstance(node, ast.Name)]
        found.update(node.id for node in named if _is_module_class(names.get(node.id)))
    return found


def _unpacked(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        for element in node.elts:
            yield from _unpacked(element)
    elif isinstance(node, ast.Dict):
        for value in node.values:
            yield from _unpacked(value)
    else:
        yield node


def _makes(node: ast.expr, scope: _Scope, depth: int, seen: frozenset[str] = frozenset()) -> bool:
    """Whether the value of an expression is a Module."""
    if depth > _DEEPEST:
        return False
    if isinstance(node, ast.Call):
        return _call_makes(node, scope, depth, seen)
    if isinstance(node, ast.IfExp):
        return _makes(node.body, scope, depth, seen) or _makes(node.orelse, scope, depth, seen)
    if isinstance(node, ast.BoolOp):
        return any(_makes(value, scope, depth, seen) for value in node.values)
    if isinstance(node, ast.NamedExpr):
        return _makes(node.value, scope, depth, seen)
    if isinstance(node, ast.Name) and node.id in scope.bound:
        return node.id not in seen and any(_makes(value, scope, depth, seen | {node.id}) for value in scope.bound[node.id])
    return isinstance(scope.value(node), nn.Module)


def _call_makes(node: ast.Call, scope: _Scope, depth: int, seen: frozenset[str]) -> bool:
    called = node.func
    if isinstance(called, ast.Attribute) and called.attr in _GIVE_BACK and _makes(called.value, scope, depth, seen):
        return True
    name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
    if name in _PASS_ON and any(_makes(argument, scope, depth, seen) for argument in node.args[:1]):
        return True
    if isinstance(called, ast.Subscript):  # a table of classes and functions
        table = scope.value(called.value)
        return isinstance(table, dict) and any(_value_makes(value, depth + 1) for value in [*table.values()][:100])
    if isinstance(called, ast.Name) and called.id in scope.bound:
        choices = [choice for value in scope.bound[called.id] for choice in _choices(value)]
        return any(_value_makes(scope.value(choice), depth + 1) for choice in choices)
    return _value_makes(scope.value(called), depth + 1)


def _choices(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.IfExp):
        yield from (*_choices(node.body), *_choices(node.orelse))
    else:
        yield node


def _value_makes(value: Any, depth: int) -> bool:
    """Whether what a call calls makes a Module."""
    if inspect.isclass(value):
        return _is_module_class(value)
    if inspect.ismethod(value):  # of a class: it returns cls(...)
        return _is_module_class(value.__self__) and _returns_own(value.__func__)
    if isinstance(value, nn.Module) or not callable(value):
        return False
    return makes_module(value, depth)


def _returns_own(function: Any) -> bool:
    code = inspect.unwrap(function).__code__
    node = _source_of(code.co_filename, code.co_firstlineno, function.__name__)
    if node is None or isinstance(node, ast.Lambda) or not node.args.args:
        return False
    scope = _Scope.of(node, {node.args.args[0].arg: nn.Module})
    returned = [one.value for one in _own_nodes(node) if isinstance(one, ast.Return) and one.value is not None]
    return any(_makes(value, scope, 1) for value in returned)


def _is_module_class(value: object) -> bool:
    return inspect.isclass(value) and issubclass(value, nn.Module)


def _own_nodes(function: Function | ast.Lambda) -> Iterator[ast.AST]:
    """The nodes of a function's body, without those of functions and classes in it."""
    waiting: list[ast.AST] = [function.body] if isinstance(function, ast.Lambda) else [*function.body]
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            waiting += ast.iter_child_nodes(node)


def _imported(module: str, name: str | None) -> Any:
    """What a function imports when it runs."""
    try:
        found = importlib.import_module(module)
    except Exception:  # whatever is wrong with it, the function will say so when it is called
        return _UNKNOWN
    return found if name is None else getattr(found, name, _UNKNOWN)


def _source_of(file: str, line: int, name: str) -> Function | ast.Lambda | None:
    """The definition of a function, by the line that its code begins at."""
    return _functions_in("".join(linecache.getlines(file))).get((name, line))


@lru_cache(maxsize=64)
def _functions_in(text: str) -> dict[tuple[str, int], Function | ast.Lambda]:
    try:
        nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, Function | ast.Lambda)]
    except (SyntaxError, ValueError, RecursionError):
        return {}
    return {_key(node): node for node in nodes}


def _key(node: Function | ast.Lambda) -> tuple[str, int]:
    if isinstance(node, ast.Lambda):
        return "<lambda>", node.lineno
    return node.name, min([node.lineno, *(one.lineno for one in node.decorator_list)])
