"""`apply_fix`: the model that it gives is one to train with, and the given one stays as it is."""

from __future__ import annotations

import copy
import pickle
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import pytest
import torch
from torch import nn
from torchvision import models

from rfcheck import analyze, apply_fix
from rfcheck.errors import FixError
from tests.predictions import assert_as_predicted
from tests.user_models import (
    Auxiliary,
    Bottle,
    ChoosingBlocks,
    CifarResNet,
    FlatView,
    Keyed,
    LeNet,
    Listed,
    Nested,
    Plain,
    ResNet,
    SharedPool,
    Tutorial,
    ordered,
    sequential,
)

Size = int | tuple[int, ...]


@dataclass(frozen=True)
class Case:
    """A fix of a model.

    Attributes:
        build: makes the model.
        fix: name of the fix.
        gone: dotted names of modules whose parameters are no longer there.
        new: dotted names of modules that are new.
        size: of the input.
    """

    build: Callable[[], nn.Module]
    fix: str
    gone: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    size: Size = 32

    @cached_property
    def model(self) -> nn.Module:
        """The model, with the same weights whenever it is built."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return self.build()

    def __str__(self) -> str:
        return f"{self.build.__name__}-{self.fix}-{self.size}"

    def images(self, count: int = 2) -> torch.Tensor:
        """Random images."""
        shape = (3, self.size, self.size) if isinstance(self.size, int) else self.size
        return torch.randn(count, *shape, generator=torch.Generator().manual_seed(2))

    def changed(self) -> nn.Module:
        """A new model with the fix carried out."""
        return apply_fix(self.model, self.fix, self.size)


def audio() -> nn.Module:
    return Bottle(1, 1)


def grey() -> nn.Module:
    return Bottle(2, 1)


def volume() -> nn.Module:
    return Bottle(3, 1)


def pooled_view() -> nn.Module:
    return FlatView(pools=True)


LAYER4 = tuple(f"layer4.{block}.conv{i}" for block in (0, 1) for i in (1, 2))
CASES = [
    Case(ResNet, "crop-kernels", LAYER4, tuple(f"{name}.cropped" for name in LAYER4)),
    Case(ResNet, "truncate", ("layer3.1", "layer4", "fc"), ("fc.linear",)),
    Case(ResNet, "truncate-before", ("layer3", "layer4", "fc"), ("fc.linear",)),
    Case(ResNet, "truncate-before-2", ("layer2.1", "layer3", "layer4", "fc"), ("fc.linear",)),
    Case(ResNet, "remove-stem", ("conv1",), ("conv1.conv",)),
    Case(ResNet, "move-downsampling"),
    Case(ResNet, "move-downsampling-3"),
    Case(ResNet, "truncate", ("layer4.1", "fc"), ("fc.linear",), (3, 32, 48)),
    Case(Plain, "crop-kernels", ("conv4",), ("conv4.cropped",)),
    Case(Plain, "truncate", ("conv5", "fc"), ("fc.linear",)),
    Case(Plain, "remove-stem", ("conv1",), ("conv1.conv",)),
    Case(CifarResNet, "truncate-before", ("layer4.1", "linear"), ("new_head.linear",)),
    Case(CifarResNet, "pool-head", ("linear",), ("new_head.linear",)),
    Case(Tutorial, "pool-head", ("fc1", "fc2", "fc3"), ("new_head.linear",)),
    Case(LeNet, "pool-head", ("fc1", "fc2", "fc3"), ("new_head.linear",)),
    Case(SharedPool, "truncate-before", ("convs.3", "convs.4", "convs.5", "fc"), ("new_head.linear",)),
    Case(SharedPool, "crop-kernels", ("convs.4", "convs.5"), ("convs.4.cropped", "convs.5.cropped")),
    Case(SharedPool, "remove-stem"),
    Case(SharedPool, "move-downsampling"),
    Case(Nested, "truncate-before", ("trunk.layers.4", "trunk.layers.5", "head.3"), ("head.linear",)),
    Case(Nested, "move-downsampling"),
    Case(Listed, "truncate", ("layers.5", "fc"), ("fc.linear",)),
    Case(Keyed, "truncate-before", ("layers.5", "layers.last", "fc"), ("fc.linear",)),
    Case(sequential, "truncate-before", ("8", "10", "14"), ("linear",)),
    Case(ordered, "truncate", ("conv5", "fc"), ("linear",)),
    Case(audio, "truncate", ("body.8", "fc"), ("fc.linear",), (1, 64)),
    Case(audio, "move-downsampling", (), (), (1, 64)),
    Case(grey, "remove-stem", ("conv1",), ("conv1.conv",), (1, 32, 48)),
    Case(volume, "truncate-before", ("body.6", "body.8", "fc"), ("fc.linear",), (1, 32, 32, 40)),
    Case(volume, "move-downsampling", (), (), (1, 32, 32, 40)),
    Case(Auxiliary, "truncate", ("conv5", "fc", "aux"), ("new_head.linear",)),
    Case(ChoosingBlocks, "truncate", ("blocks.5", "fc"), ("fc.linear",)),
    Case(pooled_view, "truncate-before", ("features.4", "fc"), ("new_head.linear",)),
]
over_cases = pytest.mark.parametrize("case", CASES, ids=str)


def under(names: tuple[str, ...], keys: set[str]) -> set[str]:
    """The keys of a checkpoint that lie under modules."""
    return {key for key in keys if any(key.startswith(f"{name}.") for name in names)}


@over_cases
def test_it_does_what_it_predicts(case):
    fix = analyze(case.model, case.size).proposals.named(case.fix)
    assert_as_predicted(case.model, fix, case.size)


@over_cases
def test_checkpoints_of_the_original_load(case):
    changed = case.changed()
    theirs, mine = case.model.state_dict(), changed.state_dict()
    with torch.no_grad():
        for tensor in mine.values():
            tensor.zero_()
    result = changed.load_state_dict(theirs, strict=False)
    assert set(result.unexpected_keys) == under(case.gone, set(theirs))
    assert set(result.missing_keys) == under(case.new, set(mine))
    assert len(result.missing_keys) >= len(case.new)
    kept = set(theirs) - set(result.unexpected_keys)
    assert kept
    assert all(changed.state_dict()[key].equal(theirs[key]) for key in kept)


@over_cases
def test_weights_that_stay_are_copies(case):
    changed = case.changed()
    theirs, mine = case.model.state_dict(), changed.state_dict()
    for key in set(theirs) - under(case.gone, set(theirs)):
        assert mine[key].equal(theirs[key]), key
    storages = {tensor.untyped_storage().data_ptr() for tensor in theirs.values()}
    assert not storages & {tensor.untyped_storage().data_ptr() for tensor in mine.values()}


@over_cases
def test_it_trains(case):
    changed = case.changed().train()
    assert all(parameter.requires_grad for parameter in changed.parameters())
    before = {name: parameter.detach().clone() for name, parameter in changed.named_parameters()}
    optimizer = torch.optim.SGD(changed.parameters(), lr=0.1)
    loss = nn.functional.cross_entropy(changed(case.images(4)), torch.tensor([0, 1, 2, 3]))
    loss.backward()
    assert [name for name, parameter in changed.named_parameters() if parameter.grad is None] == []
    optimizer.step()
    assert torch.isfinite(loss)
    assert any(not parameter.equal(before[name]) for name, parameter in changed.named_parameters())


@over_cases
def test_it_can_be_copied_and_pickled(case):
    changed = case.changed().eval()
    with torch.no_grad():
        expected = changed(case.images())
        assert copy.deepcopy(changed)(case.images()).equal(expected)
        assert pickle.loads(pickle.dumps(changed))(case.images()).equal(expected)


@pytest.mark.parametrize(("dtype", "training"), [(torch.float64, False), (torch.bfloat16, True)])
@over_cases
def test_it_keeps_type_and_mode(case, dtype, training):
    model = copy.deepcopy(case.model).to(dtype)
    fix = analyze(model, case.size).proposals.named(case.fix)
    for given in (fix, case.fix):
        changed = apply_fix(model.train(training), given, case.size)
        tensors = [tensor for tensor in (*changed.parameters(), *changed.buffers()) if tensor.is_floating_point()]
        assert {tensor.dtype for tensor in tensors} == {dtype}
        assert {name for name, module in changed.named_modules() if module.training != training} == set()
        result = changed(case.images(4).to(dtype))
        assert (result.dtype, tuple(result.shape)) == (dtype, (4, 10))


@over_cases
def test_its_code_keeps_the_type(case):
    model = copy.deepcopy(case.model).double().eval()
    fix = analyze(model, case.size).proposals.named(case.fix)
    names = {"model": copy.deepcopy(model)}
    exec(fix.code, names)
    result = names["model"](case.images().double())
    assert (result.dtype, tuple(result.shape)) == (torch.float64, (2, 10))


EXPORTED = [case for case in CASES if case.build is not ChoosingBlocks][::3]


@pytest.mark.parametrize("case", EXPORTED, ids=str)
def test_it_exports_with_any_batch_size(case):
    changed = case.changed().eval()
    batch = torch.export.Dim("batch", min=2, max=16)
    exported = torch.export.export(changed, (case.images(),), dynamic_shapes=({0: batch},)).module()
    images = case.images(5)
    with torch.no_grad():
        torch.testing.assert_close(exported(images), changed(images))


def snapshot(model: nn.Module) -> list[object]:
    """Everything that a module holds: attributes, hooks, flags, and tensors with their versions and gradients."""
    seen: list[object] = []
    for module in model.modules():
        for name, value in module.__dict__.items():
            seen.append((id(module), name, id(value), dict(value) if isinstance(value, dict) else None))
    for tensor in (*model.parameters(), *model.buffers()):
        seen.append((id(tensor), tensor._version, tensor.data_ptr(), tensor.requires_grad, id(tensor.grad)))
    return seen


@pytest.mark.parametrize("training", [True, False])
@over_cases
def test_the_given_model_stays_as_it_is(case, training):
    model = copy.deepcopy(case.model).train(training)
    model.register_forward_hook(lambda *_: None)
    for index, parameter in enumerate(model.parameters()):
        parameter.requires_grad_(index % 2 == 0)
        parameter.grad = torch.ones_like(parameter) if index % 2 == 0 else None
    before, content = snapshot(model), copy.deepcopy(model.state_dict())
    analysis = analyze(model, case.size)
    apply_fix(model, analysis.proposals.named(case.fix), case.size)
    apply_fix(model, case.fix, case.size)
    assert {name for name, module in model.named_modules() if module.training != training} == set()
    assert snapshot(model) == before
    assert all(tensor.equal(content[key]) for key, tensor in model.state_dict().items())


@over_cases
def test_looking_for_fixes_draws_no_random_numbers(case):
    state = torch.random.get_rng_state()
    assert analyze(case.model, case.size).fixes
    assert torch.random.get_rng_state().equal(state)


def test_new_layers_are_drawn_from_the_random_state():
    model = ResNet()
    weights = []
    for seed in (1, 1, 2):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            weights.append(apply_fix(model, "truncate", 32).state_dict()["fc.linear.weight"])
    assert weights[0].equal(weights[1])
    assert not weights[0].equal(weights[2])


def test_frozen_weights_stay_frozen():
    model = Plain()
    model.conv4.requires_grad_(False)
    changed = apply_fix(model, "crop-kernels", 32)
    assert not any(parameter.requires_grad for parameter in changed.conv4.parameters())
    assert changed.conv5.weight.requires_grad


def test_a_model_with_auxiliary_heads_is_cut_in_its_graph():
    model = models.googlenet(weights=None, init_weights=False, num_classes=10).eval()
    changed = apply_fix(model, "truncate-before", 32)
    assert not any(name.startswith("aux") for name, _ in changed.named_modules())
    result = changed.train()(torch.randn(2, 3, 32, 32))
    assert tuple(result.shape) == (2, 10)


def test_a_compiled_model_is_unwrapped():
    model = ResNet()
    compiled = torch.compile(model)
    changed = apply_fix(compiled, "truncate", 32)
    assert isinstance(changed, ResNet)
    assert set(changed.state_dict()) == set(apply_fix(model, "truncate", 32).state_dict())
    assert analyze(compiled, 32).proposals.named("truncate").predicted == analyze(model, 32).proposals.named("truncate").predicted


def refusal(model: nn.Module, fix: object, size: Size = 32) -> str:
    """The sentence that a fix is refused with."""
    with pytest.raises(FixError) as caught:
        apply_fix(model, fix, size)
    return str(caught.value)


def test_a_fix_holds_for_one_size():
    model = ResNet()
    fix = analyze(model, 32).proposals.named("truncate")
    said = "truncate was made for 32x32 px, not 64x64; analyse the model at 64x64 px and take the fix from there"
    assert refusal(model, fix, 64) == said
    said = "truncate was made for 32x32 px, not 32x48; analyse the model at 32x48 px and take the fix from there"
    assert refusal(model, fix, (32, 48)) == said
    assert tuple(apply_fix(model, fix, (1, 3, 32, 32))(torch.randn(2, 3, 32, 32)).shape) == (2, 10)


@pytest.mark.parametrize("fix", ["crop-kernels", "truncate", "remove-stem", "move-downsampling"])
@pytest.mark.parametrize("other", [Plain, Listed, sequential, Tutorial], ids=lambda build: build.__name__)
def test_a_fix_of_another_model_is_refused(fix, other):
    said = refusal(other(), analyze(ResNet(), 32).proposals.named(fix))
    assert re.match(rf"{fix} was (made for another model: |carried out, but the forward pass fails at input 3x32x32 )", said)


def test_a_crop_of_another_kernel_is_refused():
    """The kernel of the other model is too small to have the taps that stay."""
    large, small = Plain(), Plain()
    large.conv4 = nn.Conv2d(8, 8, 9, padding=4)
    fix = analyze(large, 32).proposals.named("crop-kernels")
    assert refusal(small, fix).startswith("crop-kernels was made for another model: ")


def test_unknown_names_are_answered_with_near_ones():
    model = ResNet()
    assert refusal(model, "truncat") == "no fix 'truncat'; did you mean truncate or truncate-before or truncate-before-2?"
    assert refusal(model, "shrink") == (
        "no fix 'shrink'; fixes are crop-kernels, truncate, truncate-before, remove-stem, move-downsampling, pool-head, "
        "truncate-before-2, move-downsampling-2, move-downsampling-3"
    )


@pytest.mark.parametrize(
    ("fix", "reason"),
    [
        ("crop-kernels", "every outer tap of every kernel reads pixels"),
        ("truncate", "the network has no tail"),
        ("truncate-before", "the network has no tail"),
        ("remove-stem", "every layer is productive"),
        ("move-downsampling", "the network has no tail"),
        ("pool-head", "the head is not tied to one resolution"),
    ],
)
def test_a_fix_that_does_not_apply_says_why(fix, reason):
    assert refusal(ResNet(), fix, 512) == f"{fix} does not apply: {reason}"


class Single(nn.Module):
    """A model of which there can be only one."""

    def __init__(self) -> None:
        super().__init__()
        self.net = ResNet()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.net(x)

    def __deepcopy__(self, memo: dict[int, object]) -> Single:
        raise TypeError("there can be only one")


def test_a_model_that_cannot_be_copied_is_refused():
    assert refusal(Single(), "truncate") == "the model cannot be copied: TypeError: there can be only one"
