from __future__ import annotations

import types

import pytest
from torch import nn

from rfcheck.target.discover import class_names, function_names, instance_names, required_arguments, without_parts


class Part(nn.Module):
    def forward(self, x):
        return x


class Whole(nn.Module):
    def __init__(self):
        super().__init__()
        self.part = Part()

    def forward(self, x):
        return self.part(x)


class WithoutForward(nn.Module):
    pass


def make_model():
    return Whole()


def annotated() -> Whole:
    return Whole()


def helper():
    return Whole()


@pytest.fixture
def module() -> types.ModuleType:
    made = types.ModuleType(__name__)
    vars(made).update(Part=Part, Whole=Whole, WithoutForward=WithoutForward, nn=nn, Conv=nn.Conv2d)
    vars(made).update(make_model=make_model, annotated=annotated, helper=helper, one=Whole(), _hidden=Whole())
    return made


def test_what_counts_as_a_candidate(module):
    assert class_names(module) == ["Part", "Whole"]
    assert function_names(module) == ["make_model", "annotated"]
    assert instance_names(module) == ["one"]


def test_required_arguments():
    assert required_arguments(lambda a, b=1, *c, d, **e: None) == ["a", "d"]
    assert required_arguments(Whole) == []


def test_parts_and_twins_are_no_models_of_their_own():
    classes = {"Part": Part, "Whole": Whole}
    assert without_parts(classes, {"Part": Part(), "Whole": Whole()}) == ["Whole"]
    assert without_parts(classes, {"Part": Part(), "Whole": Whole(), "build": Whole()}) == []
