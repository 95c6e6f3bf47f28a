from __future__ import annotations

import ast
import types

import pytest
import torch
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


async def create_model():
    return Whole()


def annotated() -> Whole:
    return Whole()


def helper():
    return Whole()


def several() -> list[int]:
    return []


@pytest.fixture
def module() -> types.ModuleType:
    made = types.ModuleType(__name__)
    vars(made).update(Part=Part, Whole=Whole, WithoutForward=WithoutForward, nn=nn, Conv=nn.Conv2d)
    vars(made).update(
        make_model=make_model,
        create_model=create_model,
        annotated=annotated,
        helper=helper,
        several=several,
        one=Whole(),
        _hidden=Whole(),
        Pair=tuple[int, int],
    )
    return made


def test_what_counts_as_a_candidate(module):
    assert class_names(module) == ["Part", "Whole"]
    assert function_names(module) == ["make_model", "annotated"]
    assert instance_names(module, ast.parse("")) == ["one"]


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("from other import one", []),
        ("from other import *", []),
        ("from other import net as one", []),
        ("from other import net\none = net", ["one"]),
        ("try:\n    from other import one\nexcept ImportError:\n    one = 3", ["one"]),
        ("from other import *\none = net", ["one"]),
        ("from other import two", ["one"]),
        ("globals()['one'] = 3", ["one"]),
        ("from other import one\nif __name__ == '__main__':\n    one = 3", []),
    ],
)
def test_models_that_are_imported_are_not_those_of_a_file(module, code, found):
    assert instance_names(module, ast.parse(code)) == found


def test_required_arguments():
    assert required_arguments(lambda a, b=1, *c, d, **e: None) == ["a", "d"]
    assert required_arguments(Whole) == []


def test_parts_and_twins_are_no_models_of_their_own():
    classes = {"Part": Part, "Whole": Whole}
    assert without_parts(classes, {"Part": Part(), "Whole": Whole()}) == ["Whole"]
    assert without_parts(classes, {"Part": Part(), "Whole": Whole(), "build": Whole()}) == []


def test_losses_activations_and_transforms_are_no_models(module):
    vars(module).update(criterion=nn.CrossEntropyLoss(), act=nn.ReLU(), net=nn.Sequential(nn.Conv2d(3, 3, 1), nn.ReLU()))
    assert instance_names(module, ast.parse("criterion = act = net = one = None")) == ["one", "net"]


def test_a_class_of_torchscript_is_a_model(module):
    """It has its forward on instances only."""

    class Scripted(torch.jit.ScriptModule):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 8, 3)

        @torch.jit.script_method
        def forward(self, x):
            return self.conv(x)

    Scripted.__module__ = module.__name__
    module.Scripted = Scripted
    assert "Scripted" in class_names(module)
