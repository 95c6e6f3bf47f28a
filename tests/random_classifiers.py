"""Random classifiers as people write them: blocks of their own, containers in containers, functions between modules."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from hypothesis import strategies as st
from torch import nn

Pair = tuple[int, int]
WIDTH = 4
CLASSES = 3


class Residual(nn.Module):
    """Two convolutions beside a shortcut."""

    def __init__(self, channels: int, kernel: int, stride: int, *, projects: bool, functional: bool) -> None:
        super().__init__()
        self.functional = functional
        self.conv1 = nn.Conv2d(channels, WIDTH, kernel, stride, kernel // 2, bias=False)
        self.bn1 = nn.BatchNorm2d(WIDTH)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(WIDTH, WIDTH, 3, padding=1)
        self.downsample = nn.Sequential(nn.Conv2d(channels, WIDTH, 1, stride), nn.BatchNorm2d(WIDTH)) if projects else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        activate = F.relu if self.functional else self.relu
        out = self.conv2(activate(self.bn1(self.conv1(x))))
        out += x if self.downsample is None else self.downsample(x)
        return activate(out)


class Branches(nn.Module):
    """A convolution and a pooled branch side by side, put behind each other in channels."""

    def __init__(self, channels: int, kernel: Pair, dilation: int, stride: int) -> None:
        super().__init__()
        padding = tuple(dilation * (k - 1) // 2 for k in kernel)
        self.left = nn.Sequential(nn.Conv2d(channels, 2, kernel, stride, padding, dilation), nn.ReLU())
        self.right = nn.Sequential(OrderedDict(pool=nn.MaxPool2d(3, stride, 1), conv=nn.Conv2d(channels, 2, 1)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([self.left(x), self.right(x)], 1)


class Squeeze(nn.Module):
    """A gate over channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(channels, 2, 1)
        self.expand = nn.Conv2d(2, channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        weights = self.expand(F.relu(self.reduce(x.mean((2, 3), keepdim=True))))
        return x * weights.sigmoid()


class Pooled(nn.Module):
    """A convolution and a pooling that is called as a function."""

    def __init__(self, channels: int, kernel: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, WIDTH, kernel, padding=kernel // 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.max_pool2d(F.relu(self.conv(x)), 2)


class Body(nn.Module):
    """Layers in a list; functions between them."""

    def __init__(self, layers: list[nn.Module], activations: list[bool]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.activations = activations

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer, activation in zip(self.layers, self.activations, strict=True):
            x = layer(x)
            x = F.relu(x) if activation else x
        return x


class Children(nn.Module):
    """Layers as named children that are called one after the other."""

    def __init__(self, layers: list[nn.Module]) -> None:
        super().__init__()
        self.names = [f"{'stem' if index == 0 else 'layer'}{index}" for index, _ in enumerate(layers)]
        for name, layer in zip(self.names, layers, strict=True):
            self.add_module(name, layer)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for name in self.names:
            x = getattr(self, name)(x)
        return x


class Classifier(nn.Module):
    """A body and a head; what is between them is called as a function."""

    def __init__(self, body: nn.Module, head: nn.Module, between: str) -> None:
        super().__init__()
        self.body = body
        self.head = head
        self.between = between

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.body(x)
        match self.between:
            case "mean":
                x = x.mean((2, 3))
            case "adaptive":
                x = F.adaptive_avg_pool2d(x, 1).flatten(1)
            case "flatten":
                x = torch.flatten(x, 1)
        return self.head(x)


@dataclass
class Drawing:
    """Draws layers one by one, each of which leaves a map."""

    draw: st.DrawFn
    size: Pair
    channels: int = 3
    layers: list[nn.Module] = field(default_factory=list)

    def add(self, layer: nn.Module) -> None:
        """Keep a layer if it runs on the map that there is."""
        layer = layer.to("meta").eval()
        try:
            out = layer(torch.empty(1, self.channels, *self.size, device="meta"))
        except RuntimeError:
            return
        if min(out.shape) > 0:
            self.layers.append(layer)
            self.channels, self.size = out.shape[1], tuple(out.shape[2:])

    def pair(self, low: int, high: int) -> Pair:
        return self.draw(st.tuples(*[st.integers(low, high)] * 2))

    def one(self, *values: object) -> object:
        return self.draw(st.sampled_from(values))

    def convolution(self) -> None:
        """Any window, square or not, that keeps at least a unit of the map."""
        kernel, stride, dilation = self.pair(1, 5), self.pair(1, 2), self.pair(1, 2)
        padding = tuple(min(self.draw(st.integers(0, 4)), d * (k - 1)) for k, d in zip(kernel, dilation, strict=True))
        groups = 2 if self.channels == WIDTH and self.draw(st.booleans()) else 1
        conv = nn.Conv2d(self.channels, WIDTH, kernel, stride, padding, dilation, groups, bias=self.draw(st.booleans()))
        self.add(conv)

    def same(self) -> None:
        """A convolution that keeps the size of its map, or halves it, with what usually follows."""
        kernel, stride = self.one(3, 5, 7), self.one(1, 1, 2)
        conv = nn.Conv2d(self.channels, WIDTH, kernel, stride, kernel // 2)
        parts = [conv, *self.one([], [nn.ReLU()], [nn.BatchNorm2d(WIDTH), nn.ReLU()], [nn.BatchNorm2d(WIDTH)])]
        self.add(nn.Sequential(*parts) if len(parts) > 1 else conv)

    def pooling(self) -> None:
        kernel, stride = self.one(2, 3), self.one(1, 2, 2)
        padding, ceil_mode = self.one(0, kernel // 2), self.draw(st.booleans())
        self.add(self.one(nn.MaxPool2d, nn.AvgPool2d)(kernel, stride, padding, ceil_mode=ceil_mode))

    def residual(self) -> None:
        stride = self.one(1, 1, 2)
        projects = self.channels != WIDTH or stride > 1
        functional = self.draw(st.booleans())
        for index in range(self.one(1, 2)):
            first = index == 0
            self.add(
                Residual(
                    self.channels,
                    self.one(3, 5),
                    stride if first else 1,
                    projects=projects if first else self.channels != WIDTH,
                    functional=functional,
                )
            )

    def branches(self) -> None:
        kernel = self.one((3, 3), (1, 3), (5, 5), (1, 1))
        self.add(Branches(self.channels, kernel, self.one(1, 2), self.one(1, 1, 2)))

    def gate(self) -> None:
        self.add(Squeeze(self.channels))

    def functional(self) -> None:
        self.add(Pooled(self.channels, self.one(3, 5)))

    def body(self) -> nn.Module:
        """All layers in a container, the last few of them perhaps in one of their own."""
        layers = list(self.layers)
        if len(layers) > 3 and self.draw(st.booleans()):
            cut = self.draw(st.integers(1, len(layers) - 1))
            names = self.draw(st.booleans())
            inner = OrderedDict((f"block{i}" if names else str(i), layer) for i, layer in enumerate(layers[cut:]))
            layers = [*layers[:cut], nn.Sequential(inner)]
        kind = self.one("sequential", "list", "children")
        if kind == "list":
            return Body(layers, [self.draw(st.booleans()) for _ in layers])
        return nn.Sequential(*layers) if kind == "sequential" else Children(layers)


def _head(drawing: Drawing) -> tuple[str, nn.Module]:
    """What is called as a function between body and head, and the head."""
    features = drawing.channels
    positions = features * drawing.size[0] * drawing.size[1]
    kind = drawing.one("modules", "mean", "adaptive", "flatten", "mlp", "convolution")
    linear = nn.Linear(positions if kind == "flatten" else features, CLASSES)
    match kind:
        case "modules":
            return "", nn.Sequential(OrderedDict(pool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), fc=linear))
        case "mlp":
            inner = [nn.Linear(features, 5), nn.ReLU(), nn.Dropout(), nn.Linear(5, CLASSES)]
            return drawing.one("mean", "adaptive"), nn.Sequential(*inner)
        case "convolution":
            parts = [nn.Dropout(), nn.Conv2d(features, CLASSES, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
            return "", nn.Sequential(*parts)
    return kind, linear


@st.composite
def random_classifiers(draw: st.DrawFn, *, small: bool = False) -> tuple[nn.Module, Pair]:
    """A random classifier on the meta device in eval mode, and the extent of its image per axis.

    Args:
        draw: given by hypothesis.
        small: for images of few pixels, on which outer taps of kernels read nothing.
    """
    sizes = [(6, 6), (8, 8), (5, 9), (12, 7)] if small else [(24, 24), (32, 32), (32, 24), (21, 33)]
    size = draw(st.sampled_from(sizes))
    drawing = Drawing(draw, size)
    drawing.add(nn.Conv2d(3, WIDTH, draw(st.sampled_from([3, 7])), draw(st.integers(1, 2)), draw(st.sampled_from([1, 3]))))
    kinds = [drawing.convolution, drawing.same, drawing.same, drawing.residual, drawing.residual, drawing.pooling]
    kinds += [drawing.branches, drawing.gate, drawing.functional]
    for layer in draw(st.lists(st.sampled_from(kinds), min_size=3, max_size=9)):
        layer()
    between, head = _head(drawing)
    body = drawing.body()
    if not between and draw(st.booleans()):
        return nn.Sequential(OrderedDict(body=body, head=head)).to("meta").eval(), size
    return Classifier(body, head, between).to("meta").eval(), size
