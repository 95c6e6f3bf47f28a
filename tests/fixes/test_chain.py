from __future__ import annotations

import pytest
import torch
from torch import nn

from rfcheck.fixes.chain import NotReplaceableError, elements_behind
from rfcheck.fixes.places import places
from tests.fixes.networks import subject_of


class Net(nn.Module):
    """A trunk in a module of its own, and a head of modules and function calls."""

    def __init__(self, branch: bool = False, twice: bool = False, look: bool = False) -> None:
        super().__init__()
        self.trunk = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU())
        self.norm, self.drop, self.fc = nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, 2)
        self.branch, self.twice, self.look = branch, twice, look

    def forward(self, x):
        x = self.trunk(x)
        if self.look:
            x.amax()
        pooled = x.mean((2, 3))
        y = self.drop(self.norm(pooled))
        y = self.drop(y) if self.twice else y
        return self.fc(torch.relu(y) + pooled if self.branch else torch.relu(y))


def behind(model: nn.Module, module: str):
    subject = subject_of(model, 8)
    place = next(place for place in places(subject) if place.module == module)
    opened = ("", "trunk") if module.startswith("trunk.") else ("",)
    elements, left_out = elements_behind(subject.graph, place, opened)
    return [(element.module, element.nodes) for element in elements], left_out


HEAD = [(None, ["mean"]), ("norm", ["norm"]), ("drop", ["drop"]), (None, ["relu"]), ("fc", ["fc"])]


def test_modules_and_functions_in_their_order():
    assert behind(Net(), "trunk") == (HEAD, False)


def test_inside_a_module_its_children_are_elements_too():
    assert behind(Net(), "trunk.0") == ([("trunk.1", ["trunk.1"]), *HEAD], False)


def test_a_value_that_is_only_looked_at_is_left_out():
    assert behind(Net(look=True), "trunk") == (HEAD, True)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"branch": True}, "add reads mean, which is not right before it"),
        ({"twice": True}, "a module of the head is called several times"),
    ],
)
def test_what_is_no_chain(arguments, reason):
    with pytest.raises(NotReplaceableError) as error:
        behind(Net(**arguments), "trunk")
    assert str(error.value) == reason
