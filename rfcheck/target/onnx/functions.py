"""Local functions of ONNX files, put in the places where they are called, as far as that ends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from rfcheck.errors import TargetError
from rfcheck.target.budgets import MOST_OPERATORS
from rfcheck.target.onnx.wiring import graphs_of, nodes_in

if TYPE_CHECKING:
    import onnx

_COUNTED = 10**9
"""Where counting ends."""

_Name = tuple[str, str, str]
"""Domain, name and overload of a function."""


def without_functions(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with the operators of its local functions instead of calls.

    Raises:
        TargetError: if a function calls itself, or the calls expand to more operators than any model needs.
    """
    if not model.functions:
        return model
    _require_bounded(model)
    from onnx import inliner

    inlined: onnx.ModelProto = inliner.inline_local_functions(model)
    return inlined


def _require_bounded(model: onnx.ModelProto) -> None:
    """Count what the calls expand to without expanding them: along the tree of calls, each function once."""
    bodies = {_of_function(function): Counter(map(_of_node, _nodes_of(function.node))) for function in model.functions}
    expanded: dict[_Name, int] = {}
    for name in _callees_first(bodies):
        expanded[name] = _expanded(bodies[name], expanded)
    number = _expanded(Counter(map(_of_node, nodes_in(model.graph))), expanded)
    if number > MOST_OPERATORS:
        counted = f"{number:,}" if number < _COUNTED else f"{number:,} or more"
        raise TargetError(
            f"its local functions expand to {counted} operators, at most {MOST_OPERATORS:,} are read; "
            "export a part of the model, or without functions"
        )


def _expanded(calls: Counter[_Name], expanded: Mapping[_Name, int]) -> int:
    return min(sum(times * expanded.get(name, 1) for name, times in calls.items()), _COUNTED)


def _callees_first(bodies: Mapping[_Name, Counter[_Name]]) -> Iterator[_Name]:
    """The functions in an order in which each comes after those that it calls; without recursion, as chains may be long."""
    done: set[_Name] = set()
    for start in bodies:
        opened: dict[_Name, Iterator[_Name]] = {} if start in done else {start: iter(bodies[start])}
        while opened:
            name = next(reversed(opened))
            called = next((other for other in opened[name] if other in bodies and other not in done), None)
            if called is None:
                del opened[name]
                done.add(name)
                yield name
            elif called in opened:
                raise TargetError(f"its local function {called[1]!r} calls itself, and would be expanded without end")
            else:
                opened[called] = iter(bodies[called])


def _nodes_of(nodes: Iterable[onnx.NodeProto]) -> Iterator[onnx.NodeProto]:
    for node in nodes:
        yield node
        for graph in graphs_of(node):
            yield from nodes_in(graph)


def _of_function(function: onnx.FunctionProto) -> _Name:
    return function.domain, function.name, getattr(function, "overload", "")


def _of_node(node: onnx.NodeProto) -> _Name:
    return node.domain, node.op_type, getattr(node, "overload", "")
