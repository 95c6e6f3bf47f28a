"""Fixes of random classifiers: each does what it predicts, and cropped kernels change no output."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
from hypothesis import HealthCheck, Phase, given, settings
from torch import nn

from rfcheck import analyze
from tests.predictions import assert_all_as_predicted, assert_as_predicted
from tests.random_classifiers import Pair, random_classifiers

QUIET = [HealthCheck.too_slow, HealthCheck.large_base_example, HealthCheck.data_too_large]


def check(drawn: tuple[nn.Module, Pair]) -> None:
    assert_all_as_predicted(*drawn)


@given(random_classifiers())
@settings(max_examples=25, deadline=None, suppress_health_check=QUIET)
def test_every_fix_does_what_it_predicts(drawn):
    check(drawn)


@pytest.mark.slow
@given(random_classifiers())
@settings(max_examples=250, deadline=None, suppress_health_check=QUIET)
def test_every_fix_of_many_networks_does_what_it_predicts(drawn):
    check(drawn)


def with_weights(model: nn.Module) -> nn.Module:
    """The same model with random weights and statistics in float64, in eval mode."""
    model = model.to_empty(device="cpu").double().eval()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if tensor.is_floating_point():
                tensor.normal_(generator=generator)
            if name.endswith("running_var"):
                tensor.abs_().add_(0.5)
    return model


def check_crop(drawn: tuple[nn.Module, Pair]) -> bool:
    """Whether there is something to crop; if so, the outputs stay as they are."""
    model, size = with_weights(drawn[0]), drawn[1]
    fixes = {fix.name: fix for fix in analyze(model, size).fixes}
    if "crop-kernels" not in fixes:
        return False
    changed = assert_as_predicted(model, fixes["crop-kernels"], size)
    images = torch.randn(2, 3, *size, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected, given = model(images), changed(images)
    torch.testing.assert_close(given, expected, rtol=0, atol=1e-12 * max(1.0, float(expected.abs().max())))
    return True


@given(random_classifiers(small=True))
@settings(max_examples=25, deadline=None, suppress_health_check=QUIET)
def test_cropped_kernels_leave_outputs_equal(drawn):
    check_crop(drawn)


@pytest.mark.slow
@given(random_classifiers(small=True))
@settings(max_examples=250, deadline=None, suppress_health_check=QUIET)
def test_cropped_kernels_leave_outputs_of_many_networks_equal(drawn):
    check_crop(drawn)


@pytest.mark.slow
def test_the_networks_have_what_fixes_need():
    """Every kind of fix applies to some of the networks that the tests above draw, and a kernel is cropped in many."""
    seen: Counter[str] = Counter()

    @given(random_classifiers())
    @settings(max_examples=60, deadline=None, database=None, derandomize=True, phases=[Phase.generate], suppress_health_check=QUIET)
    def count(drawn):
        seen.update(fix.name for fix in analyze(*drawn).fixes)

    @given(random_classifiers(small=True))
    @settings(max_examples=60, deadline=None, database=None, derandomize=True, phases=[Phase.generate], suppress_health_check=QUIET)
    def count_crops(drawn):
        seen["cropped"] += check_crop(drawn)

    count()
    count_crops()
    assert {"truncate", "truncate-before", "remove-stem", "move-downsampling", "pool-head"} <= set(seen)
    assert seen["cropped"] >= 15
