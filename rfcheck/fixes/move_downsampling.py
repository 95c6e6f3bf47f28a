"""Lose resolution later, or not at all, at some of the down-sampling points, so that the tail becomes empty or small.

All combinations are searched by arithmetic; those are offered that no other one beats in both tail and cost.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from torch import nn

from rfcheck.errors import FixError
from rfcheck.fixes.arithmetic import Window
from rfcheck.fixes.fix import Fix, Skipped, proposed
from rfcheck.fixes.measuring import graph_of
from rfcheck.fixes.parts import Part, free_name
from rfcheck.fixes.places import Place, may_have_other_names, places
from rfcheck.fixes.points import DownsamplingPoint, downsampling_points, without_stride
from rfcheck.fixes.restriding import is_changeable, plan_and_outcome
from rfcheck.fixes.search import Candidate, Choice, NotSearchableError, Option, pareto_front
from rfcheck.fixes.steps import Append, Step, Wrap
from rfcheck.fixes.subject import Subject

NAMES = ("move-downsampling",)
SAFE = False


def propose(subject: Subject) -> list[Fix | Skipped]:
    """The Pareto front of tail layers and FLOPs, at most three of it, the smallest tail first."""
    (name,) = NAMES
    if subject.network.border.b_min is None:
        return [Skipped(name, "the network has no tail")]
    found_places = {place.node: place for place in places(subject)}
    options = _options(subject, list(found_places.values()))
    if not options:
        return [Skipped(name, "the network has no down-sampling that can be changed from outside")]
    try:
        front = pareto_front(subject.network, options, subject.settings)
    except NotSearchableError as error:
        return [Skipped(name, f"sizes cannot be followed through the network: {error}")]
    if not front:
        return [Skipped(name, "no combination of its down-sampling points gives a smaller tail")]
    found: list[Fix | Skipped] = []
    reason = ""
    for candidate in _chosen(front):
        try:
            found.append(_fix(subject, options, found_places, candidate, f"{name}-{len(found) + 1}" if found else name))
        except FixError as error:
            reason = str(error)
    return found or [Skipped(name, reason)]


def _chosen(front: list[Candidate]) -> list[Candidate]:
    """The smallest tail, the cheapest that halves what is left above it, and the cheapest of all."""
    last, first = front[-1], front[0]
    half = (last.tail_layers + first.tail_layers) / 2
    middle = next(candidate for candidate in front if candidate.tail_layers <= half)
    return list(dict.fromkeys((last, middle, first)))


def _options(subject: Subject, found: Sequence[Place]) -> list[Option]:
    points = downsampling_points(subject.graph, subject.network.roles)
    order = {name: i for i, name in enumerate(subject.graph._node)}
    ends = [*(order[point.nodes[0]] for point in points[1:]), len(order)][: len(points)]
    options: list[Option] = []
    for point, end in zip(points, ends, strict=True):
        if is_changeable(subject, point):
            start = order[point.nodes[-1]]
            inside = (place for place in reversed(found) if start < place.index < end and _takes_pooling(subject, place))
            options.append(Option(point, next((place.node for place in inside), None)))
    return options


def _takes_pooling(subject: Subject, place: Place) -> bool:
    """Whether everything behind a place would read a pooling there, however the code refers to what it reads."""
    step = _pooling_step(subject, place, (1,) * len(subject.network.input_size))
    if step is None or not may_have_other_names(subject, place):
        return step is not None
    pooling = f"{step.path}.{step.name}" if isinstance(step, Append) else f"{step.path}.1"
    try:
        graph = graph_of(step.apply(subject.replica()), subject.graph.graph["input_shape"], subject.settings)
    except Exception:  # the copy, or the user's forward
        return False
    return pooling in graph and all(set(graph._adj[source]) == {pooling} for source in graph._pred[pooling])


def _pooling_step(subject: Subject, place: Place, stride: tuple[int, ...]) -> Append | Wrap | None:
    """How a pooling is put behind a place without renaming any parameter; None where that is not possible."""
    module = subject.modules[place.module]
    size = stride[0] if len(set(stride)) == 1 else stride
    pooling = Part(f"MaxPool{len(stride)}d", (size,))
    if isinstance(module, nn.Sequential) and type(module).forward is nn.Sequential.forward:
        if subject.graph.graph["calls"].get(place.module) != 1:
            return None
        return Append(place.module, free_name("downsample", set(module._modules)), pooling)
    leaf = subject.graph._node[place.node]["module"]
    is_plain = leaf == place.module and not list(module.parameters()) and not list(module.buffers())
    return Wrap(leaf, pooling) if is_plain and subject.graph.graph["calls"].get(leaf) == 1 else None


def _fix(subject: Subject, options: Sequence[Option], by_node: Mapping[str, Place], candidate: Candidate, name: str) -> Fix:
    windows: dict[str, Window | None] = {}
    poolings: dict[str, tuple[int, ...]] = {}
    steps: list[Step] = []
    shifted: list[str] = []
    dropped: list[str] = []
    for option, choice in zip(options, candidate.choices, strict=True):
        if choice == Choice.KEEP:
            continue
        windows.update(without_stride(subject.graph, option.point))
        what = _main(subject, option.point)
        if choice == Choice.SHIFT and option.shift_to is not None:
            place = by_node[option.shift_to]
            step = _pooling_step(subject, place, option.point.stride)
            assert step is not None
            steps.append(step)
            poolings[place.node] = option.point.stride
            shifted.append(f"behind {place.module} instead of in {what}")
        else:
            dropped.append(what)
    plan, after = plan_and_outcome(subject, windows, poolings, tuple(steps))
    description = "; ".join(
        [f"lower the resolution {', '.join(shifted)}"] * bool(shifted)
        + [f"keep the resolution in {', '.join(dropped)}"] * bool(dropped)
    )
    return proposed(subject, name, plan, after, description, safe=SAFE)


def _main(subject: Subject, point: DownsamplingPoint) -> str:
    """The operator of a point that stands for all of them: the one with the largest window."""
    return max(point.nodes, key=lambda name: math.prod(subject.graph._node[name]["kernel"]))
