"""Which module of the original model an ONNX node belongs to, as far as the file says.

Files written by torch name modules in one of two ways: in the metadata of a node, or in its name ("/layer1/layer1.0/conv1/Conv").
Weights have the names of the model's parameters unless they were changed on the way. Nodes of other files are modules of their own.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rfcheck.target.budgets import require_shallow
from rfcheck.target.listing import Scope

if TYPE_CHECKING:
    import onnx

_WEIGHT = re.compile(r"^(?P<path>[^\W\d][\w-]*(?:\.[\w-]+)*)\.weight$")
_PATHS, _CLASSES = "pkg.torch.onnx.name_scopes", "pkg.torch.onnx.class_hierarchy"
_WITH_WEIGHT = frozenset({"Conv", "ConvTranspose", "FusedConv", "FusedGemm", "Gemm"})


def scopes_of(nodes: Sequence[onnx.NodeProto]) -> list[tuple[Scope, ...]]:
    """The module calls around each node of a graph, the outermost first; with a class name for each module."""
    by_name = any(node.name.startswith("/") for node in nodes)
    scopes = []
    for index, node in enumerate(nodes):
        written = _from_metadata(node)
        if written is None:
            written = _from_name(node.name) if by_name else (_own(node, index),)
        scopes.append(written)
    if by_name:
        scopes = _uninterrupted(scopes)
    return _with_types([_of_weight(node, around) for node, around in zip(nodes, scopes, strict=True)], nodes)


def _of_weight(node: onnx.NodeProto, scopes: tuple[Scope, ...]) -> tuple[Scope, ...]:
    """The scopes that lead to the module whose weight a node reads, where the file names others; a call of its own each time."""
    owner = _WEIGHT.match(node.input[1]) if node.op_type in _WITH_WEIGHT and len(node.input) > 1 else None
    if owner is None or (scopes and scopes[-1].path == owner["path"]):
        return scopes
    path, call = owner["path"], scopes[-1].call if scopes else owner["path"]
    return (*(scope for scope in scopes if path.startswith(f"{scope.path}.")), Scope(path, "", call))


def _uninterrupted(scopes: Sequence[tuple[Scope, ...]]) -> list[tuple[Scope, ...]]:
    """Scopes from names, where nodes that the exporter made without one inside a call belong to that call.

    Args:
        scopes: around each node; calls have names of their own, so that one that goes on later was not over.
    """
    last = {scope.call: index for index, around in enumerate(scopes) for scope in around}
    found: list[tuple[Scope, ...]] = []
    current: tuple[Scope, ...] = ()
    for index, around in enumerate(scopes):
        kept = len(around)
        if around == current[:kept]:
            while kept < len(current) and last[current[kept].call] > index:
                kept += 1
            around = current[:kept]
        current = around
        found.append(around)
    return found


def _from_metadata(node: onnx.NodeProto) -> tuple[Scope, ...] | None:
    """What torch's newer exporter writes: two lists, whose last entries are the operator itself."""
    held = {entry.key: entry.value for entry in node.metadata_props}
    if _PATHS not in held or _CLASSES not in held:
        return None
    try:
        paths, classes = ast.literal_eval(held[_PATHS]), ast.literal_eval(held[_CLASSES])
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None
    if not isinstance(paths, list) or not isinstance(classes, list):
        return None
    require_shallow(len(paths), node.name)
    pairs = zip(paths[:-1], classes[:-1], strict=False)
    return tuple(Scope(_dotted(path), str(kind).rpartition(".")[2], path) for path, kind in pairs if isinstance(path, str) and path)


def _from_name(name: str) -> tuple[Scope, ...]:
    """What torch's older exporter writes: a folder per module call, where children of a sequence repeat the name of that."""
    parts = name.removeprefix("/").split("/")[:-1]
    require_shallow(len(parts), name)  # before the paths are made: together they are as long as the square of the depth
    paths: list[str] = []
    for part in parts:
        outer = paths[-1] if paths else ""
        prefix, _, own = part.rpartition(".")
        is_child = bool(prefix) and f".{outer}".endswith(f".{prefix}")
        paths.append(".".join(filter(None, (outer, _dotted(own if is_child else part)))))
    return tuple(Scope(path, "", path) for path in paths)


def _own(node: onnx.NodeProto, index: int) -> Scope:
    name = node.name or next(iter(node.output), "") or f"{node.op_type}_{index}"
    path = _dotted(re.sub(r"[/:]+", ".", name).strip("."))
    return Scope(path, "", path)


def _dotted(path: str) -> str:
    """A path whose parts can be names of modules."""
    return ".".join(part for part in path.split(".") if part) or "unnamed"


def _with_types(scopes: Sequence[tuple[Scope, ...]], nodes: Sequence[onnx.NodeProto]) -> list[tuple[Scope, ...]]:
    """Scopes with a class name each: that of the file, or for a module that stands for one kind of operator the name of that."""
    outer = {scope.path for around in scopes for scope in around[:-1]}
    kinds: dict[str, set[str]] = {}
    for around, node in zip(scopes, nodes, strict=True):
        if around:
            kinds.setdefault(around[-1].path, set()).add(node.op_type)
    named = {path: min(found) for path, found in kinds.items() if len(found) == 1 and path not in outer}
    return [tuple(replace(s, type=s.type or named.get(s.path, "Module")) for s in around) for around in scopes]
