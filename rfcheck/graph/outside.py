"""Layers that the image does not reach, as far as torch's operators say: what is said of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import networkx as nx

from rfcheck.graph.records import ConstantRecord
from rfcheck.span import Span

_LAYERS = ("conv", "linear", "recurrent", "attention", "pool")


def sentence(graph: nx.DiGraph, name: str, ways: Sequence[str]) -> str:
    """What is said of values that something other than torch has computed.

    Args:
        graph: the whole graph.
        name: node of these values.
        ways: how values left torch; empty if that was not seen.
    """
    reader = _first_layer(graph, name)
    last = list(graph._pred[name])[-1]
    subject = f"{reader} reads values" if reader else "the forward uses values"
    unknown = "its receptive field is unknown" if reader else "their receptive field is unknown"
    if not ways:
        return f"{subject} that no operator of torch has computed, the last one before is {last}; {unknown}"
    return f"{subject} that left torch ({', '.join(ways)}) behind {last}; {unknown}"


def _first_layer(graph: nx.DiGraph, name: str) -> str | None:
    """The first layer, in execution order, that reads a node, if only through other operators."""
    behind = {name}
    for node, attributes in graph._node.items():
        if not behind.isdisjoint(graph._pred[node]):
            if attributes["kind"] in _LAYERS:
                return str(node)
            behind.add(node)
    return None


def constant_layers(
    constants: Sequence[ConstantRecord], flops: Sequence[int], sources: Mapping[str, tuple[Span, ...]]
) -> list[dict[str, Any]]:
    """The calls of layers whose input does not depend on the image; products of weights alone are no such calls.

    Args:
        constants: costly calls on constants.
        flops: multiply-accumulates of each.
        sources: for every module, the code that made it.
    """
    found: list[dict[str, Any]] = []
    for record, cost in zip(constants, flops, strict=True):
        call = record.call
        own = [{p for p in tensor.params if p.rpartition(".")[0] == call.path} for tensor in record.tensors]
        has_weight = any(names and names == tensor.params for names, tensor in zip(own, record.tensors, strict=True))
        if call.path and call.is_leaf and has_weight and not all(own):
            name = call.path if call.repeat == 1 else f"{call.path}:{call.repeat}"
            params = tuple(sorted(set().union(*own)))
            found.append({"name": name, "flops": cost, "param_names": params, "source": sources.get(call.path, ())})
    return found
