"""Random networks of convolutions among everything that moves, splits and joins positions.

A network is drawn block by block from a seed; a block is a function from a map (N, C, H, W) to a map. Images of a batch stay
apart, and all operators are monotone, so that `tests.indicators` can tell what a unit depends on.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import nn

SIZE = 48
Map = torch.Tensor
Block = Callable[..., Map]


class Rearranged(nn.Module):
    """A random network.

    Args:
        seed: decides everything.
        blocks: how many.
        kinds: names of `BLOCKS` to draw from; all of them by default.
    """

    def __init__(self, seed: int, blocks: int = 4, kinds: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.draw = random.Random(seed)
        self.layers = nn.ModuleList()
        self.plan: list[tuple[str, Block]] = []
        x = torch.zeros(1, 2, SIZE, SIZE)
        first = self.conv(2, 2, 1)  # which dimension holds the channels must be clear
        self.plan.append(("first", lambda x: first(x)))
        for _ in range(blocks):
            for _ in range(20):  # a block that does not fit the map is drawn again
                name = self.draw.choice(kinds or tuple(BLOCKS))
                made = len(self.layers)
                block = BLOCKS[name](self, x)
                if block is not None:
                    break
                del self.layers[made:]
            else:
                break
            self.plan.append((name, block))
            with torch.no_grad():
                x = block(x)
        last = self.conv(x.shape[1], 2, 3, padding=1)
        self.plan.append(("last", lambda x: last(x)))

    def __repr__(self) -> str:
        return f"{[name for name, _ in self.plan]}\n{self.layers}"

    def forward(self, x: Map) -> Map:
        for _, block in self.plan:
            x = block(x)
        return x

    def add(self, layer: nn.Module, **where: int | tuple[int | None, ...]) -> nn.Module:
        """Take a layer in; its name is ``layers.<number>``. What is unusual about its dimensions is noted for `tests.indicators`."""
        for name, value in where.items():
            setattr(layer, name, value)
        self.layers.append(layer)
        return layer

    def conv(self, channels: int, made: int, kernel: int | tuple[int, int], **options: int | str) -> nn.Module:
        return self.add(nn.Conv2d(channels, made, kernel, **options))

    def window(self, x: Map, channels: int | None = None, *, same: bool = False) -> nn.Module:
        """A convolution or pooling that fits the map."""
        channels = channels or x.shape[1]
        k = self.draw.choice([1, 3, 3, 3, 5] if same else [1, 2, 3, 3, 4])
        d = self.draw.choice([1, 1, 2])
        if same:
            groups = self.draw.choice([1, channels])
            return self.conv(channels, channels, k, padding=d * (k // 2), dilation=d, groups=groups)
        kind = self.draw.choice(["conv", "conv", "conv", "max", "avg"])
        stride = self.draw.choice([1, 1, 2]) if min(x.shape[2:]) >= 12 else 1
        if kind == "conv":
            mode = self.draw.choice(["zeros", "zeros", "zeros", "reflect", "replicate"])
            return self.conv(channels, 2, k, stride=stride, dilation=d, padding=self.draw.choice([0, k // 2]), padding_mode=mode)
        return self.add({"max": nn.MaxPool2d, "avg": nn.AvgPool2d}[kind](k, stride, self.draw.choice([0, k // 2])))


def _divisor(net: Rearranged, x: Map, *factors: int) -> int | None:
    """One of some factors that divides both extents and leaves at least two positions."""
    fitting = [f for f in factors if all(n % f == 0 and n // f >= 2 for n in x.shape[2:])]
    return net.draw.choice(fitting) if fitting else None


def _plain(net: Rearranged, x: Map) -> Block | None:
    return net.window(x) if min(x.shape[2:]) >= 8 else None


def _transposed(net: Rearranged, x: Map) -> Block | None:
    if max(x.shape[2:]) > SIZE // 2:
        return None
    k, p = net.draw.randint(1, 4), net.draw.choice([0, 1])
    return net.add(nn.ConvTranspose2d(x.shape[1], 2, k, 2, min(p, k - 1)))


def _upsampled(net: Rearranged, x: Map) -> Block | None:
    if max(x.shape[2:]) > SIZE // 2:
        return None
    match net.draw.choice(["nearest", "bilinear", "interleave", "expand", "tile"]):
        case "interleave":
            return lambda x: x.repeat_interleave(2, 2).repeat_interleave(2, 3)
        case "expand":
            return lambda x: (
                x[:, :, :, None, :, None].expand(-1, -1, -1, 2, -1, 2).reshape(*x.shape[:2], *(2 * n for n in x.shape[2:]))
            )
        case "tile":
            return lambda x: x.unsqueeze(3).repeat(1, 1, 1, 2, 1).flatten(2, 3)
        case mode:
            return lambda x: F.interpolate(x, scale_factor=2, mode=mode)


def _space_to_depth(net: Rearranged, x: Map) -> Block | None:
    k = _divisor(net, x, 2, 3)
    if k is None:
        return None
    mix = net.conv(x.shape[1] * k * k, 2, net.draw.choice([1, 3]), padding=net.draw.choice([0, 1]))
    if net.draw.random() < 0.4:
        return lambda x: mix(F.pixel_unshuffle(x, k))
    order = net.draw.choice([(0, 1, 3, 5, 2, 4), (0, 3, 5, 1, 2, 4)])

    def block(x: Map) -> Map:
        n, c, h, w = x.shape
        return mix(x.view(n, c, h // k, k, w // k, k).permute(order).reshape(n, c * k * k, h // k, w // k))

    return block


def _depth_to_space(net: Rearranged, x: Map) -> Block | None:
    if max(x.shape[2:]) > SIZE // 2:
        return None
    k = 2
    grow = net.conv(x.shape[1], 2 * k * k, 1)
    if net.draw.random() < 0.4:
        return lambda x: F.pixel_shuffle(grow(x), k)

    def block(x: Map) -> Map:
        x = grow(x)
        n, _, h, w = x.shape
        return x.view(n, 2, k, k, h, w).permute(0, 1, 4, 2, 5, 3).reshape(n, 2, h * k, w * k)

    return block


def _slices(net: Rearranged, x: Map) -> Block | None:
    if _divisor(net, x, 2) is None:
        return None
    match net.draw.choice(["focus", "crop", "stack", "halves", "strided"]):
        case "focus":
            mix = net.window(x, 4 * x.shape[1], same=True)
            return lambda x: mix(torch.cat([x[..., i::2, j::2] for i in (0, 1) for j in (0, 1)], 1))
        case "crop":
            a, b = net.draw.randint(0, 2), net.draw.randint(0, 2)
            return lambda x: x[:, :, a : x.shape[2] - b, b : x.shape[3] - a]
        case "stack":
            return lambda x: torch.stack([x[..., ::2], x[..., 1::2]], -1).flatten(-2)
        case "halves":
            return lambda x: torch.cat([x[:, :, : x.shape[2] // 2], x[:, :, x.shape[2] // 2 :]], 2)
    return lambda x: x[:, :, 1::2, ::2]


def _windows(net: Rearranged, x: Map) -> Block | None:
    k = _divisor(net, x, 2, 3, 4)
    if k is None:
        return None
    c = x.shape[1]

    def split(x: Map) -> Map:
        n, c, h, w = x.shape
        return x.view(n, c, h // k, k, w // k, k).permute(0, 2, 4, 1, 3, 5)

    def joined(t: Map, x: Map) -> Map:
        n, c, h, w = x.shape
        return t.reshape(n, h // k, w // k, c, k, k).permute(0, 3, 1, 4, 2, 5).reshape(n, c, h, w)

    match net.draw.choice(["inside", "tokens", "tokens by convolution", "phases"]):
        case "inside":
            inner = net.window(x, same=True)
            return lambda x: joined(inner(split(x).reshape(-1, c, k, k)), x)
        case "tokens":
            mix = net.add(nn.Linear(k * k, k * k), channels_at=1)
            return lambda x: joined(mix(split(x).reshape(-1, c, k * k)), x)
        case "tokens by convolution":
            mix = net.add(nn.Conv1d(k * k, k * k, 1), channels_at=2)
            return lambda x: joined(mix(split(x).reshape(-1, c, k * k).transpose(1, 2)).transpose(1, 2), x)
    inner = net.window(x, same=True)

    def phases(x: Map) -> Map:
        n, c, h, w = x.shape
        y = inner(x.view(n, c, h // k, k, w // k, k).permute(0, 3, 5, 1, 2, 4).reshape(-1, c, h // k, w // k))
        return y.view(n, k, k, c, h // k, w // k).permute(0, 3, 4, 1, 5, 2).reshape(n, c, h, w)

    return phases


def _turned(net: Rearranged, x: Map) -> Block | None:
    c, h, w = x.shape[1:]
    match net.draw.choice(["transposed", "rows", "linear", "tokens", "series"]):
        case "transposed":
            inner = net.window(x, same=True)
            inner.axes_at = (3, 2)
            return lambda x: inner(x.transpose(2, 3)).transpose(2, 3)
        case "rows":
            inner = net.add(nn.Conv2d(h, h, 3, padding=1, groups=h), channels_at=2, axes_at=(None, 3))
            return lambda x: inner(x.transpose(1, 2)).transpose(1, 2)
        case "linear":
            inner = net.add(nn.Linear(c, 2), axes_at=(1, 2))
            return lambda x: inner(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        case "tokens":
            inner = net.add(nn.Linear(c, 2))
            return lambda x: inner(x.flatten(2).transpose(1, 2)).transpose(1, 2).reshape(len(x), 2, *x.shape[2:])
    inner = net.add(nn.Conv1d(c, 2, 3, padding=1), axes_at=(None, 2))
    return lambda x: inner(x.transpose(1, 2).flatten(0, 1)).view(len(x), h, 2, w).transpose(1, 2)


def _branches(net: Rearranged, x: Map) -> Block | None:
    if min(x.shape[2:]) < 6:
        return None
    c = x.shape[1]
    a, b = net.window(x, same=True), net.window(x, same=True)
    match net.draw.choice(["add", "cat", "split of cat", "shuffled", "stack"]):
        case "add":
            return lambda x: a(x) + b(x)
        case "cat":
            return lambda x: torch.cat([a(x), x, b(x)], 1)
        case "split of cat":
            return lambda x: torch.cat([a(x), b(x)], 1).relu().chunk(2, 1)[0]
        case "stack":
            return lambda x: torch.stack([a(x), b(x)], 1).flatten(1, 2)
    inner = net.window(x, 2 * c, same=True)
    return lambda x: inner(torch.cat([a(x), b(x)], 1).unflatten(1, (2, c)).transpose(1, 2).flatten(1, 2))


def _patches(net: Rearranged, x: Map) -> Block | None:
    c = x.shape[1]
    match net.draw.choice(["inner", "fold", "columns", "frames"]):
        case "inner":
            k = _divisor(net, x, 2, 3, 4)
            if k is None:
                return None
            inner = net.window(x, same=True)

            def block(x: Map) -> Map:
                n, c, h, w = x.shape
                y = inner(F.unfold(x, k, stride=k).transpose(1, 2).reshape(-1, c, k, k))
                return F.fold(y.reshape(n, -1, c * k * k).transpose(1, 2), (h, w), k, stride=k)

            return block
        case "fold":
            mix = net.add(nn.Linear(9 * c, 9 * c))
            return lambda x: F.fold(mix(F.unfold(x, 3, padding=1).transpose(1, 2)).transpose(1, 2), x.shape[2:], 3, padding=1)
        case "columns":
            inner = net.conv(9 * c, 2, 1)
            return lambda x: inner(F.unfold(x, 3, padding=1).view(len(x), 9 * c, *x.shape[2:]))
    if x.shape[3] < 8:
        return None
    mix = net.add(nn.Linear(4, 1), channels_at=1)
    return lambda x: mix(x.unfold(3, 4, 2)).squeeze(-1)


def _padded(net: Rearranged, x: Map) -> Block | None:
    a, b, c, d = (net.draw.randint(0, 2) for _ in range(4))
    inner = net.window(x)
    mode = net.draw.choice(["constant", "constant", "reflect", "replicate"])
    return lambda x: inner(F.pad(x, (a, b, c, d), mode=mode)) if min(x.shape[2:]) >= 8 else x


def _indexed(net: Rearranged, x: Map) -> Block | None:
    n = x.shape[3]
    index = {"mirrored": torch.arange(n - 1, -1, -1), "every second": torch.arange(0, n, 2)}[
        net.draw.choice(["mirrored", "every second"])
    ]
    if net.draw.random() < 0.5:
        return lambda x: x[..., index]
    return lambda x: x.index_select(3, index).flip(2)


def _along_an_axis(net: Rearranged, x: Map) -> Block | None:
    mix = net.add(nn.Linear(x.shape[3], x.shape[3]), channels_at=1, axes_at=(2, 3))
    return (lambda x: mix(x)) if net.draw.random() < 0.3 else None


BLOCKS: dict[str, Callable[[Rearranged, Map], Block | None]] = {
    "plain": _plain,
    "transposed": _transposed,
    "up-sampled": _upsampled,
    "space to depth": _space_to_depth,
    "depth to space": _depth_to_space,
    "slices": _slices,
    "windows": _windows,
    "turned": _turned,
    "branches": _branches,
    "patches": _patches,
    "padded": _padded,
    "indexed": _indexed,
    "along an axis": _along_an_axis,
}

PLAIN_KINDS = ("plain", "transposed", "padded")
"""Blocks that rearrange nothing."""
