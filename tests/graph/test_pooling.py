"""Pooling by random windows and its undoing, held against changes and the support of the gradient."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import rfcheck
from tests.graph.cases import EXACT, IMAGE, SERIES, assert_as_changed, between, conv, moved, span_of
from tests.oracle import Apply


def unpooled(pool, unpool, **options):
    def function(x):
        largest, places = pool(x, return_indices=True, **options)
        names = ("kernel_size", "stride", "padding")
        return unpool(largest, places, **{k: options[k] for k in names if k in options}, output_size=x.shape)

    return function


@pytest.mark.parametrize(
    "options",
    [
        {"kernel_size": 2},
        {"kernel_size": 3, "stride": 2, "padding": 1},
        {"kernel_size": (2, 3), "stride": (2, 1)},
        {"kernel_size": 3},
    ],
    ids=str,
)
def test_unpooling_reads_the_windows_that_hold_a_position(options):
    function = unpooled(F.max_pool2d, F.max_unpool2d, **options)
    assert_as_changed(Apply(lambda x, a: function(a(x)), conv(padding=1)), (1, 2, 24, 18), inputs=12)


@pytest.mark.parametrize("size", [6, (6, 5), (7, 9), (24, 17)], ids=str)
def test_unpooling_behind_adaptive_pooling_reads_the_windows_that_hold_a_position(size):
    def function(x):
        largest, places = F.adaptive_max_pool2d(x, size, return_indices=True)
        return torch._C._nn.max_unpool2d(largest, places, x.shape[2:])  # F.max_unpool2d allows the sizes of a fixed kernel only

    model = Apply(lambda x, a: function(a(x)), conv(padding=1))
    assert_as_changed(model, (1, 2, 24, 18), inputs=12)


def test_unpooling_of_series_and_volumes():
    series = unpooled(F.max_pool1d, F.max_unpool1d, kernel_size=2)
    assert_as_changed(Apply(lambda x, a: series(a(x)), nn.Conv1d(2, 2, 3, padding=1)), SERIES, inputs=12)
    volume = unpooled(F.max_pool3d, F.max_unpool3d, kernel_size=2)
    assert_as_changed(Apply(lambda x, a: volume(a(x)), nn.Conv3d(2, 2, 3, padding=1)), (1, 2, 10, 8, 12), inputs=8)


def test_unpooling_by_foreign_places_is_named():
    def function(x):
        return F.max_unpool2d(x, torch.arange(48 * 40).view(1, 1, 48, 40).expand(1, 2, 48, 40) + (x > 9), 2)

    analysis = rfcheck.analyze(moved(function), IMAGE)
    assert [text.partition(": ")[2] for text in analysis.assumptions] == [
        "aten::max_unpool2d: undoes a pooling whose windows are not known"
    ]
    assert analysis.layers[-1].r_max is None


@pytest.mark.parametrize("sizes", [(17, 13), (24, 20)])
def test_windows_of_random_place_are_spanned_by_all_that_can_be(sizes):
    model = Apply(lambda x: F.fractional_max_pool2d(x, (2, 3), output_size=sizes))
    analysis = rfcheck.analyze(model, IMAGE, settings=EXACT)
    fields = analysis.network.fields[analysis.graph.graph["outputs"][0]]
    for axis, (field, size) in enumerate(zip(fields, sizes, strict=True)):
        along = torch.zeros(IMAGE, dtype=torch.float64)
        along += torch.arange(IMAGE[2 + axis]).view(-1, *[1] * (1 - axis))
        taken = torch.stack([model(sign * along) * sign for sign in (1, -1) for _ in range(300)])
        taken = taken.movedim(3 + axis, 0).flatten(1)
        spans = [(int(low), int(high)) for low, high in zip(taken.amin(1), taken.amax(1), strict=True)]
        assert [span_of(field.widest, q, IMAGE[2 + axis]) for q in range(size)] == spans


def test_an_lp_pooling_is_a_window():
    assert rfcheck.analyze(between(nn.LPPool2d(2, 3, 2)), IMAGE).layers[-1].r_max == (7, 9)
