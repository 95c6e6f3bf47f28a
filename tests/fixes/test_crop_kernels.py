"""Cropped kernels, against trying out which taps matter and which smaller kernels give the same outputs."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from rfcheck.fixes.applying import changed_copy
from rfcheck.fixes.crop_kernels import propose
from rfcheck.fixes.fix import Fix, Skipped
from rfcheck.fixes.steps import Crop
from tests.fixes.networks import Size, subject_of, with_a_height
from tests.predictions import assert_as_predicted

Window = tuple[int, int, int, int]
SIZES = (1, 2, 3, 5)


def windows(size: int, most_padding: int | None = None) -> Iterator[Window]:
    """Kernels, strides, dilations and paddings that fit a map; the padding at most half the extent of the kernel unless given."""
    for kernel, stride, dilation in itertools.product((1, 2, 3, 4, 5), (1, 2, 3), (1, 2)):
        extent = dilation * (kernel - 1) + 1
        for padding in range((extent // 2 if most_padding is None else most_padding) + 1):
            if size + 2 * padding >= extent:
                yield kernel, stride, dilation, padding


class SideBySide(nn.Module):
    """Convolutions of one map, which all return what they compute."""

    def __init__(self, shapes: list[Window]) -> None:
        super().__init__()
        self.convs = nn.ModuleList(nn.Conv1d(1, 1, k, s, p, d, dtype=torch.float64) for k, s, d, p in shapes)

    def forward(self, x):
        return [conv(x) for conv in self.convs]


def cropped_taps(shapes: list[Window], size: int) -> list[tuple[int, int]]:
    """Per window, the taps that are kept."""
    (fix,) = propose(subject_of(SideBySide(shapes), (1, 1, size)))
    assert isinstance(fix, Fix)
    steps = {step.path: step for step in fix.plan.steps if isinstance(step, Crop)}
    return [steps[f"convs.{i}"].taps[0] if f"convs.{i}" in steps else (0, kernel) for i, (kernel, *_) in enumerate(shapes)]


def cropped(model: nn.Module, size: Size) -> nn.Module:
    """A copy of a model with the fix carried out."""
    subject = subject_of(model, size)
    (fix,) = propose(subject)
    assert isinstance(fix, Fix)
    return changed_copy(model, fix, subject.graph.graph["input_shape"])


def live_taps(size: int, kernel: int, stride: int, dilation: int, padding: int) -> set[int]:
    """The taps that change the output of a map of ones, each tried alone."""
    each = torch.eye(kernel)[:, None]
    return set(F.conv1d(torch.ones(1, 1, size), each, None, stride, padding, dilation)[0].sum(1).nonzero().flatten().tolist())


def smallest_equal(size: int, kernel: int, stride: int, dilation: int, padding: int) -> int:
    """The size of the smallest kernel, cut out of a random one and padded anyhow, that gives the outputs of the whole one."""
    generator = torch.Generator().manual_seed(0)
    image, weight = (torch.rand(1, 1, n, generator=generator, dtype=torch.float64) for n in (size, kernel))
    expected = F.conv1d(image, weight, None, stride, padding, dilation)
    sizes = [kernel]
    for (start, end), margin in itertools.product(itertools.combinations(range(kernel + 1), 2), range(padding + 1)):
        if size + 2 * margin > dilation * (end - start - 1):
            found = F.conv1d(image, weight[..., start:end], None, stride, margin, dilation)
            if found.shape == expected.shape and torch.allclose(found, expected, rtol=1e-12, atol=0):
                sizes.append(end - start)
    return min(sizes)


@pytest.mark.parametrize("size", SIZES)
def test_no_smaller_kernel_gives_the_same_outputs(size):
    shapes = [shape for shape in windows(size) if live_taps(size, *shape)]
    for shape, (start, end) in zip(shapes, cropped_taps(shapes, size), strict=True):
        assert end - start == smallest_equal(size, *shape), shape


@pytest.mark.parametrize("size", SIZES)
def test_only_dead_taps_go_and_outputs_stay(size):
    shapes = list(windows(size, 5))
    model = SideBySide(shapes)
    for shape, (start, end) in zip(shapes, cropped_taps(shapes, size), strict=True):
        assert live_taps(size, *shape) <= set(range(start, end)), shape
    image = torch.rand(2, 1, size, dtype=torch.float64)
    fixed = cropped(model, (1, 1, size))
    for shape, before, after in zip(shapes, model(image), fixed(image), strict=True):
        assert torch.allclose(before, after, rtol=1e-12, atol=0), shape


def test_a_kernel_that_reads_nothing_but_padding_stays():
    assert live_taps(1, 2, 3, 2, 1) == set()
    assert isinstance(propose(subject_of(SideBySide([(2, 3, 2, 1)]), (1, 1, 1)))[0], Skipped)


def test_axes_groups_dilation_and_bias():
    model = nn.Sequential(
        nn.Conv2d(4, 8, (5, 3), 1, (4, 1), (2, 1), groups=2), nn.Tanh(), nn.Conv2d(8, 2, 3, padding=1, bias=False)
    )
    (fix,) = propose(subject_of(model.double(), (4, 2, 1)))
    assert (fix.name, fix.safe) == ("crop-kernels", True)
    assert fix.description == "crop kernels to the taps that read pixels: 0 1x1, 2 3x1"
    changed = assert_as_predicted(model, fix, (4, 2, 1))
    assert changed[2].cropped.weight.equal(model[2].weight[..., 1:2])
    image = torch.rand(3, 4, 2, 1, dtype=torch.float64)
    assert torch.allclose(changed(image), model(image), rtol=1e-12, atol=1e-12)


class Twice(nn.Module):
    """The same convolution on a map and on its upper left quarter, where fewer taps read pixels."""

    def __init__(self, conv: nn.Module) -> None:
        super().__init__()
        self.conv = conv

    def forward(self, x):
        return self.conv(x).sum((2, 3)) + self.conv(x[..., : x.shape[2] // 2, : x.shape[3] // 2]).sum((2, 3))


def test_a_module_that_is_called_twice_keeps_what_any_call_needs():
    model = Twice(nn.Conv2d(1, 2, 5, padding=2)).double()
    (fix,) = propose(subject_of(model, (1, 2, 2)))
    changed = assert_as_predicted(model, fix, (1, 2, 2))
    assert changed.conv.cropped.kernel_size == (3, 3)
    image = torch.rand(2, 1, 2, 2, dtype=torch.float64)
    assert torch.allclose(changed(image), model(image), rtol=1e-12, atol=1e-12)


class OwnConv(nn.Conv2d):
    pass


class Functional(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 3, padding=1)

    def forward(self, x):
        return F.conv2d(x, self.conv.weight, self.conv.bias, padding=1)


def tied() -> nn.Module:
    model = nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), nn.Conv2d(1, 1, 3, padding=1))
    model[1].weight = model[0].weight
    return model


REFUSED = {
    "own class": (nn.Sequential(OwnConv(1, 1, 3, padding=1)), "0 is a OwnConv, which may use its kernel in a way of its own"),
    "repeated pixels": (
        nn.Sequential(nn.Conv2d(1, 1, 3, padding=1, padding_mode="replicate")),
        "every outer tap of every kernel reads pixels",
    ),
    "tied": (tied(), "0 shares its weight with another layer"),
    "all taps": (nn.Sequential(nn.Conv2d(1, 1, 1)), "every outer tap of every kernel reads pixels"),
    "transposed": (nn.Sequential(nn.ConvTranspose2d(1, 1, 3, padding=1)), "every outer tap of every kernel reads pixels"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals_say_why(case):
    model, reason = REFUSED[case]
    assert propose(subject_of(model, (1, 1, 1))) == [Skipped("crop-kernels", reason)]


def test_a_convolution_over_more_than_the_image_axes_stays():
    assert propose(subject_of(with_a_height(9, 1), (1, 1, 4))) == [
        Skipped("crop-kernels", "2 slides over more than the image axes")
    ]


def test_a_function_call_is_named():
    (skipped,) = propose(subject_of(Functional(), (1, 1, 1)))
    assert skipped.reason.startswith("conv2d ")


def test_one_that_cannot_be_cropped_does_not_hinder_others():
    model = nn.Sequential(*(nn.Conv2d(1, 1, 3, padding=1) for _ in range(5)), OwnConv(1, 1, 3, padding=1))
    (fix,) = propose(subject_of(model, (1, 1, 1)))
    assert fix.description == (
        "crop kernels to the taps that read pixels: 0 1x1, 1 1x1, 2 1x1 and 2 more; "
        "not 5, which is a OwnConv, which may use its kernel in a way of its own"
    )
