from __future__ import annotations

import random
from collections import OrderedDict

import numpy as np
import pytest
import torch
from torch import nn

from rfcheck.graph.borrow import WriteGuard, borrowed, substitute_tensors


class Restless(nn.Module):
    """A module that changes everything it can reach."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 1)
        self.register_buffer("count", torch.zeros(1))
        self.seen, self.cache, self.tags = [], {"a": []}, {"x"}
        self.number = 1
        self.array, self.pair = np.zeros(2), ([], 1)

    def forward(self, x):
        self.seen.append(x)
        self.cache["a"].append(1)
        self.cache["b"] = 2
        self.tags.add("y")
        self.number = 2
        self.array += 1
        self.pair[0].append(1)
        self.new = x
        self.extra = nn.Linear(1, 1)
        self.register_forward_hook(lambda *_: None)
        self.conv.weight = nn.Parameter(torch.ones(1, 1, 1, 1))
        random.random()
        np.random.rand()
        return self.conv(x) + torch.rand(1)


def state(model: nn.Module) -> list[object]:
    return [
        (
            list(m.__dict__),
            {k: v for k, v in m.__dict__.items() if not isinstance(v, dict)},
            list(m._parameters.items()),
            list(m._forward_hooks),
        )
        for m in model.modules()
    ]


@pytest.mark.parametrize("fails", [False, True])
def test_everything_is_given_back(fails):
    model = Restless().train()
    model.conv.eval()
    before = state(model)
    containers = [list(model.seen), {k: list(v) for k, v in model.cache.items()}, set(model.tags)]
    torch_state, python_state, numpy_state = torch.get_rng_state(), random.getstate(), np.random.get_state()[1]
    try:
        with borrowed(model):
            assert not any(m.training for m in model.modules())
            assert not torch.is_grad_enabled()
            model(torch.zeros(1, 1, 2, 2))
            if fails:
                raise RuntimeError
    except RuntimeError:
        assert fails
    assert state(model) == before
    assert [model.seen, model.cache, model.tags] == containers
    assert model.array.tolist() == [0, 0]
    assert model.pair == ([], 1)
    assert [m.training for m in model.modules()] == [True, False]
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert random.getstate() == python_state
    assert np.array_equal(np.random.get_state()[1], numpy_state)
    assert torch.is_grad_enabled()
    assert torch.backends.mha.get_fastpath_enabled()


def test_tensors_are_replaced_by_name_and_shared_ones_once():
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2), nn.BatchNorm1d(2))
    model[1].weight = model[0].weight
    original = model[0].weight
    with borrowed(model) as (modules, _):
        replaced = substitute_tensors(modules, lambda t: torch.empty_like(t, device="meta"))
        assert list(replaced) == ["0.weight", "0.bias", "1.bias", "2.weight", "2.bias"]
        assert model[0].weight is model[1].weight is replaced["0.weight"]
        assert model[2].running_mean.device.type == "meta"
    assert model[0].weight is model[1].weight is original


def test_recurrent_layers_keep_their_second_list():
    model = nn.LSTM(2, 2)
    with borrowed(model) as (modules, _):
        substitute_tensors(modules, lambda t: torch.empty_like(t, device="meta"))
        assert all(weight.device.type == "meta" for weight in model._flat_weights)
    assert all(a is b for a, b in zip(model._flat_weights, model.parameters(), strict=True))


def test_writes_into_the_model_are_undone():
    model = nn.BatchNorm1d(3)
    model.notes = [torch.zeros(2), OrderedDict()]
    guard = WriteGuard()
    content = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    for tensor in (model.running_mean[:2], model.num_batches_tracked, model.notes[0], torch.zeros(3)):
        guard.save(tensor)
        with torch.no_grad():
            tensor.add_(1)
    guard.restore()
    assert all(torch.equal(tensor, content[name]) for name, tensor in model.state_dict().items())
    assert torch.equal(model.notes[0], torch.zeros(2))
