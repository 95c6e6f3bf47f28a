"""Classifiers as people write them, small enough to train in a test; most have a tail at 32 px."""

from __future__ import annotations

from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WIDTH = 8


class Plain(nn.Module):
    """Named children; activations are called as functions."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, WIDTH, 7, 2, 3)
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.conv2 = nn.Conv2d(WIDTH, WIDTH, 3, 2, 1)
        self.conv3 = nn.Conv2d(WIDTH, WIDTH, 3, 2, 1)
        self.conv4 = nn.Conv2d(WIDTH, WIDTH, 5, padding=2)
        self.conv5 = nn.Conv2d(WIDTH, WIDTH, 3, padding=1)
        self.gap = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(WIDTH, 10)

    def features(self, x: Tensor) -> Tensor:
        x = F.relu(self.conv2(self.pool(F.relu(self.conv1(x)))))
        return F.relu(self.conv5(F.relu(self.conv4(F.relu(self.conv3(x))))))

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(torch.flatten(self.gap(self.features(x)), 1))


class Block(nn.Module):
    """A basic residual block."""

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, WIDTH, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(WIDTH)
        self.conv2 = nn.Conv2d(WIDTH, WIDTH, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(WIDTH)
        self.shortcut = nn.Sequential()
        if stride > 1 or channels != WIDTH:
            self.shortcut = nn.Sequential(nn.Conv2d(channels, WIDTH, 1, stride, bias=False), nn.BatchNorm2d(WIDTH))

    def forward(self, x: Tensor) -> Tensor:
        out = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(out + self.shortcut(x))


class ResNet(nn.Module):
    """Stages as nn.Sequential, a stem for large images, everything a module but the flattening."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, WIDTH, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(WIDTH)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        self.layer1 = nn.Sequential(Block(WIDTH, 1), Block(WIDTH, 1))
        self.layer2 = nn.Sequential(Block(WIDTH, 2), Block(WIDTH, 1))
        self.layer3 = nn.Sequential(Block(WIDTH, 2), Block(WIDTH, 1))
        self.layer4 = nn.Sequential(Block(WIDTH, 2), Block(WIDTH, 1))
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(WIDTH, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(torch.flatten(self.avgpool(x), 1))


class CifarResNet(nn.Module):
    """The residual network that many CIFAR-10 repositories share: pools and flattens with functions."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, WIDTH, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(WIDTH)
        self.layer1 = nn.Sequential(Block(WIDTH, 1), Block(WIDTH, 1))
        self.layer2 = nn.Sequential(Block(WIDTH, 2), Block(WIDTH, 1))
        self.layer3 = nn.Sequential(Block(WIDTH, 2), Block(WIDTH, 1))
        self.layer4 = nn.Sequential(Block(WIDTH, 2), Block(WIDTH, 1))
        self.linear = nn.Linear(WIDTH, 10)

    def forward(self, x: Tensor) -> Tensor:
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.layer4(self.layer3(self.layer2(self.layer1(out))))
        out = F.avg_pool2d(out, 4)
        out = out.view(out.size(0), -1)
        return self.linear(out)


class Tutorial(nn.Module):
    """The network of PyTorch's tutorial on CIFAR-10: one pooling module is called twice."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 5)
        self.pool = nn.MaxPool2d(2, 2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(F.relu(self.conv1(x)))
        x = self.pool(F.relu(self.conv2(x)))
        x = torch.flatten(x, 1)
        x = F.relu(self.fc1(x))
        return self.fc3(F.relu(self.fc2(x)))


class LeNet(Tutorial):
    """The same, flattened by a view that does not name the batch."""

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = x.view(-1, 16 * 5 * 5)
        x = F.relu(self.fc1(x))
        return self.fc3(F.relu(self.fc2(x)))


class SharedPool(nn.Module):
    """Convolutions in a list; one pooling module is called behind the first four."""

    def __init__(self) -> None:
        super().__init__()
        self.convs = nn.ModuleList(nn.Conv2d(WIDTH if i else 3, WIDTH, 5, padding=2) for i in range(6))
        self.pool = nn.MaxPool2d(2)
        self.fc = nn.Linear(WIDTH, 10)

    def forward(self, x: Tensor) -> Tensor:
        for index, conv in enumerate(self.convs):
            x = F.relu(conv(x))
            if index < 4:
                x = self.pool(x)
        return self.fc(x.mean((2, 3)))


def stack(first: int = 3) -> list[nn.Module]:
    """Layers that lower the resolution four times, and two more: a tail of two at 32 px."""
    layers = [nn.Conv2d(first, WIDTH, 7, 2, 3)]
    layers += [nn.Conv2d(WIDTH, WIDTH, 3, stride, 1) for stride in (2, 2, 2, 1, 1)]
    return layers


class Trunk(nn.Module):
    """Layers in a list."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Sequential(layer, nn.BatchNorm2d(WIDTH), nn.ReLU()) for layer in stack())

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x)
        return x


class Nested(nn.Module):
    """A trunk with a forward of its own, and a head."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = Trunk()
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.1), nn.Linear(WIDTH, 10))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.trunk(x))


class Listed(nn.Module):
    """Layers in a list, pooled by a function."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(stack())
        self.fc = nn.Linear(WIDTH, 10)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = F.relu(layer(x))
        return self.fc(x.mean((2, 3)))


class Keyed(nn.Module):
    """Layers in a dictionary, under keys that are no attribute names."""

    def __init__(self) -> None:
        super().__init__()
        keys = ("stem", "down-1", "class", "down-3", "5", "last")
        self.layers = nn.ModuleDict(zip(keys, stack(), strict=True))
        self.fc = nn.Linear(WIDTH, 10)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers.values():
            x = F.relu(layer(x))
        return self.fc(x.mean((2, 3)))


class Reserved(nn.Module):
    """Children under names that are words of the language."""

    def __init__(self) -> None:
        super().__init__()
        self.names = ("in", "lambda", "class", "is", "pass", "for")
        for name, layer in zip(self.names, stack(), strict=True):
            self.add_module(name, layer)
        self.fc = nn.Linear(WIDTH, 10)

    def forward(self, x: Tensor) -> Tensor:
        for name in self.names:
            x = F.relu(getattr(self, name)(x))
        return self.fc(x.mean((2, 3)))


def sequential() -> nn.Sequential:
    """A model that is a plain sequence."""
    head = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(WIDTH, 10))
    return nn.Sequential(*(part for layer in stack() for part in (layer, nn.ReLU())), *head)


def ordered() -> nn.Sequential:
    """A sequence with names."""
    named = OrderedDict((f"conv{i}", layer) for i, layer in enumerate(stack()))
    named.update(gap=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), fc=nn.Linear(WIDTH, 10))
    return nn.Sequential(named)


def reusing() -> nn.Module:
    """A sequence that holds one activation module several times, before the border only."""
    relu = nn.ReLU()
    first, second, third, *last = stack()
    features = nn.Sequential(first, relu, second, relu, third, relu, *(part for layer in last for part in (layer, nn.ReLU())))
    return nn.Sequential(OrderedDict(features=features, gap=nn.AdaptiveAvgPool2d(1), flat=nn.Flatten(), fc=nn.Linear(WIDTH, 10)))


class Aliased(Plain):
    """Its layers are attributes, and members of a sequence through which they are called."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(self.conv1, self.pool, self.conv2, self.conv3, self.conv4, self.conv5)

    def features(self, x: Tensor) -> Tensor:
        return self.body(x)


class Bottle(nn.Module):
    """Convolution, normalisation and pooling for a number of image axes."""

    def __init__(self, axes: int, channels: int) -> None:
        super().__init__()
        conv, norm = getattr(nn, f"Conv{axes}d"), getattr(nn, f"BatchNorm{axes}d")
        self.conv1 = conv(channels, WIDTH, 7, 2, 3)
        self.bn1 = norm(WIDTH)
        self.pool = getattr(nn, f"MaxPool{axes}d")(3, 2, 1)
        self.body = nn.Sequential(*(part for s in (2, 2, 1, 1, 1) for part in (conv(WIDTH, WIDTH, 3, s, 1), nn.ReLU())))
        self.gap = getattr(nn, f"AdaptiveAvgPool{axes}d")(1)
        self.fc = nn.Linear(WIDTH, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(F.relu(self.bn1(self.conv1(x))))
        return self.fc(self.gap(self.body(x)).flatten(1))


class Auxiliary(Plain):
    """A second classifier that only training uses, as in GoogLeNet."""

    def __init__(self) -> None:
        super().__init__()
        self.aux = nn.Linear(WIDTH, 10)

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        x = F.relu(self.conv2(self.pool(F.relu(self.conv1(x)))))
        early = self.aux(x.mean((2, 3))) if self.training else None
        x = F.relu(self.conv5(F.relu(self.conv4(F.relu(self.conv3(x))))))
        result = self.fc(torch.flatten(self.gap(x), 1))
        return result if early is None else (result, early)


class Choosing(nn.Module):
    """A block that looks at its data."""

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        self.conv = conv

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        return x if x.abs().sum() < 0 else F.relu(x)


class ChoosingBlocks(nn.Module):
    """Blocks that look at their data, one after the other."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*map(Choosing, stack()))
        self.gap = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(WIDTH, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.gap(self.blocks(x)).flatten(1))


class ChoosingForward(Plain):
    """The outer forward looks at its data, and pools in a way that no module can replace."""

    def forward(self, x: Tensor) -> Tensor:
        if x.abs().sum() < 0:
            return self.fc(x.mean((2, 3)))
        x = self.features(x)
        return self.fc(torch.cat([x, x], 1)[:, :WIDTH].mean((2, 3)))


class Returning(Plain):
    """Returns the logits in something.

    Args:
        what: "tuple" of one, "dict" of one, "pair" of tensors.
    """

    def __init__(self, what: str) -> None:
        super().__init__()
        self.what = what

    def forward(self, x: Tensor) -> tuple[Tensor, ...] | dict[str, Tensor]:
        logits = super().forward(x)
        return {"tuple": (logits,), "dict": {"logits": logits}, "pair": (logits, logits * 2)}[self.what]


class FlatView(nn.Module):
    """Flattened by a view that does not name the batch, behind layers that are unproductive at 32 px.

    Args:
        pools: whether positions are averaged first, by a window of fixed size.
    """

    def __init__(self, *, pools: bool) -> None:
        super().__init__()
        self.pools = pools
        self.features = nn.Sequential(*(nn.Conv2d(WIDTH if i else 3, WIDTH, 5, s, 2) for i, s in enumerate((2, 2, 2, 1, 1))))
        self.fc = nn.Linear(WIDTH if pools else WIDTH * 16, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.features(x)
        return self.fc((F.avg_pool2d(x, 4) if self.pools else x).view(-1, self.fc.in_features))
