from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from rfcheck.fixes.dry_run import dry_run
from rfcheck.fixes.new_head import new_head
from rfcheck.fixes.places import places
from tests.fixes.networks import Pipeline, ResNet, chain, pipeline, subject_of


def failure(model: nn.Module, size: int = 8) -> str | None:
    """What a trial of a head behind the third place says."""
    subject = subject_of(model, size)
    place = places(subject)[2]
    return dry_run(subject, place, new_head(subject, place, 5))


POOL = nn.AdaptiveAvgPool2d(1)
FC = nn.Linear(4, 3)


def checked(net, x):
    if x.shape[1:] != (4, 8, 8):
        raise ValueError(f"a map of {tuple(x.shape[1:])},\n  not of (4, 8, 8)")
    return net.fc(net.pool(x).flatten(1))


@pytest.mark.parametrize(
    "model",
    [
        ResNet(),
        chain(6),
        nn.Sequential(*chain(6)[0], POOL, nn.Flatten(), FC),
        pipeline(behind=lambda net, x: net.fc(net.pool(x).view(x.size(0), -1)), pool=POOL, fc=FC),
        pipeline(behind=lambda net, x: net.fc(net.pool(x).relu().flatten(1)).log_softmax(1), pool=POOL, fc=FC),
        pipeline(behind=checked, pool=POOL, fc=FC),
    ],
)
def test_forwards_that_work(model):
    assert failure(model, 16 if isinstance(model, ResNet) else 8) is None


def measuring(net, x):
    return net.fc(net.hidden(net.pool(x).flatten(1))) if net.hidden.out_features else x


@pytest.mark.parametrize(
    ("behind", "message"),
    [
        (lambda net, x: net.fc(net.hidden(net.pool(x).view(1, -1))), "RuntimeError: "),
        (lambda net, x: net.fc(net.hidden(net.pool(x).flatten(1))).reshape(-1, 3), "RuntimeError: "),
        (lambda net, x: net.fc(net.hidden(net.pool(x).flatten(1))).reshape(1, -1), "the forward does not return what the new head computes"),
        (measuring, "AttributeError: 'Identity' object has no attribute 'out_features'"),
    ],
)  # fmt: skip
def test_forwards_that_do_not(behind, message):
    model = pipeline(behind=behind, pool=POOL, hidden=nn.Linear(4, 4), fc=FC)
    assert (failure(model) or "").startswith(message)


def raising(net, x):
    if len(x) > 1:
        raise ValueError("one image,\n   not more")
    return Pipeline.behind(net, x)


def test_what_the_forward_says_is_one_line():
    assert failure(pipeline(behind=raising, pool=POOL, fc=FC)) == "ValueError: one image, not more"


class Counting(nn.Conv2d):
    calls = 0

    def forward(self, x):
        type(self).calls += 1
        return super().forward(x)


def test_nothing_before_the_place_is_run_and_the_model_stays_as_it_is():
    model = pipeline()
    model.features[0] = Counting(3, 4, 3, padding=1)
    model.register_forward_hook(lambda module, given, result: pytest.fail("a hook of the model itself ran"))
    hooks, model._forward_hooks = model._forward_hooks, type(model._forward_hooks)()
    subject = subject_of(model, 8)
    place = places(subject)[2]
    head = new_head(subject, place, 5)
    model._forward_hooks = hooks
    before = copy.deepcopy(model.state_dict()), {name: id(module) for name, module in model.named_modules()}, model.training
    calls = Counting.calls
    assert dry_run(subject, place, head) is None
    assert Counting.calls == calls
    assert {name: id(module) for name, module in model.named_modules()} == before[1]
    assert list(model.state_dict()) == list(before[0])
    assert all(tensor.equal(before[0][name]) for name, tensor in model.state_dict().items())
    assert model.training is before[2]
    assert model._forward_hooks == hooks


def test_models_without_data():
    with torch.device("meta"):
        assert failure(pipeline()) is None
