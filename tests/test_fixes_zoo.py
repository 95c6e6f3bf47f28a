"""Every fix of the models of the zoos: it does what it predicts, and cropped kernels change no output."""

from __future__ import annotations

import copy
import dataclasses
import gc

import pytest
import torch
from torch import nn
from torchvision import models

from rfcheck import analyze, apply_fix
from rfcheck.errors import FixError, TraceError
from rfcheck.fixes.steps import Crop
from tests.predictions import assert_all_as_predicted, run_snippet
from tests.zoo import CLASSIFIERS, counted_flops, parameter_count, timm_model, torchvision_model

RESOLUTIONS = (32, 64, 224)

FAST = {"alexnet", "googlenet", "mobilenet_v3_small", "resnet18", "squeezenet1_1", "vgg11"}
"""Torchvision classifiers that stand for their families outside the slow sweep."""

TIMM = [
    "convmixer_768_32", "cspresnet50", "dla34", "fasternet_t0", "hrnet_w18_small", "mobilenetv4_conv_small", "nfnet_f0",
    "repvgg_a0", "res2net50d", "resnetblur18", "selecsls42", "seresnet18",
]  # fmt: skip

CROPPED_FAST = {"mnasnet0_5", "resnet18", "shufflenet_v2_x0_5", "squeezenet1_1"}

TOO_LARGE = {"regnet_y_128gf"}  # it and its copy take ten gigabytes in float64

NOT_AT_32 = {"alexnet", "inception_v3", "maxvit_t", "vit_b_16", "vit_b_32", "vit_h_14", "vit_l_16", "vit_l_32"}


def swept(names: list[str], fast: set[str]) -> list[object]:
    """Names as parameters, slow unless they are among the fast ones."""
    return [name if name in fast else pytest.param(name, marks=pytest.mark.slow) for name in names]


def check_fixes(model: nn.Module, resolutions: tuple[int, ...]) -> set[str]:
    """Carry out every fix at every resolution that the model runs at; returns what was proposed and what was not."""
    seen: set[str] = set()
    for resolution in resolutions:
        try:
            analysis = assert_all_as_predicted(model, resolution)
        except TraceError:
            continue
        proposals = analysis.proposals
        seen |= {fix.name for fix in proposals.fixes} | {skipped.name for skipped in proposals.skipped}
    return seen


KINDS = {"crop-kernels", "truncate", "truncate-before", "remove-stem", "move-downsampling", "pool-head"}


@pytest.mark.parametrize("name", swept(CLASSIFIERS, FAST))
def test_every_fix_of_a_torchvision_classifier_does_what_it_predicts(name):
    resolutions = RESOLUTIONS if name in FAST else (224,) if name in NOT_AT_32 else (RESOLUTIONS[CLASSIFIERS.index(name) % 2],)
    assert check_fixes(torchvision_model(name), resolutions) >= KINDS


@pytest.mark.slow
@pytest.mark.parametrize("name", TIMM)
def test_every_fix_of_a_timm_model_does_what_it_predicts(name):
    model, _ = timm_model(name)
    assert check_fixes(model, (32, 96)) >= KINDS


@pytest.mark.parametrize("name", ["resnet18", "vgg11", "googlenet"])
def test_predicted_costs_are_what_torch_counts(name):
    model = torchvision_model(name)
    fixes = analyze(model, 32).fixes
    assert len(fixes) >= 5
    for fix in fixes:
        changed = apply_fix(model, fix, 32)
        assert fix.predicted.after.flops == counted_flops(changed, 3, 32, 32)
        assert fix.predicted.after.params == parameter_count(changed)


def images() -> torch.Tensor:
    return torch.randn(8, 3, 32, 32, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def calibrated(name: str) -> nn.Module:
    """A torchvision model with random weights in float64, normalised by what the images give, so that no signal dies out."""
    arguments = {"init_weights": False} if name == "googlenet" else {}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = models.get_model(name, weights=None, **arguments).eval()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.train().momentum = None
    with torch.no_grad():
        model(images().float())
    return model.double().eval()


def assert_equal_outputs(model: nn.Module, changed: nn.Module) -> None:
    """Outputs agree to rounding, and depend on the image, so that equality says something."""
    with torch.no_grad():
        expected, given = model(images()[:3]), changed(images()[:3])
    scale = float(expected.abs().max())
    assert float(expected.std(0).max()) > 1e-3 * scale
    torch.testing.assert_close(given, expected, rtol=0, atol=1e-12 * scale)


@pytest.mark.parametrize("name", swept([name for name in CLASSIFIERS if name not in TOO_LARGE], CROPPED_FAST))
def test_cropped_kernels_leave_outputs_equal(name):
    gc.collect()
    try:
        proposals = analyze(torchvision_model(name), 32).proposals
    except TraceError:
        assert name in NOT_AT_32
        return
    if name not in CROPPED_FAST and "crop-kernels" not in {fix.name for fix in proposals.fixes}:
        with pytest.raises(FixError, match="^crop-kernels does not apply: every outer tap of every kernel reads pixels$"):
            proposals.named("crop-kernels")
        return
    fix = proposals.named("crop-kernels")
    model = calibrated(name)
    assert_equal_outputs(model, apply_fix(model, fix, 32))
    if name in CROPPED_FAST:
        assert_equal_outputs(model, run_snippet(model, fix))


def test_taps_beside_those_that_read_pixels_would_change_the_outputs():
    model = calibrated("squeezenet1_1")
    (step, *_) = analyze(model, 32).proposals.named("crop-kernels").plan.steps
    assert step == Crop("features.9.expand3x3", (3, 3), ((1, 2), (1, 2)), (0, 0))
    wrong = dataclasses.replace(step, taps=((0, 1), (1, 2)))
    with pytest.raises(AssertionError, match="Tensor-likes are not close"):
        assert_equal_outputs(model, wrong.apply(copy.deepcopy(model)))
