"""A look at a Python file before it is run: whether it can hold a model at all."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable, Mapping, Set
from pathlib import Path

from rfcheck.errors import NothingToAnalyzeError
from rfcheck.target.import_path import hidden_packages
from rfcheck.target.names import Names, dotted_name, names_in, root_of
from rfcheck.target.obvious import meaning_of
from rfcheck.target.statements import Definition, imports_of, names_of, statements_of
from rfcheck.target.suspects import Suspects, running_names, suspects_of

FACTORY_NAMES = frozenset({"model", "build_model", "create_model", "get_model", "make_model"})
"""Functions of these names make a model, whatever their annotation says."""


_TEST_PACKAGES = ("hypothesis", "pytest", "unittest")
"""Packages whose decorators return what they decorate, or a function that calls it."""


def no_model_in(path: Path | str) -> NothingToAnalyzeError:
    """The error that says that a file holds no model."""
    return NothingToAnalyzeError(
        f"{path}: holds no model; a model is a module-level instance that the file makes, a class that can be built without "
        f"arguments, or a function without arguments that returns one"
    )


def require_possible_model(target: str) -> None:
    """Refuse a file that certainly holds no model, without running it and without importing torch.

    What has arguments whose values nobody knows makes none. Targets of other kinds, and files that do not exist or cannot be
    parsed, pass: `load_targets` says what is wrong with them.

    Raises:
        NothingToAnalyzeError: if the target is a Python file that holds no model.
    """
    path = Path(target)
    if not target.endswith(".py") or not path.is_file():
        return
    try:
        with warnings.catch_warnings(action="ignore"):
            tree = ast.parse(path.read_bytes())
        possible = may_hold_model(tree, path)
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return
    if not possible:
        raise no_model_in(path)


def may_hold_model(tree: ast.Module, path: Path) -> bool:
    """Whether a file may hold a model, as far as its text can tell; a file that is refused holds none.

    Args:
        tree: of the file.
        path: of the file.
    """
    imports = imports_of(tree)
    hidden = hidden_packages(imports.packages(), path)
    statements = list(statements_of(tree))
    used = [names_of(statement, imports) for statement in statements]
    bound = {name for names in used for name in names.binds | names.bound_later}
    if not Suspects(imports, hidden, bound).can_exist(used):
        return False
    running = running_names(statements, used)
    suspects = suspects_of(running, imports, hidden, bound)
    if any(suspects.may_bind_any(names.reads) for names in running):
        return True
    if any(_may_make_model(node, names, suspects) for node, names in zip(statements, running, strict=True)):
        return True
    functions = {node.name: names for node, names in zip(statements, used, strict=True) if isinstance(node, ast.FunctionDef)}
    called = {root_of(name) for names in used for name in names.reads | names.read_later}  # perhaps with arguments to take over
    return any(_may_return_module(node, functions, called, suspects) for node in statements)


def _may_make_model(node: ast.AST, names: Names, suspects: Suspects) -> bool:
    """Whether a statement may bind a name to a model, or to what makes one."""
    if not isinstance(node, Definition):
        return not isinstance(node, ast.Try | ast.TryStar) and _has_public(names.binds) and suspects.among(names.reads)
    if _has_public(names.binds - {node.name}) and suspects.among(names.reads):
        return True  # a function that is called may bind global names
    if not _has_public({node.name}):
        return False
    if _may_be_replaced(node, names, suspects):
        return True
    if isinstance(node, ast.ClassDef):
        return suspects.among(names_in([*node.bases, *(keyword.value for keyword in node.keywords)]).reads)
    return _may_be_factory(node, suspects)


def _may_be_replaced(node: Definition, names: Names, suspects: Suspects) -> bool:
    """Whether a decorator may put a model in the place of a function or class."""
    for decorator in node.decorator_list:
        made_by = dotted_name(decorator.func if isinstance(decorator, ast.Call) else decorator)
        if made_by is None:
            return suspects.among(names.reads)
        if not suspects.is_from(made_by, _TEST_PACKAGES) and suspects.among(names_in([decorator]).reads):
            return True
    return False


def _has_public(names: set[str]) -> bool:
    return any(not name.startswith("_") for name in names)


def _may_be_factory(node: ast.FunctionDef | ast.AsyncFunctionDef, suspects: Suspects) -> bool:
    if not node.decorator_list and (isinstance(node, ast.AsyncFunctionDef) or _needs_arguments(node.args)):
        return False
    return node.name in FACTORY_NAMES or _may_name_module(node.returns, suspects)


def _may_return_module(node: ast.AST, functions: Mapping[str, Names], called: Set[str], suspects: Suspects) -> bool:
    """Whether a function may return a Module, itself or through others of the file."""
    if not isinstance(node, ast.FunctionDef) or not _has_public({node.name}):
        return False
    if _needs_arguments(node.args) and node.name not in called:
        return False
    returned = [one.value for one in ast.walk(node) if isinstance(one, ast.Return) and one.value is not None]
    assigned = [one for one in ast.walk(node) if isinstance(one, ast.Assign | ast.AnnAssign | ast.NamedExpr)]
    reads, waiting = set[str](), [*_all_names(returned)]
    while waiting:
        name = waiting.pop()
        if name in reads:
            continue
        reads.add(name)
        waiting += [other for one in assigned if name in names_in([one]).binds for other in _all_names([one])]
        helper = functions.get(root_of(name))
        waiting += [] if helper is None else helper.read_later
    return suspects.among(reads)


def _all_names(code: Iterable[ast.AST]) -> set[str]:
    names = names_in(code)
    return names.reads | names.read_later


def _needs_arguments(arguments: ast.arguments) -> bool:
    """Whether a function has to be told what nobody can know."""
    positional = [*arguments.posonlyargs, *arguments.args]
    required = positional[: len(positional) - len(arguments.defaults)]
    required += [one for one, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if default is None]
    return any(meaning_of(one.arg) is None for one in required)


def _may_name_module(annotation: ast.expr | None, suspects: Suspects) -> bool:
    """Whether the annotation of what a function returns may be a subclass of Module."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        try:
            return _may_name_module(ast.parse(annotation.value, mode="eval").body, suspects)
        except (SyntaxError, ValueError):
            return False
    if isinstance(annotation, ast.Subscript):  # list[Net] is no class; what a registry gives for a name may be one
        annotation = annotation.value
    return annotation is not None and suspects.among(names_in([annotation]).reads)
