from __future__ import annotations

import ast
import types
from pathlib import Path

import pytest
import torch
from torch import nn

from rfcheck.target.discover import (
    Candidates,
    class_names,
    function_names,
    instance_names,
    is_block,
    may_be_built,
    required_arguments,
    without_parts,
)
from rfcheck.target.obvious import Given
from rfcheck.target.uses import Uses


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
    uses = Uses.in_file(ast.parse(Path(__file__).read_text()))
    assert class_names(module, uses) == ["Part", "Whole"]
    assert function_names(module, uses) == ["make_model", "annotated", "helper"]
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
    classes = ["Part", "Whole"]
    assert without_parts(classes, {"Part": Part(), "Whole": Whole()}, classes) == ["Whole"]
    assert without_parts([*classes, "build"], {"Part": Part(), "Whole": Whole(), "build": Whole()}, classes) == ["build"]


def test_a_class_that_a_function_builds_otherwise_is_another_model():
    class Wide(Whole):
        def __init__(self, width=3):
            super().__init__()
            self.width = width

    names = ["build", "Wide"]
    assert without_parts(names, {"build": Wide(4), "Wide": Wide()}, ["Wide"]) == names
    assert without_parts(names, {"build": Wide(3), "Wide": Wide()}, ["Wide"]) == ["build"]


def run(code: str) -> tuple[types.ModuleType, ast.Module]:
    made = types.ModuleType("made")
    exec("from torch import nn\n" + code, vars(made))
    return made, ast.parse(code)


HEAD = (
    "class {}(nn.Module):\n    def __init__(self{}):\n        super().__init__()\n        self.c = {}\n"
    "    def forward(self, x):\n        return self.c(x)\n"
)


def cls(name: str, arguments: str = "", part: str = "nn.Conv2d(3, 3, 1)") -> str:
    return HEAD.format(name, arguments and f", {arguments}", part)


@pytest.mark.parametrize(
    ("code", "models"),
    [
        (cls("Part") + cls("Whole", part="Part()"), ["Whole"]),
        (cls("Part", "n=3") + cls("Whole", "m", "Part(m)"), []),
        (cls("Part") + "def make():\n    return Part()\n" + cls("Whole", "m", "make()"), []),
        (cls("Part") + "KINDS = {'a': Part}\n" + cls("Whole", part="KINDS['a']()"), ["Whole"]),
        (cls("Base", part="None") + cls("PartA").replace("nn.Module", "Base") + cls("Whole", part="PartA()"), ["Whole"]),
        (cls("Net") + cls("Deep").replace("nn.Module", "Net"), ["Net", "Deep"]),
        (cls("Tree", "depth=2", "nn.Conv2d(3, 3, 1) if depth == 0 else Tree(depth - 1)"), ["Tree"]),
        (cls("Block", "n=3") + cls("Net", "block, n", "block(n)") + "def net():\n    return Net(Block, 3)\n", ["net"]),
        (cls("Block", "n=3") + cls("Net", "block=None") + "def net():\n    return Net(block=Block)\n", ["net"]),
        ("class Act(nn.Module):\n    def forward(self, x):\n        return x\n", []),
        ("class Made(nn.Module):\n    def forward(self, x):\n        return nn.Conv2d(3, 3, 1)(x)\n", ["Made"]),
        (cls("Net", "num_classes"), ["Net"]),
        (cls("SEBlock", "channels", "nn.Conv2d(channels, 3, 1)"), []),
        (cls("Gated", "channels", "nn.Conv2d(channels, 3, 1)"), []),
        (cls("UNet", "in_channels", "nn.Conv2d(in_channels, 3, 1)"), ["UNet"]),
        (cls("Gated", "channels, n_classes=3", "nn.Conv2d(channels, n_classes, 1)"), ["Gated"]),
        ("def act():\n    return nn.ReLU()\ndef conv():\n    return nn.Conv2d(3, 3, 1)\n", []),
        (cls("Net") + "same = Net\n", ["Net"]),
        (cls("Base").replace("self.c(x)", "self.head(x)") + cls("Net").replace("nn.Module", "Base"), ["Net"]),
        (cls("Base").replace("return self.c(x)", "raise NotImplementedError") + cls("Net").replace("nn.Module", "Base"), ["Net"]),
    ],
)  # fmt: skip
def test_models_and_their_parts(code, models):
    module, tree = run(code)
    found = Candidates.of(module, tree)
    filled = {name: Given().filled(getattr(module, name)) for name in found.makers}
    built = {
        name: getattr(module, name)(**filled[name].values)
        for name in found.makers
        if may_be_built(name, getattr(module, name), filled[name])
    }
    assert found.models(built) == models


@pytest.mark.parametrize(
    "name", ["SEBlock", "ResidualUnit", "BasicConv2d", "PatchEmbed", "SELayer", "res_block", "ChannelAttention"]
)
def test_names_of_building_blocks(name):
    assert is_block(name)


@pytest.mark.parametrize("name", ["ResNet", "SEResNet18", "UNet", "MobileNetV2", "VGG", "Net", "MLP", "Upernet", "DenseNet121"])
def test_names_of_networks(name):
    assert not is_block(name)


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
    assert "Scripted" in class_names(module, Uses.in_file(ast.parse("")))
