"""Each way to record a pass sees the same operators, or says how it failed."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import nn

from rfcheck.graph.failing import Failure
from rfcheck.graph.passes import pass_on_fakes, pass_on_meta, pass_on_zeros
from rfcheck.graph.records import Recording

WAYS = [pass_on_meta, pass_on_fakes, pass_on_zeros]
SHAPE = (1, 3, 8, 8)


class Asking(nn.Module):
    """Its forward needs a value that only data has, or only a device that holds data."""

    def __init__(self, ask) -> None:
        super().__init__()
        self.ask, self.layer = ask, nn.Conv2d(3, 3, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.ask(x)
        return self.layer(x)


def test_all_ways_record_the_same_operators_and_shapes():
    model = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 2)
    )
    recordings = [way(model, SHAPE, False) for way in WAYS]
    assert all(isinstance(recording, Recording) for recording in recordings)
    seen = [[(record.call.path, record.outputs[0].shape) for record in one.records] for one in recordings]
    assert [path for path, _ in seen[0]][-1] == "5"
    assert all(here == there for here, there in pairwise(seen))
    assert not any(parameter.is_meta for parameter in model.parameters())


@pytest.mark.parametrize(
    ("ask", "succeed"),
    [(lambda x: x.sum().item(), [False, False, True]), (lambda x: None, [True, True, True])],
    ids=["value", "nothing"],
)
def test_which_ways_succeed(ask, succeed):
    assert [not isinstance(way(Asking(ask), SHAPE, False), Failure) for way in WAYS] == succeed


@pytest.mark.parametrize("way", WAYS)
def test_a_failure_names_the_layer_and_what_it_received(way):
    failed = way(nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(5, 4, 3)), SHAPE, False)
    assert isinstance(failed, Failure)
    assert failed.call is not None
    assert (failed.call.path, failed.shapes) == ("1", [(1, 4, 6, 6)])
