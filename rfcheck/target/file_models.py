"""The models in a Python file whose target names none."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn

from rfcheck.errors import NothingToAnalyzeError, TargetError
from rfcheck.target.blocks import channels_of_block
from rfcheck.target.buildable import NoModuleError, Target
from rfcheck.target.discover import Candidates, is_block, may_be_built, required_arguments
from rfcheck.target.examples import examples_of
from rfcheck.target.glance import no_model_in
from rfcheck.target.named import named_in_file, needed_arguments, run
from rfcheck.target.obvious import Filled, Given, parameters_of
from rfcheck.target.source import FileSource
from rfcheck.target.spec import TargetSpec, parse_target

_MOST_EXAMPLES = 3
"""Calls that are tried of what its defaults do not build."""


def models_in(source: FileSource, given: Given) -> list[Target]:
    """Every model in a file, and whatever looks like one and cannot be built.

    Raises:
        TargetError: if the file cannot be run, or holds one such thing and nothing else.
        NothingToAnalyzeError: if it holds no model, or none that can be built with what is given.
    """
    module = run(source, True)
    found = Candidates.of(module, source.tree)
    known = {name: _as_used(name, getattr(module, name), given, source.tree, module) for name in found.makers}
    filled = {name: known[name].filled(getattr(module, name)) for name in found.makers}
    buildable = [name for name in found.names if name not in filled or may_be_built(name, getattr(module, name), filled[name])]
    targets = {name: named_in_file(_spec_of(source, name), source, known.get(name, given)) for name in buildable}
    built: dict[str, nn.Module] = {}
    failures: dict[str, TargetError] = {}
    for name in buildable:
        try:
            targets[name], built[name] = _built(name, targets[name], source, module)
        except NoModuleError as error:
            failures |= {name: error} if found.is_said_to_make_one(name) else {}
        except TargetError as error:
            failures |= {} if found.is_base(name) else {name: error}
    shown = {type(model).__name__ for name, model in built.items() if name not in found.classes}
    failures = {name: error for name, error in failures.items() if name not in shown}  # a function of the file knows its arguments
    kept = _with_one_input(found.models(built), built)
    blocks = _blocks(kept, built, filled, given, module)
    kept = [name for name in kept if name not in blocks]
    if not kept and len(failures) == 1:
        raise next(iter(failures.values()))
    if not kept and not failures:
        raise _why_none(source.path, found, {name: filled[name] for name in filled if name not in buildable}, blocks)
    chosen = {name: targets[name] for name in kept}
    chosen |= {name: targets[name].failing_with(error) for name, error in failures.items()}
    return [chosen[name] for name in sorted(chosen, key=source.line_of)]


def _built(name: str, target: Target, source: FileSource, module: ModuleType) -> tuple[Target, nn.Module]:
    """A target with its model; where its defaults are none to build it with, as the file itself calls it.

    Raises:
        TargetError: if it cannot be built at all.
    """
    try:
        return target, target.build()[0]
    except NoModuleError:
        raise
    except TargetError:
        factory = vars(module)[name]
        for example in examples_of(name, source.tree, vars(module))[:_MOST_EXAMPLES]:
            spec = parse_target(target.label).with_arguments(example.named(parameters_of(factory)))
            with contextlib.suppress(TargetError):
                called = named_in_file(spec, source, Given())
                return called, called.build()[0]
        raise


def _as_used(name: str, factory: Callable[..., Any], given: Given, tree: ast.Module, module: ModuleType) -> Given:
    """What is known about the arguments of a class or function; where that is too little, with how the file itself calls it."""
    if not given.filled(factory).missing:
        return given
    tried = [given.like(example) for example in examples_of(name, tree, vars(module))]
    return next((one for one in tried if not one.filled(factory).missing), given)


def _blocks(
    names: list[str], built: Mapping[str, nn.Module], filled: Mapping[str, Filled], given: Given, module: ModuleType
) -> dict[str, int]:
    """The channels that building blocks read, by the names of what makes them."""
    widths = {
        name: channels_of_block(name, getattr(module, name), built[name], given, filled[name].values)
        for name in names
        if name in filled
    }
    return {name: width for name, width in widths.items() if width is not None}


def _why_none(path: Path, found: Candidates, needing: Mapping[str, Filled], widths: Mapping[str, int]) -> NothingToAnalyzeError:
    """What a file without a model that can be built holds instead."""
    if not found.classes and not widths:
        return no_model_in(path)
    blocked = [(name, filled.missing) for name, filled in needing.items() if filled.missing and not is_block(name)]
    if blocked and not widths:
        functions = [one for one in blocked if one[0] not in found.classes]
        return NothingToAnalyzeError(needed_arguments(str(path), *(functions or blocked)[-1]))
    examples = [(name, [*filled.values, *filled.missing]) for name, filled in needing.items()]
    written = [f"{path}:{name}({', '.join(f'{argument}=...' for argument in arguments)})" for name, arguments in examples]
    ready = [f"'{path}:{name}' with --channels {width}" for name, width in widths.items()]
    shown = ", ".join([*ready, *(f"'{example}'" for example in written[: not ready])])
    named = f": name one to analyse it, as in {shown}" if shown else ""
    names = [*found.classes, *(name for name in widths if name not in found.classes)]
    blocks = f"{', '.join(names)} {'is a building block' if len(names) == 1 else 'are building blocks'}"
    return NothingToAnalyzeError(f"{no_model_in(path)}; {blocks}{named}")


def _spec_of(source: FileSource, name: str) -> TargetSpec:
    return TargetSpec(f"{source.path}:{name}", "file", str(source.path), name)


def _with_one_input(names: list[str], built: dict[str, nn.Module]) -> list[str]:
    """Leave out modules that take several inputs, unless there is nothing else; without parameters, as losses are, in any case."""
    single = [name for name in names if len(required_arguments(built[name].forward)) <= 1]
    return single or [name for name in names if any(True for _ in built[name].parameters())]
