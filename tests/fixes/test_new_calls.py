"""What calls become, against the modules that the fixes themselves put into a model."""

from __future__ import annotations

import copy

import pytest
from torch import nn

from rfcheck import analyze
from rfcheck.errors import FixError
from rfcheck.fixes.fix import Plan
from rfcheck.fixes.new_calls import NewCall, new_call, require_calls_only
from rfcheck.fixes.parts import IDENTITY, Container, Part
from rfcheck.fixes.steps import Append, Assign, Crop, Replace, Shorten, Wrap
from tests import user_models

WINDOW = ("kernel_size", "stride", "padding")


class Strided(nn.Sequential):
    """Convolutions of all kinds of windows; the last three have dead taps at 32 px, and "same" and "valid" stay right for two."""

    def __init__(self) -> None:
        super().__init__(
            nn.Conv2d(3, 4, 7, 2, 3, bias=False),
            nn.MaxPool2d(3, 2, 1),
            nn.Conv2d(4, 4, (3, 5), (2, 2), (1, 2), groups=2),
            nn.AvgPool2d(2),
            nn.Conv2d(4, 4, 3, 2, 1),
            nn.Conv2d(4, 4, 5, padding="same", dilation=2),
            nn.Conv2d(4, 4, 1, padding="valid"),
            nn.Conv2d(4, 4, (3, 1), padding=(1, 0)),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(4, 3),
        )


def window(module: nn.Module) -> dict[str, object]:
    """What decides how a layer gathers, a number for each axis; words as the numbers that they stand for."""
    values = {name: getattr(module, name) for name in WINDOW}
    values = {name: value if isinstance(value, (tuple, str)) else (value, value) for name, value in values.items()}
    if values["padding"] in ("same", "valid"):
        values["padding"] = tuple(n // 2 for n in module._reversed_padding_repeated_twice[::2][::-1])
        assert values["padding"] == tuple(n - n // 2 for n in module._reversed_padding_repeated_twice[::2][::-1])
    return values


def rebuilt(module: nn.Module, new: NewCall) -> nn.Module:
    """The layer that the call makes after the change."""
    if new.is_identity:
        return nn.Identity()
    given = {name: getattr(module, name) for name in (*WINDOW, "dilation", "groups") if hasattr(module, name)}
    channels = (module.in_channels, module.out_channels) if hasattr(module, "in_channels") else ()
    return type(module)(*channels, **{**given, **dict(new.arguments)})


@pytest.mark.parametrize("size", [32, 16, (32, 16)])
@pytest.mark.parametrize("make", [Strided, user_models.Plain, user_models.ResNet], ids=lambda make: make.__name__)
def test_a_call_makes_the_layer_that_the_fix_puts_there(make, size):
    model = make()
    fixes = [fix for fix in analyze(model, size).fixes if not fix.name.startswith(("truncate", "pool-head"))]
    assert fixes
    for fix in fixes:
        changed = fix.plan.apply(copy.deepcopy(model))
        for step in [step for step in fix.plan.steps if not isinstance(step, (Append, Wrap))]:
            new = new_call(model, step)
            old, made = model.get_submodule(step.path), changed.get_submodule(step.path)
            made = made[0] if isinstance(made, nn.Sequential) else made
            again = rebuilt(old, new)
            assert new.kind == type(old).__name__
            assert type(again) is type(made)
            assert new.is_identity or window(again) == window(made), fix.name
            assert all(value != getattr(old, name) for name, value in new.arguments)


def test_every_kind_of_change_was_among_them():
    fixes = {fix.name: fix.plan.steps for size in (32, 16) for fix in analyze(Strided(), size).fixes}
    crop = {step.path: dict(new_call(Strided(), step).arguments) for step in fixes["crop-kernels"]}
    assert crop["5"] == {"kernel_size": (1, 1)}, "same padding of one tap is none"
    assert crop["7"] == {"kernel_size": (1, 1), "padding": (0, 0)}
    stem = {step.path: new_call(Strided(), step) for step in fixes["remove-stem"]}
    assert stem["0"].arguments == (("kernel_size", (3, 3)), ("stride", (1, 1)), ("padding", (1, 1)))
    assert stem["1"] == NewCall("1", "MaxPool2d", is_identity=True)
    assert any(isinstance(step, Assign) for step in fixes["move-downsampling"])


class Own(nn.Conv2d):
    """A convolution of the user's."""


MODEL = nn.ModuleDict(
    {"conv": nn.Conv2d(3, 3, 3), "own": Own(3, 3, 3), "relu": nn.ReLU(), "fc": nn.Linear(2, 2), "pool": nn.MaxPool2d(2)}
)
LINEAR = Part("Linear", (2, 2))


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (Shorten("seq", 2), "it shortens seq, which is more than other arguments of a layer"),
        (Shorten("", 2), "it shortens the model, which is more than other arguments of a layer"),
        (Append("relu", "pool", LINEAR), "it adds a layer to relu, which is more than other arguments of a layer"),
        (Wrap("relu", LINEAR), "it adds a layer behind relu, which is more than other arguments of a layer"),
        (Replace("relu", IDENTITY), "it replaces relu, which is more than other arguments of a layer"),
        (Replace("conv", IDENTITY), "it replaces conv, which is more than other arguments of a layer"),
        (Replace("fc", Container((("linear", LINEAR),))), "it replaces fc, which is more than other arguments of a layer"),
        (Replace("conv", Container((("a", Part("Conv2d", (3, 3, 1))), ("b", LINEAR)))), "it replaces conv, which is more than other arguments of a layer"),
        (Replace("pool", Part("AdaptiveAvgPool2d", (1,))), "it replaces pool, which is more than other arguments of a layer"),
        (Assign("own", "stride", (1, 1)), "own is of the class Own, whose arguments are its own"),
        (Crop("own", (3, 3), ((0, 1), (0, 1)), (0, 0)), "own is of the class Own, whose arguments are its own"),
        (Replace("own", Container((("conv", Part("Conv2d", (3, 3, 1))),))), "own is of the class Own, whose arguments are its own"),
    ],
)  # fmt: skip
def test_what_no_call_can_say(step, reason):
    model = nn.ModuleDict({**MODEL, "seq": nn.Sequential(nn.ReLU())})
    if not step.path:
        model = nn.Sequential(nn.ReLU())
    with pytest.raises(FixError) as caught:
        new_call(model, step)
    assert str(caught.value) == reason


def test_a_changed_forward_is_no_change_of_calls():
    require_calls_only(Plan((Assign("conv", "stride", (1, 1)),)))
    plan = next(fix.plan for fix in analyze(user_models.Tutorial(), 32, settings={}).fixes if fix.plan.surgery is not None)
    with pytest.raises(FixError) as caught:
        require_calls_only(plan)
    assert str(caught.value) == "it changes a forward, not only how layers are made"
