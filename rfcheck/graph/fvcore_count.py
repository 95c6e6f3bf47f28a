"""Count multiply-accumulates with fvcore instead of torch's formulas."""

from __future__ import annotations

import logging
import warnings
from collections import Counter
from typing import Any

import networkx as nx
import torch
from torch import nn

from rfcheck.errors import TraceError
from rfcheck.graph.borrow import WriteGuard, borrow
from rfcheck.undoing import undone_after

_KINDS = {
    "conv": "conv",
    "linear": "linear",
    "addmm": "linear",
    "batch_norm": "norm",
    "layer_norm": "norm",
    "group_norm": "norm",
    "instance_norm": "norm",
    "adaptive_avg_pool2d": "pool",
    "matmul": "matmul",
    "bmm": "matmul",
    "einsum": "matmul",
    "scaled_dot_product_attention": "attention",
}


def recount_with_fvcore(graph: nx.DiGraph, model: nn.Module) -> None:
    """Replace the multiply-accumulates in a graph by those of fvcore.

    fvcore counts per module and kind of operator; where a module makes several calls of one kind, they share its
    count in proportion to torch's formulas. It also counts normalisation, pooling and interpolation, which those leave out.

    Args:
        graph: as made by `rfcheck.graph.build.build_graph`; changed in place.
        model: the model; run once for real, on zeros.

    Raises:
        TraceError: if fvcore cannot trace the model.
    """
    own = _own_counts(graph, model)
    by_module: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for node in graph._node.values():
        by_module.setdefault((node["module"], node["kind"]), []).append(node)
    known = {id(node): max(node["flops"], 1) for node in graph._node.values()}
    for node in graph._node.values():
        node["flops"] = 0
    constants: list[dict[str, Any]] = []
    for (module, operator), flops in own.items():
        nodes = by_module.get((module, _KINDS.get(operator, operator)))
        if nodes is None:
            constants.append({"module": module, "op": f"fvcore::{operator}", "flops": flops})
            continue
        whole, rest = sum(known[id(node)] for node in nodes), flops
        for node in nodes[1:]:
            share = flops * known[id(node)] // whole
            node["flops"] += share
            rest -= share
        nodes[0]["flops"] += rest
    graph.graph["constants"] = constants


def _own_counts(graph: nx.DiGraph, model: nn.Module) -> dict[tuple[str, str], int]:
    """Multiply-accumulates per module and operator, without those of sub-modules."""
    inclusive = _inclusive_counts(graph, model)
    own: dict[tuple[str, str], int] = {}
    for name, count in inclusive.items():
        depth = name.count(".") + 1 if name else 0
        children = [c for c in inclusive if c and (c.startswith(f"{name}.") or not name) and c.count(".") == depth]
        for operator, flops in count.items():
            rest = int(flops - sum(inclusive[child][operator] for child in children))
            if rest:
                own[name, operator] = rest
    return own


def _inclusive_counts(graph: nx.DiGraph, model: nn.Module) -> dict[str, Counter[str]]:
    """Multiply-accumulates per module and operator, those of sub-modules included."""
    from fvcore.nn import FlopCountAnalysis

    device = next((p.device for p in model.parameters()), torch.device("cpu"))
    image = torch.zeros(graph.graph["input_shape"], device=device)
    levels = [(logger, logger.level) for logger in map(logging.getLogger, ("fvcore.nn.jit_analysis", "fvcore.nn.jit_handles"))]

    def run(_modules: dict[str, nn.Module], guard: WriteGuard) -> dict[str, Counter[str]]:
        for logger, _ in levels:
            logger.setLevel(logging.ERROR)
        warnings.simplefilter("ignore")
        for tensor in model.buffers():
            guard.save(tensor)
        try:
            counted = FlopCountAnalysis(model, image).unsupported_ops_warnings(False).uncalled_modules_warnings(False)
            return {name: Counter(count) for name, count in counted.by_module_and_operator().items()}
        except Exception as error:
            said = " ".join(str(error).split())[:200]
            raise TraceError(
                f"fvcore cannot trace the model: {type(error).__name__}: {said}; count with torch's formulas instead"
            ) from error

    def restore_levels() -> None:
        for logger, level in levels:
            logger.setLevel(level)

    return undone_after(lambda: borrow(model, run), restore_levels)
