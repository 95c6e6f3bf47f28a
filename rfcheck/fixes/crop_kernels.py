"""Crop kernels to the taps that read pixels; the outputs stay identical at this input size.

A tap is live if it reads a position of the map, and not padding, at any place of the kernel. Taps outside the outermost live ones
are multiplied by zero everywhere, so dropping them with their padding changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from rfcheck.errors import FixError
from rfcheck.fixes.arithmetic import Window, changed_graph, out_extent
from rfcheck.fixes.fix import Fix, Plan, Skipped, proposed
from rfcheck.fixes.measuring import counts_by_formula, measured
from rfcheck.fixes.outcome import outcome_of_graph
from rfcheck.fixes.steps import Crop
from rfcheck.fixes.subject import CONVOLUTIONS, Subject, has_more_axes, has_own_ways

NAMES = ("crop-kernels",)
SAFE = True
Taps = tuple[int, int]


def propose(subject: Subject) -> list[Fix | Skipped]:
    """All kernels cropped that can be."""
    (name,) = NAMES
    crops, refused = _crops(subject)
    if not crops:
        reason = f"{refused[0][0]} {refused[0][1]}" if refused else "every outer tap of every kernel reads pixels"
        return [Skipped(name, reason)]
    sizes = {node["module"]: node["kernel"] for node in subject.graph._node.values() if node["kind"] == "conv"}
    plan = Plan(tuple(Crop(path, sizes[path], taps, window.padding) for path, (taps, window) in crops.items()))
    if counts_by_formula(subject) and not any(subject.is_looked_at(path) for path in crops):
        windows = {node: crops[data["module"]][1] for node, data in subject.graph._node.items() if _is_cropped(node, data, crops)}
        after = outcome_of_graph(changed_graph(subject.graph, windows), subject.settings)
    else:
        try:
            after = measured(subject, plan)
        except FixError as error:
            return [Skipped(name, str(error))]
    cropped = ", ".join(f"{path} {_crossed(w.kernel)}" for path, (_, w) in list(crops.items())[:3])
    more = f" and {len(crops) - 3} more" if len(crops) > 3 else ""
    skipped = f"; not {refused[0][0]}, which {refused[0][1]}" if refused else ""
    description = f"crop kernels to the taps that read pixels: {cropped}{more}{skipped}"
    return [proposed(subject, name, plan, after, description, safe=SAFE)]


def _is_cropped(name: str, node: Mapping[str, Any], crops: Mapping[str, Any]) -> bool:
    return node["kind"] == "conv" and node["module"] in crops and name.split(":")[0] == node["module"]


def _crossed(values: tuple[int, ...]) -> str:
    return "x".join(map(str, values))


def _crops(subject: Subject) -> tuple[dict[str, tuple[tuple[Taps, ...], Window]], list[tuple[str, str]]]:
    """Per module, the taps that stay and the window they make; and the modules with dead taps that cannot be cropped, with why."""
    calls: dict[str, list[Mapping[str, Any]]] = {}
    names: dict[str, str] = {}
    for name, node in subject.graph._node.items():
        if node["kind"] == "conv" and max(node["kernel"]) > 1:
            is_own = name.partition(":")[0] == node["module"]
            key = node["module"] if is_own else name  # a function call is a case of its own
            calls.setdefault(key, []).append(node)
            names.setdefault(key, name)
    crops: dict[str, tuple[tuple[Taps, ...], Window]] = {}
    refused: list[tuple[str, str]] = []
    for path, nodes in calls.items():
        taps = tuple(_common([_croppable(node, axis) for node in nodes]) for axis in range(len(nodes[0]["kernel"])))
        kernel = tuple(end - start for start, end in taps)
        if kernel == nodes[0]["kernel"]:
            continue
        reason = _why_not(subject, path, nodes)
        if reason is not None:
            refused.append((names[path], reason))
            continue
        first = nodes[0]
        padding = tuple(p - start * d for p, d, (start, _) in zip(first["padding"], first["dilation"], taps, strict=True))
        crops[path] = (taps, Window(kernel, first["stride"], padding))
    return crops, refused


def _why_not(subject: Subject, path: str, nodes: list[Mapping[str, Any]]) -> str | None:
    """Why a convolution cannot be cropped; None if it can."""
    module: Any = subject.modules.get(path)
    if module is None:
        return "is a function call, which decides on its kernel by itself"
    if type(module) not in CONVOLUTIONS:
        return f"is a {type(module).__name__}, which may use its kernel in a way of its own"
    if has_more_axes(module, len(nodes[0]["kernel"])):
        return "slides over more than the image axes"
    if has_own_ways(module):
        return "has hooks or a forward of its own"
    if isinstance(module.padding, str) and any(k % 2 == 0 for k in module.kernel_size):
        return "pads one side more than the other"
    if sum(other is module.weight for other in _all_parameters(subject)) > 1:
        return "shares its weight with another layer"
    if any(node["padding"] != nodes[0]["padding"] for node in nodes):
        return "is called in several ways"
    return None


def _all_parameters(subject: Subject) -> list[nn.Parameter]:
    return [parameter for _, parameter in subject.model.named_parameters(remove_duplicate=False)]


def _common(taps: list[Taps]) -> Taps:
    """The taps that any of several calls needs."""
    return min(start for start, _ in taps), max(end for _, end in taps)


def _croppable(node: Mapping[str, Any], axis: int) -> Taps:
    """The taps [start, end) along an axis that have to stay, so that the same padding on both sides gives the same outputs."""
    kernel, stride, dilation, padding = (node[name][axis] for name in ("kernel", "stride", "dilation", "padding"))
    size, outputs = node["in_sizes"][axis], node["sizes"][axis]
    if node["transposed"]:
        return 0, kernel
    live = [tap for tap in range(kernel) if any(0 <= q * stride - padding + tap * dilation < size for q in range(outputs))]
    if not live:
        return 0, kernel
    start = min(live[0], padding // dilation)
    for end in range(live[-1] + 1, kernel + 1):
        if out_extent(size, end - start, stride, dilation, padding - start * dilation) == outputs:
            return start, end
    return 0, kernel
