"""Keep the resolution through the stem: its first two down-sampling operators lose their stride.

Source: He et al. 2016, section 4.2 (the residual networks for CIFAR-10); Richter 2022, section 11.4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rfcheck.analysis.border import find_border
from rfcheck.analysis.receptive_field import receptive_fields
from rfcheck.analysis.roles import roles
from rfcheck.errors import FixError
from rfcheck.fixes.arithmetic import Window, changed_graph
from rfcheck.fixes.fix import Fix, Skipped, proposed
from rfcheck.fixes.points import DownsamplingPoint, as_small_stem, downsampling_points
from rfcheck.fixes.restriding import is_changeable, plan_and_outcome
from rfcheck.fixes.subject import Subject

if TYPE_CHECKING:
    from rfcheck.analysis.network import Network
    from rfcheck.config import Settings

NAMES = ("remove-stem",)
SAFE = False
_OPERATORS = 2
_LAYERS_BEFORE = 4
"""Judged layers before the last operator of a stem: two stages of VGG-16, or the first block of MobileNetV2 and its stem."""


def propose(subject: Subject) -> list[Fix | Skipped]:
    """The stem without down-sampling, where layers are unproductive."""
    (name,) = NAMES
    if not subject.before.unproductive_layers:
        return [Skipped(name, "every layer is productive")]
    stem = stem_of(subject.network)
    if not stem:
        return [Skipped(name, "the first layers do not lower the resolution")]
    fixed = next((point for point in stem if not is_changeable(subject, point)), None)
    if fixed is not None:
        return [Skipped(name, f"the stride of {fixed.nodes[0]} is neither an attribute of a module nor that of a pooling")]
    windows = _windows(subject.network, stem)
    try:
        plan, after = plan_and_outcome(subject, windows)
    except FixError as error:
        return [Skipped(name, str(error))]
    described = ", ".join(_describe(subject, node, window) for node, window in windows.items())
    return [proposed(subject, name, plan, after, f"keep the resolution in the stem: {described}", safe=SAFE)]


def stem_of(network: Network) -> list[DownsamplingPoint]:
    """The first two down-sampling points, as far as they lie among the first layers."""
    order = {name: i for i, name in enumerate(network.graph._node)}
    judged = [order[name] for name in network.border.judged]
    points = downsampling_points(network.graph, network.roles)[:_OPERATORS]
    return [point for point in points if sum(index < order[point.nodes[0]] for index in judged) <= _LAYERS_BEFORE]


def _windows(network: Network, stem: list[DownsamplingPoint]) -> dict[str, Window | None]:
    windows: dict[str, Window | None] = {}
    for point in stem:
        windows.update(as_small_stem(network.graph, point))
    return windows


def _describe(subject: Subject, name: str, window: Window | None) -> str:
    if window is None:
        return f"{name} is removed"
    kernel = "x".join(map(str, window.kernel))
    return (
        f"{name} becomes {kernel} with stride 1"
        if window.kernel != subject.graph._node[name]["kernel"]
        else f"{name} gets stride 1"
    )


def tail_without_stem(network: Network, stem: list[DownsamplingPoint], settings: Settings) -> int | None:
    """Layers that the tail would have without down-sampling in the stem; None where there is no stem.

    Follows receptive fields only, not sizes, so that it is known for every network whose operators read the same at any size.
    """
    if not stem:
        return None
    graph = changed_graph(network.graph, _windows(network, stem), follow_sizes=False)
    fields = receptive_fields(graph, settings)
    return len(find_border(graph, fields, roles(graph, fields), network.input_size).tail)
