"""Each change, carried out and written: both give the same model."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from rfcheck.fixes.parts import IDENTITY, Container, Part
from rfcheck.fixes.steps import Append, Assign, Crop, Replace, Shorten, Step, Wrap, expression, put, run_steps, snippet_of

LINEAR = Part("Linear", (4, 2))


class OwnSequential(nn.Sequential):
    def __init__(self, *modules: nn.Module) -> None:
        super().__init__(*modules)
        self.width = 4


class Net(nn.Module):
    """Modules under all sorts of names."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, (5, 3), 2, (2, 1))
        self.stages = nn.Sequential(nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)), nn.Tanh())
        self.own = OwnSequential(nn.Conv2d(4, 4, 1), nn.ReLU(), nn.Identity())
        self.branches = nn.ModuleList([nn.ReLU(), nn.Conv2d(4, 4, 1, bias=False)])
        self.heads = nn.ModuleDict({"a b": nn.Linear(4, 2), "fc": nn.Linear(4, 3)})
        self.add_module("1x1", nn.Conv2d(4, 4, 1))
        self.fc = nn.Linear(4, 2)

    def forward(self, x):
        x = self.own(self.stages(self.conv(x)))
        x = self.get_submodule("1x1")(self.branches[1](self.branches[0](x))).mean((2, 3))
        return torch.cat([self.fc(x), self.heads["a b"](x), self.heads["fc"](x)], 1)


STEPS: list[tuple[Step, list[str]]] = [
    (Assign("stages.0.2", "stride", (1, 1)), ["model.stages[0][2].stride = (1, 1)"]),
    (Replace("stages.0.2", IDENTITY), ["model.stages[0][2] = nn.Identity()"]),
    (Replace("fc", LINEAR), ["model.fc = nn.Linear(4, 2)"]),
    (Replace("heads.a b", LINEAR), ['model.heads["a b"] = nn.Linear(4, 2)']),
    (Replace("1x1", IDENTITY), ['model._modules["1x1"] = nn.Identity()']),
    (Replace("branches.1", IDENTITY), ["model.branches[1] = nn.Identity()"]),
    (
        Replace("fc", Container((("drop", Part("Dropout", (0.5,))), ("linear", LINEAR)))),
        ["model.fc = nn.Sequential(OrderedDict(drop=nn.Dropout(0.5), linear=nn.Linear(4, 2)))"],
    ),
    (Shorten("stages.0", 2), ["model.stages[0] = model.stages[0][:2]"]),
    (Shorten("own", 1), ["model.own = nn.Sequential(OrderedDict(list(model.own._modules.items())[:1]))"]),
    (Append("stages", "pool", Part("MaxPool2d", ((2, 1),))), ['model.stages.add_module("pool", nn.MaxPool2d((2, 1)))']),
    (Wrap("stages.1", Part("MaxPool2d", (2,))), ["model.stages[1] = nn.Sequential(model.stages[1], nn.MaxPool2d(2))"]),
    (Crop("conv", (5, 3), ((1, 4), (1, 2)), (1, 0)), ["model.conv = crop(model.conv, (slice(1, 4), slice(1, 2)), (1, 0))"]),
    (Crop("branches.1", (1, 1), ((0, 1), (0, 1)), (0, 0)), ["model.branches[1] = crop(model.branches[1], (slice(0, 1), slice(0, 1)), (0, 0))"]),
]  # fmt: skip


def by_code(model: nn.Module, *steps: Step) -> nn.Module:
    names = {"model": copy.deepcopy(model)}
    torch.manual_seed(0)
    exec(snippet_of(model, steps).text, names)
    return names["model"]


def by_steps(model: nn.Module, *steps: Step) -> nn.Module:
    copied = copy.deepcopy(model)
    torch.manual_seed(0)
    return run_steps(copied, steps)


def assert_same(one: nn.Module, other: nn.Module) -> None:
    assert repr(one) == repr(other)
    theirs = other.state_dict()
    assert list(one.state_dict()) == list(theirs)
    for name, tensor in one.state_dict().items():
        assert tensor.equal(theirs[name]), name
        assert (tensor.dtype, tensor.device) == (theirs[name].dtype, theirs[name].device)
    assert [(n, p.requires_grad) for n, p in one.named_parameters()] == [(n, p.requires_grad) for n, p in other.named_parameters()]
    assert [module.training for module in one.modules()] == [module.training for module in other.modules()]


@pytest.mark.parametrize(("step", "lines"), STEPS, ids=lambda value: type(value).__name__ if isinstance(value, Step) else "")
def test_each_step_and_its_lines(step, lines):
    model = Net()
    assert step.lines(model) == lines
    before = copy.deepcopy(model)
    changed = by_steps(model, step)
    assert_same(changed, by_code(model, step))
    assert_same(model, before)
    assert repr(changed) != repr(model) or isinstance(step, Replace | Crop)
    assert changed(torch.rand(2, 3, 16, 16)).shape[0] == 2


@pytest.mark.parametrize("step", [step for step, _ in STEPS if not isinstance(step, Wrap)])
def test_other_types_of_numbers(step):
    model = Net().double()
    changed = by_steps(model, step)
    assert {parameter.dtype for parameter in changed.parameters()} == {torch.float64}
    assert_same(changed, by_code(model, step))


@pytest.mark.parametrize("step", [step for step, _ in STEPS])
def test_models_without_data(step):
    with torch.device("meta"):
        model = Net()
    assert {parameter.device.type for parameter in by_steps(model, step).parameters()} == {"meta"}


@pytest.mark.parametrize("step", [step for step, _ in STEPS])
def test_new_modules_are_in_the_mode_of_the_model(step):
    assert not any(module.training for module in by_steps(Net().eval(), step).modules())


def test_the_model_itself_is_shortened():
    model = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU(), nn.Flatten())
    step = Shorten("", 2)
    assert step.lines(model) == ["model = model[:2]"]
    assert_same(by_steps(model, step), by_code(model, step))
    assert len(by_steps(model, step)) == 2


def test_a_crop_along_one_axis():
    model = nn.Sequential(nn.Conv1d(2, 3, 5, padding=2))
    step = Crop("0", (5,), ((0, 4),), (2,))
    assert step.lines(model) == ["model[0] = crop(model[0], (slice(0, 4),), (2,))"]
    assert_same(by_steps(model, step), by_code(model, step))


def test_a_crop_keeps_values_and_what_is_frozen():
    model = Net()
    model.conv.weight.requires_grad_(False)
    step = Crop("conv", (5, 3), ((1, 4), (1, 2)), (1, 0))
    cropped = by_steps(model, step).conv.cropped
    assert cropped.weight.equal(model.conv.weight[:, :, 1:4, 1:2])
    assert cropped.bias.equal(model.conv.bias)
    assert (cropped.weight.requires_grad, cropped.bias.requires_grad) == (False, True)
    assert (cropped.stride, cropped.padding) == ((2, 2), (1, 0))
    assert_same(by_steps(model, step), by_code(model, step))


def test_steps_follow_each_other_in_one_snippet():
    model = Net()
    steps = [Shorten("stages", 1), Crop("conv", (5, 3), ((1, 4), (1, 2)), (1, 0)), Replace("fc", Container((("linear", LINEAR),)))]
    assert_same(by_steps(model, *steps), by_code(model, *steps))
    snippet = snippet_of(model, steps)
    assert snippet.imports == ("from collections import OrderedDict", "from torch import nn")
    assert len(snippet.definitions) == 1
    assert snippet_of(model, steps[:1]).imports == ()


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("", "model"),
        ("conv", "model.conv"),
        ("stages.0.1", "model.stages[0][1]"),
        ("branches.1", "model.branches[1]"),
        ("heads.a b", 'model.heads["a b"]'),
        ("1x1", 'model._modules["1x1"]'),
    ],
)
def test_expressions_address_the_module(path, text):
    model = Net()
    assert expression(model, path) == text
    assert eval(text) is model.get_submodule(path)


def test_named_children_of_a_sequential_are_counted():
    model = nn.Sequential()
    model.add_module("5", nn.ReLU())
    model.add_module("stem", nn.Tanh())
    assert [expression(model, "5"), expression(model, "stem")] == ["model[0]", "model.stem"]


def test_put():
    model, new = Net(), nn.ReLU()
    assert put(model, "stages.1", new) is model
    assert model.stages[1] is new
    assert put(model, "", new) is new
