"""Every fix that is listed can be carried out, whatever the code around it does with its tensors."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils import parametrizations

from rfcheck import analyze, apply_fix
from rfcheck.fixes.outcome import outcome_of_network

SIZE = 30


def conv(a: int, b: int, k: int = 3, s: int = 1) -> nn.Conv2d:
    return nn.Conv2d(a, b, k, s, k // 2)


class Entry(nn.Module):
    """A residual block that lowers the resolution, and another one whose forward begins in one of several ways."""

    def __init__(self, begin) -> None:
        super().__init__()
        self.pooled, self.beside = nn.Sequential(conv(16, 32), nn.MaxPool2d(3, 2, 1)), conv(16, 32, 1, 2)
        self.relu = nn.ReLU(inplace=True)
        self.main = nn.Sequential(nn.ReLU(inplace=True), conv(32, 32), conv(32, 32))
        self.rest = nn.Sequential(conv(32, 32), conv(32, 32))
        self.short, self.begin = conv(32, 32, 1), begin

    def forward(self, x):
        return self.begin(self, self.pooled(x) + self.beside(x))


def fork_behind_in_place(m, x):
    return m.main(x) + m.short(x)


def result_not_used(m, x):
    m.relu(x)
    return m.rest(x) + m.short(x)


def both_names(m, x):
    y = m.relu(x)
    return m.rest(y) + m.short(x)


def functional_in_place(m, x):
    F.relu_(x)
    return m.rest(x) + m.short(x)


def view_before(m, x):
    flat = x.flatten(2)
    x = m.relu(x)
    return m.rest(x) + m.short(flat.view_as(x))


def called_twice(m, x):
    return m.rest(m.relu(m.rest(m.relu(x))))


def size_asserted(m, x):
    if x.shape[-1] > 8:
        raise ValueError("made for small maps")
    return m.rest(m.relu(x))


def resized(m, x):
    return m.rest(F.interpolate(m.relu(x), size=(8, 8)))


def plain(m, x):
    return m.rest(m.relu(x)) + m.short(x)


class Exit(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.pooled, self.beside = nn.Sequential(conv(32, 32), nn.MaxPool2d(3, 2, 1)), conv(32, 32, 1, 2)
        self.convs = nn.Sequential(*(conv(32, 32) for _ in range(4)))

    def forward(self, x):
        return self.convs(self.pooled(x) + self.beside(x))


class Net(nn.Module):
    def __init__(self, begin) -> None:
        super().__init__()
        self.stem, self.entry, self.exit, self.head = conv(3, 16, 3, 2), Entry(begin), Exit(), nn.Linear(32, 10)

    def forward(self, x):
        return self.head(self.exit(self.entry(self.stem(x))).mean((2, 3)))


BEGINNINGS = (
    fork_behind_in_place,
    result_not_used,
    both_names,
    functional_in_place,
    view_before,
    called_twice,
    size_asserted,
    resized,
    plain,
)


def assert_all_can_be_made(model: nn.Module, size: int = SIZE) -> list[str]:
    fixes = analyze(model, size).fixes
    for fix in fixes:
        changed = outcome_of_network(analyze(apply_fix(model, fix, size), size).network)
        assert changed == fix.predicted.after, fix.name
    return [fix.name for fix in fixes]


@pytest.mark.parametrize("begin", BEGINNINGS, ids=lambda begin: begin.__name__)
def test_every_listed_fix_can_be_made(begin):
    assert "truncate-before" in assert_all_can_be_made(Net(begin).eval())


def test_a_pooling_goes_where_everything_reads_it():
    (fix,) = (f for f in analyze(Net(fork_behind_in_place).eval(), SIZE).fixes if f.name == "move-downsampling")
    assert "entry.main.0" not in fix.description


def test_parametrised_modules():
    model = Net(plain).eval()
    for module in (model.stem, model.exit.pooled[0], model.exit.convs[2]):
        parametrizations.weight_norm(module)
    assert_all_can_be_made(model)


def test_a_sequence_that_is_called_twice():
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stem = nn.Sequential(conv(3, 8, 3, 2), nn.ReLU(inplace=True))
            self.block = nn.Sequential(conv(8, 8), nn.ReLU(inplace=True))
            self.down, self.last = conv(8, 8, 3, 2), nn.Sequential(*(conv(8, 8) for _ in range(6)))
            self.head = nn.Linear(8, 4)

        def forward(self, x):
            x = self.down(self.block(self.block(self.stem(x))))
            return self.head(self.last(x).mean((2, 3)))

    assert_all_can_be_made(Twice().eval(), 24)


def test_a_class_of_the_users_that_knows_its_stride():
    class Strided(nn.Conv2d):
        def forward(self, x):
            return F.conv2d(x, self.weight, self.bias, 2, 1)

    model = nn.Sequential(
        Strided(3, 8, 3), *(conv(8, 8, 5) for _ in range(6)), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4)
    )
    assert_all_can_be_made(model.eval(), 24)


def test_a_tensor_that_two_branches_change_in_place():
    class Shared(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Sequential(nn.ReLU(inplace=True), conv(8, 8)), nn.Sequential(nn.ReLU(inplace=True), conv(8, 8))
            self.stem, self.last, self.head = conv(3, 8, 5, 2), nn.Sequential(*(conv(8, 8, 5) for _ in range(5))), nn.Linear(8, 3)

        def forward(self, x):
            x = self.stem(x)
            x += 1
            return self.head(self.last(torch.cat([self.a(x), self.b(x)], 1)[:, :8]).mean((2, 3)))

    assert_all_can_be_made(Shared().eval(), 24)
