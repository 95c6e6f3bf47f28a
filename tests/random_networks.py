"""Small random networks, and their receptive fields by brute force.

A network is a list of `Step`s, which owes nothing to how rfcheck sees operators: receptive fields are found by enumerating all
paths, and along a path by listing the positions that are read one unit after the other, or by the recurrence of the
textbooks. Where that is not independent enough, `gradient_extent` asks autograd.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from hypothesis import strategies as st
from torch import nn

Pair = tuple[int, int]
UNITS = 8  # no pattern of positions repeats later: up-sampling is by 2 or 4 in all
MARGIN = 24  # pixels by which crops move a map against the image, at most
IMAGE = 0  # the first step


@dataclass(frozen=True)
class Step:
    """One node: what it does, to which earlier nodes, and with which window."""

    kind: str
    inputs: tuple[int, ...] = ()
    kernel: Pair = (1, 1)
    stride: Pair = (1, 1)
    dilation: Pair = (1, 1)
    padding: Pair = (0, 0)
    shares: int | None = None

    def reads(self, axis: int, position: int) -> Iterator[int]:
        """Positions of the input that one position of the output depends on."""
        kernel, stride, dilation, padding = self.kernel[axis], self.stride[axis], self.dilation[axis], self.padding[axis]
        if self.kind == "upsample":
            yield position // stride
        elif self.kind == "transposed":
            meets = (position + padding - tap * dilation for tap in range(kernel))
            yield from (place // stride for place in meets if place % stride == 0)
        else:
            yield from (position * stride - padding + tap * dilation for tap in range(kernel))


@dataclass
class Network:
    """Steps in execution order; step 0 is the image."""

    steps: list[Step] = field(default_factory=lambda: [Step("image")])
    channels: list[int] = field(default_factory=lambda: [2])
    jumps: list[tuple[float, float]] = field(default_factory=lambda: [(1.0, 1.0)])

    def add(self, step: Step) -> int:
        first = step.inputs[0]
        made = {"conv": 2, "transposed": 2, "cat": sum(self.channels[i] for i in step.inputs)}
        zoom = [1 / s if step.kind in ("upsample", "transposed") else s for s in step.stride]
        self.steps.append(step)
        self.channels.append(made.get(step.kind, self.channels[first]))
        self.jumps.append((self.jumps[first][0] * zoom[0], self.jumps[first][1] * zoom[1]))
        return len(self.steps) - 1

    def layers(self) -> dict[str, int]:
        """Node by the name that rfcheck gives its layer; a shared module is called once more by each node that shares it."""
        names: dict[str, int] = {}
        for node, step in enumerate(self.steps):
            if step.kind in ("conv", "pool", "transposed"):
                owner = node if step.shares is None else step.shares
                names[f"steps.{owner}" if owner == node else f"steps.{owner}:2"] = node
        return names

    def paths(self, node: int, *, gates: bool = False) -> list[tuple[int, ...]]:
        """All paths from the image to a node; those through the weights of a gate only on demand."""
        step = self.steps[node]
        inputs = step.inputs[:1] if step.kind == "gate" and not gates else step.inputs
        return [(*path, node) for i in inputs for path in self.paths(i, gates=gates)] if inputs else [(node,)]

    def positions(self, path: tuple[int, ...], axis: int, unit: int) -> set[float]:
        """Positions of the image, without end, that a unit of the last node reads along a path."""
        read: set[int] = {unit}
        for node in reversed(path):
            if self.steps[node].kind == "squeeze":
                return {-math.inf, math.inf}
            read = {p for position in read for p in self.steps[node].reads(axis, position)}
        return set(read)

    def r_of_path(self, path: tuple[int, ...], axis: int) -> float:
        """Extent that the widest unit reads along one path."""
        return max(_extent(self.positions(path, axis, unit)) for unit in range(UNITS))

    def r_max(self, node: int, axis: int, *, gates: bool = False) -> float:
        """Extent of what the widest unit reads over all paths together."""
        paths = self.paths(node, gates=gates)
        return max(_extent(set().union(*(self.positions(p, axis, unit) for p in paths))) for unit in range(UNITS))

    def r_min(self, node: int, axis: int, *, gates: bool = False) -> float:
        return min(self.r_of_path(path, axis) for path in self.paths(node, gates=gates))

    def recurrence(self, path: tuple[int, ...], axis: int, limits: list[float] | None = None) -> float:
        """r_l = r_(l-1) + (k'-1) j_(l-1), for networks without up-sampling.

        Args:
            path: nodes.
            axis: image axis.
            limits: if given, a convolution with k < s counts with kernel 2s-1, and r never exceeds the limit of its node.
        """
        r, jump = 1.0, 1
        for node in path:
            step = self.steps[node]
            k, s, d = step.kernel[axis], step.stride[axis], step.dilation[axis]
            extent = d * (k - 1) + 1
            if limits is not None and step.kind == "conv" and k < s:
                extent = 2 * s - 1
            r, jump = r + (extent - 1) * jump, jump * s
            if limits is not None:
                r = min(r, limits[node])
        return r


def _extent(positions: set[float]) -> float:
    return max(positions) - min(positions) + 1 if positions else 0


class RandomModule(nn.Module):
    """A network as a module: positive weights and no dead units, so that every position that is read has a gradient."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network
        self.detach_gates = False
        self.steps = nn.ModuleList(self._module(node, step) for node, step in enumerate(network.steps))

    def __repr__(self) -> str:
        return "\n".join(f"{node}: {step}" for node, step in enumerate(self.network.steps))

    def _module(self, node: int, step: Step) -> nn.Module:
        if step.shares is not None or step.kind not in ("conv", "pool", "transposed"):
            return nn.Identity()
        if step.kind == "pool":
            return nn.AvgPool2d(step.kernel, step.stride, step.padding)
        build = nn.Conv2d if step.kind == "conv" else nn.ConvTranspose2d
        channels = self.network.channels[step.inputs[0]]
        module = build(channels, 2, step.kernel, step.stride, step.padding, dilation=step.dilation, dtype=torch.float64)
        nn.init.constant_(module.weight, 1 / math.prod(module.weight.shape[1:]))
        return module

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        results = [x]
        for node, step in enumerate(self.network.steps[1:], 1):
            given = [results[i] for i in step.inputs]
            results.append(self._run(node, step, given))
        return results[-1]

    def _run(self, node: int, step: Step, given: list[torch.Tensor]) -> torch.Tensor:
        x = given[0]
        match step.kind:
            case "conv" | "pool" | "transposed":
                return self.steps[node if step.shares is None else step.shares](x)
            case "softplus" | "sigmoid":
                return getattr(F, step.kind)(x)
            case "upsample":
                return F.interpolate(x, scale_factor=step.stride)
            case "squeeze":
                return x.mean((2, 3), keepdim=True)
            case "gate":
                return x * (given[1].detach() if self.detach_gates else given[1])
            case "crop":
                return x[..., -step.padding[0] :, -step.padding[1] :]
        height, width = (min(g.shape[axis] for g in given) for axis in (2, 3))
        given = [g[..., :height, :width] for g in given]
        return torch.cat(given, 1) if step.kind == "cat" else given[0] + given[1]


def gradient_extents(module: RandomModule, *, gates: bool = False) -> tuple[float, ...]:
    """Extents of the gradient's support in the image, per axis: the widest of the units in the middle."""
    network = module.network
    units_needed = UNITS if any(s.kind in ("upsample", "transposed") for s in network.steps) else 1
    starts, size = zip(*(_interior(network, axis, units_needed, gates) for axis in (0, 1)), strict=True)
    module.requires_grad_(False).detach_gates = not gates
    image = torch.rand(1, 2, *size, dtype=torch.float64, requires_grad=True)
    out = module(image)
    extents = []
    for unit in range(units_needed):
        (gradient,) = torch.autograd.grad(out[0, :, starts[0] + unit, starts[1] + unit].sum(), image, retain_graph=True)
        places = gradient[0].sum(0).nonzero()
        extents.append(tuple(_extent(set(places[:, axis].tolist())) for axis in (0, 1)))
    module.detach_gates = False
    return tuple(max(values) for values in zip(*extents, strict=True))


def _interior(network: Network, axis: int, count: int, gates: bool) -> tuple[int, int]:
    """The first of ``count`` neighbouring units that read no padding anywhere, and an extent of the image that holds them."""
    last = len(network.steps) - 1

    def read(start: int) -> set[float]:
        return {
            p for path in network.paths(last, gates=gates) for u in range(count) for p in network.positions(path, axis, start + u)
        }

    start = next(unit for unit in range(10**6) if min(read(unit)) >= MARGIN)
    return start, int(max(read(start))) + MARGIN


class _Drawing:
    """Draws one network, block after block."""

    def __init__(self, draw: st.DrawFn, *, centred: bool, upsampling: bool, gates: bool) -> None:
        self.draw, self.centred, self.upsampling, self.gates = draw, centred, upsampling, gates
        self.network = Network()

    def pair(self, low: int, high: int) -> Pair:
        return self.draw(st.tuples(*[st.integers(low, high)] * 2))

    def window(self, at: int, kind: str, stride: Pair | None = None) -> int:
        kernel = self.pair(0, 2) if self.centred else self.pair(1, 5)
        dilation = self.pair(1, 2) if kind == "conv" else (1, 1)
        if self.centred:
            kernel = (2 * kernel[0] + 1, 2 * kernel[1] + 1)
            padding = tuple(d * (k // 2) for k, d in zip(kernel, dilation, strict=True))
        else:
            padding = tuple(min(p, k // 2) for p, k in zip(self.pair(0, 2), kernel, strict=True))
        if stride is None:
            stride = tuple(s if jump < 2 else 1 for s, jump in zip(self.pair(1, 2), self.network.jumps[at], strict=True))
        return self.network.add(Step(kind, (at,), kernel, stride, dilation, padding))

    def chain(self, at: int, least: int = 0, most: int = 2) -> int:
        kinds = ["conv", "conv", "pool", "softplus"] + ["upsample", "transposed"] * self.upsampling
        for kind in self.draw(st.lists(st.sampled_from(kinds), min_size=least, max_size=most)):
            if kind in ("conv", "pool"):
                at = self.window(at, kind)
            elif kind == "softplus":
                at = self.network.add(Step(kind, (at,)))
            elif min(self.network.jumps[at]) >= 1:
                kernel = self.pair(2, 4) if kind == "transposed" else (1, 1)
                at = self.network.add(Step(kind, (at,), kernel, (2, 2)))
        return at

    def branches(self, at: int) -> int:
        ends = self.aligned(self.chain(at, 1), self.chain(at))
        if not self.centred:
            ends = [self.network.add(Step("crop", (end,), padding=(-self.draw(st.integers(0, 2)), 0))) for end in ends]
        same = self.network.channels[ends[0]] == self.network.channels[ends[1]]
        return self.network.add(Step("add" if same and self.draw(st.booleans()) else "cat", tuple(ends)))

    def aligned(self, one: int, two: int) -> list[int]:
        """Bring two branches to the same jump, by striding the finer one or up-sampling the coarser one."""
        ends = [one, two]
        for finer, coarser in ((0, 1), (1, 0)):
            jumps = zip(self.network.jumps[ends[coarser]], self.network.jumps[ends[finer]], strict=True)
            ratio = tuple(max(1, int(coarse / fine)) for coarse, fine in jumps)
            if ratio == (1, 1):
                continue
            if self.upsampling and self.draw(st.booleans()):
                ends[coarser] = self.network.add(Step("upsample", (ends[coarser],), stride=ratio))
            else:
                ends[finer] = self.window(ends[finer], self.draw(st.sampled_from(["conv", "pool"])), ratio)
        return ends

    def twice(self, at: int) -> int:
        first = self.window(at, "conv") if self.network.channels[at] == 2 else self.window(self.window(at, "conv"), "conv")
        step = self.network.steps[first]
        return self.network.add(Step("conv", (first,), step.kernel, step.stride, step.dilation, step.padding, shares=first))

    def gated(self, at: int) -> int:
        if self.draw(st.booleans()):
            weights = self.network.add(Step("squeeze", (at,)))
            weights = self.network.add(Step("conv", (weights,)))
        else:
            kernel = self.draw(st.sampled_from([1, 3, 5]))
            weights = self.network.add(Step("conv", (at,), (kernel, kernel), padding=(kernel // 2, kernel // 2)))
        weights = self.network.add(Step("sigmoid", (weights,)))
        return self.network.add(Step("gate", (at, weights)))


@st.composite
def random_modules(draw: st.DrawFn, *, centred: bool = False, upsampling: bool = False, gates: bool = False) -> RandomModule:
    """A random network that ends in a convolution.

    Args:
        draw: given by hypothesis.
        centred: windows of odd size, padded so that all paths have the same centre.
        upsampling: with transposed convolutions and nearest up-sampling.
        gates: with squeeze-and-excitation and spatial gates.
    """
    drawing = _Drawing(draw, centred=centred, upsampling=upsampling, gates=gates)
    at = drawing.window(IMAGE, "conv") if draw(st.booleans()) else IMAGE
    blocks = [drawing.chain, drawing.branches, drawing.branches, drawing.twice] + [drawing.gated] * 2 * gates
    for block in draw(st.lists(st.sampled_from(blocks), min_size=1, max_size=3)):
        if block == drawing.gated and drawing.network.channels[at] != 2:
            at = drawing.window(at, "conv")
        at = block(at)
    drawing.window(at, "conv", (1, 1))
    return RandomModule(drawing.network)
