from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.parameter import is_lazy

from rfcheck.graph.lazy import has_lazy, materialized


def lazy_model() -> nn.Sequential:
    return nn.Sequential(
        nn.LazyConv2d(6, 5, padding=2), nn.LazyBatchNorm2d(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.Flatten(), nn.LazyLinear(10)
    )


@pytest.mark.parametrize("own", ["cpu", "meta"])
@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_the_copy_has_shapes_and_the_model_none(own, device):
    with torch.device(own):
        model = lazy_model()
    if own == "meta" and device == "cpu":
        return
    before, state = [type(module) for module in model], torch.get_rng_state()
    copied = materialized(model, (1, 1, 28, 28), device)
    assert [type(module) for module in model] == before
    assert has_lazy(model)
    assert is_lazy(model[0].weight)
    assert torch.equal(torch.get_rng_state(), state)
    assert not has_lazy(copied)
    assert copied.training
    assert all(module.training for module in copied.modules())
    assert {parameter.device.type for parameter in copied.parameters()} == {device}
    counts = [5 * 5 * 6 + 6, 6 + 6, 5 * 5 * 6 * 16 + 16, 16 * 10 * 10 * 10 + 10]
    assert sum(parameter.numel() for parameter in copied.parameters()) == sum(counts)
    with torch.device(own):
        model(torch.zeros(2, 1, 28, 28))
    assert not has_lazy(model)


def test_a_forward_that_fails_leaves_the_model_lazy():
    model = lazy_model()
    with pytest.raises(RuntimeError):
        materialized(model, (1, 1, 4, 4))
    assert is_lazy(model[0].weight)
    assert model.training


def test_most_models_are_not_lazy():
    assert not has_lazy(nn.Sequential(nn.Conv2d(3, 3, 3), nn.BatchNorm2d(3)))
