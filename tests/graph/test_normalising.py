"""Normalisation written out is neutral, as torch's own is; context stays context."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import rfcheck
from tests.graph.cases import TOKENS, assert_as_gradient, between, conv, moved
from tests.oracle import Apply, gradient_extents

AXES = (2, 3)


def by_mean_and_variance(x):
    mean, variance = x.mean(AXES, keepdim=True), x.var(AXES, keepdim=True, unbiased=False)
    return (x - mean) * torch.rsqrt(variance + 1e-5)


def by_var_mean(x):
    variance, mean = torch.var_mean(x, AXES, keepdim=True, correction=0)
    return (x - mean) / (variance + 1e-5).sqrt()


def by_squares(x):
    mean = x.mean(AXES, keepdim=True)
    return (x - mean) / torch.sqrt(x.pow(2).mean(AXES, keepdim=True) - mean * mean + 1e-5)


def by_deviations(x):
    less = x - x.mean(AXES, keepdim=True)
    return less / (less.square().mean(AXES, keepdim=True) + 1e-5).sqrt()


def by_scale_and_shift(x):
    mean, variance = x.mean(AXES, keepdim=True), x.var(AXES, keepdim=True, unbiased=False)
    scale = torch.rsqrt(variance + 1e-5)
    return x * scale + (0.0 - mean * scale)


def by_addcmul(x):
    mean, variance = x.mean(AXES, keepdim=True), x.var(AXES, keepdim=True, unbiased=False)
    scale = torch.rsqrt(variance + 1e-5)
    return torch.addcmul(-mean * scale, x, scale)


def in_place(x):
    x = x.clone()
    mean, variance = x.mean(AXES, keepdim=True), x.var(AXES, keepdim=True, unbiased=False)
    return x.sub_(mean).mul_(torch.rsqrt(variance + 1e-5))


def flattened(x):
    flat = x.flatten(2)
    variance, mean = torch.var_mean(flat, 2, keepdim=True, correction=0)
    return ((flat - mean) * (variance + 1e-5).rsqrt()).view_as(x)


def pooled(x):
    less = x - F.adaptive_avg_pool2d(x, 1)
    return less / (F.adaptive_avg_pool2d(less**2, 1) + 1e-5).sqrt()


def indexed(x):
    mean, variance = x.mean(AXES), x.var(AXES, unbiased=False)
    return (x - mean[:, :, None, None]) * torch.rsqrt(variance + 1e-5)[..., None, None]


def by_sums(x):
    n = x.shape[2] * x.shape[3]
    less = x - x.sum(AXES, keepdim=True) / n
    return less / ((less**2).sum(AXES, keepdim=True) / n + 1e-5).sqrt()


def by_sums_times_a_share(x):
    share = 1 / (x.shape[2] * x.shape[3])
    mean, squares = x.sum(3).sum(2) * share, (x * x).sum(AXES) * share
    return (x - mean[..., None, None]) * (squares - mean**2 + 1e-5).rsqrt()[..., None, None]


BY_HAND = [
    by_sums,
    by_sums_times_a_share,
    by_mean_and_variance,
    by_var_mean,
    by_squares,
    by_deviations,
    by_scale_and_shift,
    by_addcmul,
    in_place,
    flattened,
    pooled,
    indexed,
]


@pytest.mark.parametrize("function", BY_HAND, ids=lambda f: f.__name__)
def test_instance_normalisation_by_hand_is_neutral(function):
    x = torch.rand(1, 2, 9, 7, dtype=torch.float64)
    assert torch.allclose(function(x), F.instance_norm(x), atol=1e-9)
    model = moved(function)
    layer = rfcheck.analyze(model, TOKENS).layers[-1]
    assert (layer.r_max, layer.r_min, layer.role) == ((4, 5), (4, 5), "features")
    assert layer.r_max == rfcheck.analyze(moved(nn.InstanceNorm2d(2)), TOKENS).layers[-1].r_max


def layer_norm(x):
    variance, mean = torch.var_mean(x, (1, 2, 3), keepdim=True, correction=0)
    return (x - mean) * (variance + 1e-5).rsqrt()


def layer_norm_in_two_steps(x):
    mean = x.mean(1, keepdim=True).mean(AXES, keepdim=True)
    return x - mean


def group_norm(x):
    grouped = x.reshape(len(x), 2, -1)
    variance, mean = torch.var_mean(grouped, 2, keepdim=True, correction=0)
    return ((grouped - mean) / (variance + 1e-5).sqrt()).view_as(x)


def filter_response(x):
    return x * torch.rsqrt(x.pow(2).mean(AXES, keepdim=True) + 1e-6)


def global_response(x):
    norm = torch.norm(x, p=2, dim=AXES, keepdim=True)
    return 0.3 * (x * (norm / (norm.mean(1, keepdim=True) + 1e-6))) + x


def adaptive_instance(x):
    style = torch.rand(1, 2, 5, 5).to(x)
    variance, mean = torch.var_mean(x, AXES, keepdim=True)
    return style.std(AXES, keepdim=True) * (x - mean) / variance.sqrt() + style.mean(AXES, keepdim=True)


def evolved(x):
    return x * torch.sigmoid(3 * x) / x.std(AXES, keepdim=True)


def largest(x):
    return x / x.abs().amax(AXES, keepdim=True)


def into_range(x):
    low, high = x.amin(AXES, keepdim=True), x.amax(AXES, keepdim=True)
    return (x - low) / (high - low)


def unit_norm_by_sum(x):
    return x / (x * x).sum(AXES, keepdim=True).sqrt()


NEUTRAL = [
    layer_norm,
    layer_norm_in_two_steps,
    group_norm,
    filter_response,
    global_response,
    adaptive_instance,
    evolved,
    largest,
    into_range,
    unit_norm_by_sum,
]


@pytest.mark.parametrize("function", NEUTRAL, ids=lambda f: f.__name__)
def test_other_normalisation_by_hand_is_neutral(function):
    layer = rfcheck.analyze(moved(function), TOKENS).layers[-1]
    assert (layer.r_max, layer.r_min, layer.role) == ((4, 5), (4, 5), "features")


def test_unit_norm_over_positions_is_neutral():
    assert rfcheck.analyze(moved(lambda x: F.normalize(x, dim=AXES)), TOKENS).layers[-1].r_max == (4, 5)
    assert rfcheck.analyze(moved(lambda x: F.normalize(x.flatten(1)).view_as(x)), TOKENS).layers[-1].r_max == (4, 5)
    assert rfcheck.analyze(moved(lambda x: F.normalize(x, dim=3)), TOKENS).layers[-1].r_max == (4, 5)


CONTEXT = {
    "added mean": (lambda x, _: x + x.mean(AXES, keepdim=True), ()),
    "added deviation": (lambda x, _: x + x.std(AXES, keepdim=True), ()),
    "added through a layer": (lambda x, layer: x + layer(x.mean(AXES))[..., None, None], (nn.Linear(2, 2),)),
    "multiplied through a layer": (lambda x, layer: x * layer(x.mean(AXES))[..., None, None], (nn.Linear(2, 2),)),
    "less a mean through a layer": (lambda x, layer: x - layer(x.mean(AXES, keepdim=True)), (nn.Conv2d(2, 2, 1),)),
    "of another map": (lambda x, layer: x - layer(x).mean(AXES, keepdim=True), (nn.Conv2d(2, 2, 3, padding=1),)),
    "less a sum": (lambda x, _: x - x.sum(AXES, keepdim=True), ()),
    "less a part of a sum": (lambda x, _: x - x.sum(AXES, keepdim=True) / 7, ()),
    "beside the map": (lambda x, _: torch.cat([x, x.mean(AXES, keepdim=True).expand_as(x)], 1)[:, 1:3], ()),
    "attention by hand": (lambda x, _: x.exp() / x.exp().sum(AXES, keepdim=True), ()),
}


@pytest.mark.parametrize(("function", "parts"), CONTEXT.values(), ids=CONTEXT)
def test_context_stays_context(function, parts):
    model = Apply(
        lambda x, a, b, *layers: b(function(a(x), *(layers or (None,)))), conv(padding=1), conv((2, 3), stride=(2, 1)), *parts
    )
    assert gradient_extents(model, TOKENS) == (math.inf, math.inf)
    last = rfcheck.analyze(model, TOKENS).network.last_map
    assert last is None or last.r_max == (math.inf, math.inf)
    output = rfcheck.analyze(model, TOKENS).graph.graph["outputs"][0]
    assert [field.r_max for field in rfcheck.analyze(model, TOKENS).network.fields[output]] == [math.inf, math.inf]


def test_where_gates_count_so_does_normalisation_by_hand():
    assert_as_gradient(between(by_mean_and_variance), periodic=False)


def test_a_mean_over_a_window_of_a_pooling_is_a_window():
    model = moved(lambda x: x - F.avg_pool2d(x, 5, 1, 2))
    assert rfcheck.analyze(model, TOKENS).layers[-1].r_max == (8, 9)
