"""From the nodes of an exported program to steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch

from rfcheck.errors import TargetError
from rfcheck.target.exported.arguments import Argument, Written, argument, dtype_of, named
from rfcheck.target.exported.operators import evaluated, is_check, is_inlined, on_sizes, operator_of, qualified
from rfcheck.target.listing import Run, Scope, Step
from rfcheck.target.unknown_operator import apply_unknown


def steps_of(graph: Written, prefix: str = "") -> Iterable[Step]:
    """The steps of a graph; the names of an inner graph get a prefix of their own."""
    for node in graph["nodes"]:
        target = node["target"]
        if is_check(target):
            continue
        if is_inlined(target):
            yield from _inlined(node, prefix)
        else:
            yield _step(node, graph["tensor_values"], prefix)


def _inlined(node: Written, prefix: str) -> Iterable[Step]:
    """The steps of an inner graph, between two that hand values in and out."""
    given = [entry["arg"] for entry in node["inputs"]]
    at = next(index for index, entry in enumerate(given) if "as_graph" in entry)
    inner = given[at]["as_graph"]
    inside = f"{prefix}{inner['name']}/"
    graph = inner["graph"]
    operands = given[at + 1 :]
    yield _moved(operands, prefix, graph["inputs"], inside)
    yield from steps_of(graph, inside)
    yield _moved(graph["outputs"], inside, node["outputs"], prefix)


def _moved(sources: Sequence[Written], there: str, targets: Sequence[Written], here: str) -> Step:
    read = [argument(source, there) for source in sources]
    write = _writer([name for target in targets for name in _names(target)], here)
    return Step("", None, None, lambda run: write(run, [value for part in read for value in _flat(part(run))]))


def _flat(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _names(written: Written) -> list[str | None]:
    """The names that one entry of a node's outputs gives to values."""
    ((kind, value),) = written.items()
    if kind == "as_none":
        return [None]
    return [named(part) for part in value] if isinstance(value, list) else [named(value)]


def _writer(names: Sequence[str | None], prefix: str) -> Callable[[Run, Sequence[Any]], None]:
    def write(run: Run, made: Sequence[Any]) -> None:
        run.keep((prefix + name, value) for name, value in zip(names, made, strict=False) if name is not None)

    return write


def _step(node: Written, described: Written, prefix: str) -> Step:
    target: str = node["target"]
    label = target.removeprefix("torch.ops.").removesuffix(".default")
    write = _writer([name for entry in node["outputs"] for name in _names(entry)], prefix)
    call = _call(node, described, prefix)
    makes_tensor = any("tensor" in kind for entry in node["outputs"] for kind in entry)
    scopes = scopes_of(node) if makes_tensor or not node["outputs"] else None
    first = next((prefix + name for entry in node["inputs"] for name in _tensor_names(entry["arg"])), None)
    return Step(label, scopes, first, lambda run: write(run, _flat(call(run))))


def _call(node: Written, described: Written, prefix: str) -> Argument:
    """What a node computes."""
    target: str = node["target"]
    given = [(entry["name"], argument(entry["arg"], prefix)) for entry in node["inputs"]]
    arithmetic = on_sizes(target)
    if arithmetic is not None:
        return lambda run: arithmetic(*(value(run) for _, value in given))
    found = operator_of(target)
    if found is None:
        return _unknown(node, described, [value for _, value in given])
    function = evaluated(found)
    sized = "upsample" in target and any(entry["arg"].get("as_ints") for entry in node["inputs"] if entry["name"] == "output_size")

    def call(run: Run) -> Any:
        arguments = {name: value(run) for name, value in given}
        if sized and run.is_resized and not (arguments.get("scale_factors") or arguments.get("scales_h")):
            wanted = "x".join(map(str, arguments["output_size"]))
            raise ValueError(f"resizes to {wanted}, a size that the program may have taken from the image it was exported with")
        return function(**arguments)

    return call


def _unknown(node: Written, described: Written, given: Sequence[Argument]) -> Argument:
    """An operator that rfcheck does not run: its results have the shapes that the file gives, as far as these hold at this size."""
    namespace, name = qualified(node["target"])
    results = [described[value] for entry in node["outputs"] for value in _tensor_names(entry) if value in described]
    first = next(
        (described[value] for entry in node["inputs"] for value in _tensor_names(entry["arg"]) if value in described), None
    )
    if not results or first is None:
        raise TargetError(f"the program calls {namespace}::{name}, which rfcheck cannot run, and does not say what it returns")

    def call(run: Run) -> Any:
        tensors = [t for value in given for t in _flat(value(run)) if isinstance(t, torch.Tensor)]
        shapes = [_shape_now(result["sizes"], first["sizes"], tensors[0].shape, run) for result in results]
        return apply_unknown(namespace, name, tensors, shapes, dtype_of(results[0]))

    return call


def _tensor_names(written: Written) -> list[str]:
    """The names of the tensors in an entry."""
    ((kind, value),) = written.items()
    parts = value if isinstance(value, list) else [value]
    names = [named(part) for part in parts if isinstance(part, dict)] if "tensor" in kind else []
    return [name for name in names if name is not None]


def _shape_now(result: Sequence[Written], read: Sequence[Written], shape: Sequence[int], run: Run) -> list[int]:
    """The shape of a result: where a dimension was that of the tensor read, it still is."""
    sizes: list[int] = []
    for dimension, written in enumerate(result):
        if len(result) == len(read) and written == read[dimension]:
            sizes.append(shape[dimension])
        elif "as_int" in written and (dimension < 2 or not run.is_resized):
            sizes.append(written["as_int"])
        else:
            raise ValueError("an operator that rfcheck cannot run, and the file does not say what it returns at this size")
    return sizes


def scopes_of(node: Written) -> tuple[Scope, ...] | None:
    """The module calls around a node, the outermost first, without the model itself; None where the file does not say."""
    stack = stack_of(node)
    return tuple(Scope(path, kind.rpartition(".")[2], call) for call, path, kind in stack if path) if stack else None


def stack_of(node: Written) -> list[list[str]]:
    """What tells a call, the dotted name and the class of each module around a node, the model first."""
    entries = (entry.split(",", 2) for entry in node["metadata"].get("nn_module_stack", "").split(";"))
    return [entry for entry in entries if len(entry) == 3]
