"""New heads: what they compute, against the mean of the map at the place and the new linear layer."""

from __future__ import annotations

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from rfcheck.fixes.chain import NotReplaceableError
from rfcheck.fixes.new_head import NewHead, new_head
from rfcheck.fixes.places import Place, places
from rfcheck.fixes.steps import run_steps, snippet_of
from rfcheck.fixes.subject import Subject
from tests.fixes.networks import ResNet, chain, pipeline, subject_of

SHORTEN = "model.features = model.features[:3]"
LINEAR = "nn.Sequential(OrderedDict(linear=nn.Linear(4, 5)))"
FLATTENED = "nn.Sequential(OrderedDict(flatten=nn.Flatten(), linear=nn.Linear(4, 5)))"
WHOLE = "nn.Sequential(OrderedDict(pool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), linear=nn.Linear(4, 5)))"


def linear(inputs: int = 4, outputs: int = 3) -> nn.Linear:
    return nn.Linear(inputs, outputs)


def flat(x: torch.Tensor) -> torch.Tensor:
    return torch.flatten(x, 1)


class OwnHead(nn.Sequential):
    """Children that are called in a forward of its own."""

    def forward(self, x):
        return self[1](flat(self[0](x)))


def identity(x: torch.Tensor) -> torch.Tensor:
    return x


def log_softmax(x: torch.Tensor) -> torch.Tensor:
    return x.log_softmax(1)


HEADS = {
    "the pooling stays": (
        pipeline(pool=nn.AdaptiveAvgPool2d((1, 1)), fc=linear()),
        [SHORTEN, f"model.fc = {LINEAR}"],
        identity,
    ),
    "another adaptive pooling is replaced": (
        pipeline(pool=nn.AdaptiveMaxPool2d(2), fc=linear(16)),
        [SHORTEN, "model.pool = nn.AdaptiveAvgPool2d(1)", f"model.fc = {LINEAR}"],
        identity,
    ),
    "a pooling with a window is replaced": (
        pipeline(pool=nn.AvgPool2d(8), fc=linear()),
        [SHORTEN, "model.pool = nn.AdaptiveAvgPool2d(1)", f"model.fc = {LINEAR}"],
        identity,
    ),
    "the last module before the flattening takes the pooling": (
        pipeline(behind=lambda net, x: net.fc(flat(net.conv(net.act(x)))), act=nn.Tanh(), conv=nn.Conv2d(4, 4, 8), fc=linear()),
        [SHORTEN, "model.act = nn.Identity()", "model.conv = nn.AdaptiveAvgPool2d(1)", f"model.fc = {LINEAR}"],
        identity,
    ),
    "of several poolings the last adaptive one": (
        pipeline(
            behind=lambda net, x: net.fc(flat(net.c(net.b(net.a(x))))),
            a=nn.AdaptiveAvgPool2d(4),
            b=nn.AdaptiveMaxPool2d(2),
            c=nn.MaxPool2d(2),
            fc=linear(),
        ),
        [
            SHORTEN,
            "model.a = nn.Identity()",
            "model.c = nn.Identity()",
            "model.b = nn.AdaptiveAvgPool2d(1)",
            f"model.fc = {LINEAR}",
        ],
        identity,
    ),
    "the forward pools by a function": (
        pipeline(behind=lambda net, x: net.fc(x.mean((2, 3))), fc=linear()),
        [SHORTEN, f"model.fc = {LINEAR}"],
        identity,
    ),
    "the forward pools and flattens by functions": (
        pipeline(behind=lambda net, x: net.fc(flat(F.adaptive_avg_pool2d(x, 1))), fc=linear()),
        [SHORTEN, f"model.fc = {LINEAR}"],
        identity,
    ),
    "the pooling is put behind the features": (
        pipeline(behind=lambda net, x: net.fc(flat(x)), fc=linear(256)),
        [SHORTEN, f"model.fc = {LINEAR}", 'model.features.add_module("pool", nn.AdaptiveAvgPool2d(1))'],
        identity,
    ),
    "the pooling is put into the head": (
        pipeline(behind=lambda net, x: net.fc(x), fc=OwnHead(nn.AdaptiveAvgPool2d(1), linear())),
        [SHORTEN, f"model.fc = {WHOLE}"],
        identity,
    ),
    "the flattening is put into the head": (
        pipeline(behind=lambda net, x: net.fc(net.pool(x)), pool=nn.AdaptiveAvgPool2d(1), fc=nn.Sequential(nn.Flatten(), linear())),
        [SHORTEN, f"model.fc = {FLATTENED}"],
        identity,
    ),
    "layers before the classifier become identities": (
        pipeline(
            behind=lambda net, x: net.fc(F.dropout(net.hidden(flat(net.pool(net.norm(x)))), training=net.training)),
            norm=nn.BatchNorm2d(4),
            pool=nn.AdaptiveAvgPool2d(1),
            hidden=linear(4, 9),
            fc=linear(9),
        ),
        [SHORTEN, "model.norm = nn.Identity()", "model.hidden = nn.Identity()", f"model.fc = {LINEAR}"],
        identity,
    ),
    "a softmax behind the classifier stays": (
        pipeline(behind=lambda net, x: F.log_softmax(net.fc(flat(net.pool(x))), 1), pool=nn.AdaptiveAvgPool2d(1), fc=linear()),
        [SHORTEN, f"model.fc = {LINEAR}"],
        log_softmax,
    ),
    "a softmax as a module stays": (
        pipeline(behind=lambda net, x: net.last(net.fc(flat(net.pool(x)))), pool=nn.AdaptiveAvgPool2d(1), fc=linear(), last=nn.LogSoftmax(1)),
        [SHORTEN, f"model.fc = {LINEAR}"],
        log_softmax,
    ),
    "the features lie in the model itself": (
        nn.Sequential(*chain(6)[0], nn.AdaptiveAvgPool2d(1), nn.Flatten(), linear()),
        [
            "model = model[:3]",
            'model.add_module("pool", nn.AdaptiveAvgPool2d(1))',
            'model.add_module("flatten", nn.Flatten())',
            'model.add_module("linear", nn.Linear(4, 5))',
        ],
        identity,
    ),
    "the features lie in a part of a part": (
        pipeline(behind=lambda net, x: net.tail(x), tail=nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Sequential(linear()))),
        [SHORTEN, f"model.tail = {WHOLE}"],
        identity,
    ),
}  # fmt: skip


def third_place(model: nn.Module) -> tuple[Subject, Place]:
    subject = subject_of(model, 8)
    return subject, places(subject)[2]


def changed_by(model: nn.Module, head: NewHead) -> nn.Module:
    return run_steps(copy.deepcopy(model), head.steps).eval()


@pytest.mark.parametrize("case", HEADS)
def test_each_way_of_putting_the_head(case):
    model, lines, behind = HEADS[case]
    subject, place = third_place(model)
    head = new_head(subject, place, 5)
    assert list(snippet_of(model, head.steps).statements) == lines
    assert (head.in_features, head.classes) == (4, 5)

    changed, seen = changed_by(model, head), []
    changed.get_submodule(place.module).register_forward_hook(lambda _, __, result: seen.append(result))
    image = torch.rand(3, 3, 8, 8)
    logits = changed(image)
    (last,) = [module for name, module in changed.named_modules() if name.rpartition(".")[2] == "linear"]
    assert torch.allclose(logits, behind(last(seen[0].mean((2, 3)))), atol=1e-6)
    assert changed(torch.rand(1, 3, 11, 13)).shape == (1, 5)

    kept = {name for name, _ in changed.named_parameters()}
    gone = {name for name, _ in model.named_parameters()} - kept
    assert gone == {name for name, _ in model.named_parameters() if name.startswith(tuple(f"{path}." for path in head.removed))}


def test_what_stays():
    head = new_head(*third_place(HEADS["a softmax as a module stays"][0]), 5)
    assert head.kept_modules == ("pool", "last")
    assert head.kept_functions == (("last", 5),)
    head = new_head(*third_place(HEADS["layers before the classifier become identities"][0]), 5)
    assert head.removed == ("features.3", "features.4", "features.5", "norm", "hidden", "fc")
    assert head.kept_modules == ("pool",)


def test_functions_act_on_what_reaches_them():
    model = pipeline(
        behind=lambda net, x: F.relu(net.fc(F.relu(F.relu(x).mean((2, 3))))),
        fc=linear(),
    )
    head = new_head(*third_place(model), 5)
    assert head.kept_functions == (("relu", 4 * 64), ("mean", 4), ("relu:2", 4), ("relu:3", 5))


@pytest.mark.parametrize(
    ("behind", "leaves_unused"),
    [
        (lambda net, x: net.fc(x.mean((2, 3))), False),
        (lambda net, x: (x.amax(), net.fc(x.mean((2, 3))))[1], True),
        (lambda net, x: (lambda y: (y.softmax(1), y)[1])(net.fc(x.mean((2, 3)))), True),
    ],
)
def test_results_that_nothing_reads_are_left_aside(behind, leaves_unused):
    head = new_head(*third_place(pipeline(behind=behind, fc=linear())), 5)
    assert head.leaves_unused is leaves_unused
    assert head.kept_functions == (("mean", 4),)


def test_the_end_of_the_features():
    subject = subject_of(ResNet(), 16)
    head = new_head(subject, places(subject)[-1], 7)
    assert list(snippet_of(subject.model, head.steps).statements) == [
        "model.fc = nn.Sequential(OrderedDict(linear=nn.Linear(8, 7)))"
    ]
    assert (head.removed, head.kept_modules, head.kept_functions) == (("fc",), ("avgpool",), ())


def test_names_of_the_head_are_free_in_what_it_replaces():
    head = OwnHead(nn.AdaptiveAvgPool2d(1), linear())
    head.add_module("linear", nn.Identity())
    model = pipeline(behind=lambda net, x: net.fc(x), fc=head)
    found = snippet_of(model, new_head(*third_place(model), 5).steps).statements
    assert found[-1] == f"model.fc = {WHOLE.replace('linear=', 'linear2=')}"


def unused() -> nn.Module:
    model = pipeline()
    model.auxiliary = nn.Sequential(linear())
    return model


REFUSED = {
    "unused parameters": (unused(), "auxiliary.0 is not used in this forward pass"),
    "a module called twice": (
        pipeline(behind=lambda net, x: net.fc(flat(net.pool(net.norm(net.norm(x))))), norm=nn.Tanh(), pool=nn.AdaptiveAvgPool2d(1), fc=linear()),
        "a module of the head is called several times",
    ),
    "a module called in several places": (
        pipeline(behind=lambda net, x: net.fc(flat(net.pool(net.act(net.pool(x))))), act=nn.Tanh(), pool=nn.AdaptiveAvgPool2d(1), fc=linear()),
        "pool is called in several places",
    ),
    "branches": (
        pipeline(behind=lambda net, x: net.fc(net.a(x).mean((2, 3)) + net.b(x).mean((2, 3))), a=nn.Tanh(), b=nn.Tanh(), fc=linear()),
        "b reads features.5, which is not right before it",
    ),
    "a function that depends on the map": (
        pipeline(behind=lambda net, x: net.fc(flat(net.pool(F.max_pool2d(x, 2)))), pool=nn.AdaptiveAvgPool2d(1), fc=linear()),
        "the forward calls max_pool2d_with_indices behind the cut",
    ),
    "a function behind the classifier": (
        pipeline(behind=lambda net, x: net.fc(flat(net.pool(x))) * 2, pool=nn.AdaptiveAvgPool2d(1), fc=linear()),
        "the forward calls mul behind the classifier",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refusals_say_why(case):
    model, reason = REFUSED[case]
    with pytest.raises(NotReplaceableError) as refused:
        new_head(*third_place(model), 5)
    assert str(refused.value) == reason


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (pipeline(behind=lambda net, x: net.fc(flat(x)), fc=linear(256)), "the forward flattens the map right behind the cut"),
        (
            pipeline(behind=lambda net, x: flat(net.pool(x)), pool=nn.AdaptiveAvgPool2d(1)),
            "no module behind the cut holds a classifier",
        ),
    ],
)
def test_refusals_at_the_end_of_the_features(model, reason):
    subject = subject_of(model, 8)
    with pytest.raises(NotReplaceableError, match=f"^{reason}$"):
        new_head(subject, places(subject)[-1], 5)
