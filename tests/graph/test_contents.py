from __future__ import annotations

import random
import threading
from collections import Counter, OrderedDict, defaultdict, deque
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from rfcheck.graph import contents
from rfcheck.graph.contents import Contents


class Plain:
    kind = "plain"

    def __init__(self):
        self.number, self.inner, self.names = 1, SimpleNamespace(depth=2), ["a"]


class Slotted:
    __slots__ = ("number", "unset")

    def __init__(self):
        self.number = 1


class Holder(nn.Module):
    """Whatever a module may hold, besides modules and tensors in its tables."""

    shared = []

    def __init__(self):
        super().__init__()
        self.plain, self.slotted = Plain(), Slotted()
        self.table, self.ordered = {"a": 1, "b": [1]}, OrderedDict(a=1, b=2)
        self.default, self.counter = defaultdict(list, a=[1]), Counter("aab")
        self.queue, self.bytes, self.tags, self.empty = deque([1, 2], maxlen=2), bytearray(b"ab"), {"x"}, {}
        self.pair, self.array, self.fixed = ([1], Plain()), np.arange(3), np.arange(3)
        self.fixed.flags.writeable = False
        self.unlisted = [nn.Linear(1, 1)]
        self.ring = [self.plain]
        self.plain.owner = self
        self.ring.append(self.ring)


CHANGES = {
    "attribute": lambda m: setattr(m.plain, "number", 2),
    "new attribute": lambda m: setattr(m.plain, "new", 2),
    "lost attribute": lambda m: delattr(m.plain, "number"),
    "object in an object": lambda m: setattr(m.plain.inner, "depth", 3),
    "list in an object": lambda m: m.plain.names.append("b"),
    "object in a tuple": lambda m: m.pair[1].names.clear(),
    "slot": lambda m: setattr(m.slotted, "number", 2),
    "new slot": lambda m: setattr(m.slotted, "unset", 2),
    "lost slot": lambda m: delattr(m.slotted, "number"),
    "table": lambda m: m.table.update(a=2, c=3),
    "order of a table": lambda m: m.table.update(a=m.table.pop("a")),
    "list in a table": lambda m: m.table["b"].append(2),
    "emptied table": lambda m: m.table.clear(),
    "ordered": lambda m: m.ordered.move_to_end("a"),
    "default": lambda m: m.default["new"].append(1),
    "counter": lambda m: m.counter.update("b"),
    "queue": lambda m: m.queue.append(3),
    "bytes": lambda m: m.bytes.extend(b"c"),
    "tags": lambda m: m.tags.symmetric_difference_update({"x", "y"}),
    "empty table": lambda m: m.empty.update(a=1),
    "array": lambda m: m.array.fill(7),
    "class": lambda m: setattr(Holder, "new", 1),
    "list of the class": lambda m: m.shared.append(1),
    "module outside the tables": lambda m: m.unlisted[0].register_buffer("new", torch.zeros(1)),
    "weights of such a module": lambda m: setattr(m.unlisted[0], "weight", nn.Parameter(torch.ones(1, 1))),
    "ring": lambda m: m.ring.clear(),
}


def shown(model: Holder) -> list[object]:
    linear = model.unlisted[0]
    table = vars(model)
    return [
        [(name, list(value.items())) for name, value in table.items() if isinstance(value, dict) and not name.startswith("_")],
        [list(model.queue), bytes(model.bytes), sorted(model.tags), model.array.tolist(), len(model.ring)],
        [list(vars(model.plain)), dict(vars(model.plain.inner)), list(model.plain.names), list(vars(model.pair[1]).values())[0::2]],
        [list(model.pair[1].names), model.plain.number, hasattr(model.slotted, "unset"), getattr(model.slotted, "number", None)],
        [hasattr(Holder, "new"), list(Holder.shared), list(linear._buffers), id(linear.weight)],
    ]


def copied(values: list[object]) -> str:
    return repr(values)


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_changed_is_put_back(name):
    model = Holder()
    before = copied(shown(model))
    held = Contents(model.modules())
    CHANGES[name](model)
    assert copied(shown(model)) != before if "lost" not in name else True
    held.put_back()
    assert copied(shown(model)) == before
    held.put_back()
    assert copied(shown(model)) == before


@pytest.mark.parametrize(
    ("generator", "draw"),
    [
        (random.Random(0), lambda g: g.random()),
        (np.random.RandomState(0), lambda g: g.rand()),
        (np.random.default_rng(0), lambda g: g.random()),
        (torch.Generator().manual_seed(0), lambda g: torch.rand(1, generator=g).item()),
    ],
)
def test_random_numbers_come_again(generator, draw):
    model = nn.Identity()
    model.settings = SimpleNamespace(generator=generator)
    held = Contents([model])
    drawn = draw(generator)
    held.put_back()
    assert draw(generator) == drawn


def test_objects_that_work_by_themselves_are_left_alone():
    model = nn.Identity()
    model.lock, model.function, model.thread = threading.Lock(), lambda: 1, threading.Thread(target=print)
    model.function.calls = 0
    held = Contents([model])
    model.function.calls = 1
    with model.lock:
        held.put_back()
        assert model.lock.locked()
    assert model.function.calls == 1


def test_there_is_an_end_to_what_is_followed(monkeypatch):
    monkeypatch.setattr(contents, "_LIMIT", 10)
    model = nn.Identity()
    model.near, model.far = Plain(), [Plain() for _ in range(20)]
    held = Contents([model])
    model.near.number = model.far[5].number = 2
    model.far.pop()
    held.put_back()
    assert (model.near.number, len(model.far), model.far[5].number) == (1, 20, 2)


def test_a_table_is_never_without_a_name_that_it_had():
    """While tables are put back, whoever looks at them from another thread, or is interrupted there, finds everything."""
    seen = []

    class Watching(dict):
        def __delitem__(self, key):
            seen.append(key)
            super().__delitem__(key)

    model = nn.Identity()
    model.table = Watching(a=1, b=2)
    held = Contents([model])
    model.table["c"] = 3
    held.put_back()
    assert dict(model.table) == {"a": 1, "b": 2}
    assert seen == []  # the methods of a class of the user's are not called
