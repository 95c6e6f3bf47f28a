"""Random networks of windows in every variety: strides, dilations, paddings of every mode, up-sampling, joins and gates.

Nothing is rearranged, and everything is monotone but gates, whose weights add no receptive field, so that `tests.indicators` can tell
what a unit depends on. One image axis or two; images so small that borders decide, or so large that none does.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import nn

Map = torch.Tensor
MOST_POSITIONS = 400
MODES = ("zeros", "zeros", "zeros", "reflect", "replicate")
CONVS, TRANSPOSED = (nn.Conv1d, nn.Conv2d), (nn.ConvTranspose1d, nn.ConvTranspose2d)
MAXIMA, MEANS = (nn.MaxPool1d, nn.MaxPool2d), (nn.AvgPool1d, nn.AvgPool2d)


class PlainNetwork(nn.Module):
    """A random network.

    Args:
        seed: decides everything.
        blocks: how many.
        modes: of padding.
    """

    def __init__(self, seed: int, blocks: int, modes: tuple[str, ...] = MODES) -> None:
        super().__init__()
        self.draw = random.Random(seed)
        self.modes = modes
        self.axes = self.draw.choice([1, 1, 2])
        smallest, largest = ((4, 12), (5, 9))[self.axes - 1], ((60, 120), (36, 48))[self.axes - 1]
        span = self.draw.choice([smallest, largest])
        self.shape = (1, 2, *(self.draw.randint(*span) for _ in range(self.axes)))
        self.layers = nn.ModuleList()
        self.plan: list[tuple[str, Callable[[Map], Map]]] = []
        x = torch.rand(self.shape)
        while len(self.plan) < blocks:
            x = self._extended(x)
        last = self.conv(3, padding=1)
        self.plan.append(("last", last))

    def __repr__(self) -> str:
        return f"{self.shape} {[name for name, _ in self.plan]}\n{self.layers}"

    def forward(self, x: Map) -> Map:
        for _, block in self.plan:
            x = block(x)
        return x

    def _extended(self, x: Map) -> Map:
        """One block more; what does not run on the map, or makes too large a one, is drawn again."""
        name = self.draw.choice(sorted(BLOCKS))
        made = len(self.layers)
        block = BLOCKS[name](self)
        try:
            with torch.no_grad():
                after = block(x)
        except RuntimeError:
            after = x[..., :0]
        if not 1 <= min(after.shape[2:]) <= after[0, 0].numel() <= MOST_POSITIONS * self.axes**2:
            del self.layers[made:]
            return x
        self.plan.append((name, block))
        return after

    def add(self, layer: nn.Module) -> nn.Module:
        """Take a layer in; its name is ``layers.<number>``."""
        self.layers.append(layer)
        return layer

    def each(self, *values: int) -> tuple[int, ...]:
        """A number per axis."""
        return tuple(self.draw.choice(values) for _ in range(self.axes))

    def conv(self, kernel: int | tuple[int, ...], **options: object) -> nn.Module:
        return self.add(CONVS[self.axes - 1](2, 2, kernel, bias=False, **options))

    def same(self) -> nn.Module:
        """A convolution that keeps the size of its map."""
        kernel, dilation = self.each(1, 3, 3, 5), self.each(1, 1, 2)
        padding = tuple(d * (k // 2) for k, d in zip(kernel, dilation, strict=True))
        return self.conv(kernel, padding=padding, dilation=dilation, padding_mode=self.draw.choice(self.modes))


def _convolution(net: PlainNetwork) -> Callable[[Map], Map]:
    kernel, dilation = net.each(1, 2, 3, 3, 4, 5), net.each(1, 1, 2, 3)
    padding = tuple(net.draw.choice([0, 1, d * (k // 2)]) for k, d in zip(kernel, dilation, strict=True))
    stride, mode = net.each(1, 1, 2, 3), net.draw.choice(net.modes)
    return net.conv(kernel, stride=stride, padding=padding, dilation=dilation, padding_mode=mode)


def _projection(net: PlainNetwork) -> Callable[[Map], Map]:
    return net.conv(1, stride=net.each(2, 3))


def _transposed(net: PlainNetwork) -> Callable[[Map], Map]:
    kernel, stride, dilation = net.each(1, 2, 3, 4), net.each(1, 2, 3), net.each(1, 1, 2)
    padding = tuple(net.draw.randint(0, min(k - 1, 2)) for k in kernel)
    more = tuple(net.draw.randint(0, max(s, d) - 1) for s, d in zip(stride, dilation, strict=True))
    layer = TRANSPOSED[net.axes - 1]
    return net.add(layer(2, 2, kernel, stride, padding, output_padding=more, dilation=dilation, bias=False))


def _pooling(net: PlainNetwork) -> Callable[[Map], Map]:
    kernel = net.each(1, 2, 3, 4)
    stride, padding = net.each(1, 2, 3), tuple(net.draw.randint(0, k // 2) for k in kernel)
    kind = net.draw.choice([MAXIMA, MEANS])[net.axes - 1]
    return net.add(kind(kernel, stride, padding, ceil_mode=net.draw.random() < 0.4))


def _raised(net: PlainNetwork) -> Callable[[Map], Map]:
    mode = net.draw.choice(["nearest", "nearest", ("linear", "bilinear")[net.axes - 1]])
    options = {} if mode == "nearest" else {"align_corners": net.draw.random() < 0.3}
    scale = tuple(float(factor) for factor in net.each(2, 2, 3))
    return lambda x: F.interpolate(x, scale_factor=scale, mode=mode, **options)


def _padding(net: PlainNetwork) -> Callable[[Map], Map]:
    mode = {"zeros": "constant"}.get(name := net.draw.choice(net.modes), name)
    amounts = tuple(net.draw.randint(-1 if mode == "constant" else 0, 2) for _ in range(2 * net.axes))
    return lambda x: F.pad(x, amounts, mode=mode)


def _sum(net: PlainNetwork) -> Callable[[Map], Map]:
    a, b = net.same(), net.same()
    return (lambda x: a(x) + b(x)) if net.draw.random() < 0.5 else (lambda x: x + a(x))


def _side_by_side(net: PlainNetwork) -> Callable[[Map], Map]:
    a, b = net.same(), net.same()
    mix = net.add(CONVS[net.axes - 1](4, 2, 1, bias=False))
    return lambda x: mix(torch.cat([a(x), b(x)], 1))


def _shortcut(net: PlainNetwork) -> Callable[[Map], Map]:
    """A residual block that lowers the resolution, with a strided 1x1 convolution beside it."""
    stride = net.each(2)
    main, beside = net.conv(3, stride=stride, padding=1), net.conv(1, stride=stride)
    return lambda x: main(x) + beside(x)


def _shifted(net: PlainNetwork) -> Callable[[Map], Map]:
    """Two crops of one map meet, so that windows lie beside each other."""
    a = net.same()
    by = net.draw.randint(1, 2)
    return lambda x: a(x)[..., by:] + x[..., :-by]


def _gate(net: PlainNetwork) -> Callable[[Map], Map]:
    weigh = net.same()
    return lambda x: x * weigh(x).sigmoid()


BLOCKS: dict[str, Callable[[PlainNetwork], Callable[[Map], Map]]] = {
    "convolution": _convolution,
    "gate": _gate,
    "padding": _padding,
    "pooling": _pooling,
    "projection": _projection,
    "raised": _raised,
    "shifted": _shifted,
    "shortcut": _shortcut,
    "side by side": _side_by_side,
    "sum": _sum,
    "transposed": _transposed,
}
