"""A model is left as it was, whatever its forward does, and so is the process."""

from __future__ import annotations

import gc
import random
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.modules import module as torch_modules

from rfcheck import TraceError, analyze
from tests.graph.traced import SIZE, conv


def contents(value: Any, path: str = "model") -> dict[str, tuple[Any, Any]]:
    """Every object in a model by its path, with what it holds."""
    parts: dict[Any, Any] = {}
    held: Any
    if isinstance(value, torch.Tensor):
        held = (value.detach().numpy().tobytes(), value.shape, value.dtype, value.requires_grad)
        parts = {"grad": value.grad} if value.is_leaf and value.grad is not None else {}
    elif isinstance(value, (dict, nn.Module)):
        parts = value.__dict__ if isinstance(value, nn.Module) else value
        held = list(parts)
    elif isinstance(value, (list, tuple)):
        parts, held = dict(enumerate(value)), len(value)
    else:
        held = repr(value)
    return {path: (value, held)} | {p: v for key, part in parts.items() for p, v in contents(part, f"{path}.{key}").items()}


def changes(before: dict[str, tuple[Any, Any]], after: dict[str, tuple[Any, Any]]) -> list[str]:
    """Paths of what is new, gone, another object, or holds something else."""
    kept = [p for p in before if p in after and before[p][0] is after[p][0] and before[p][1] == after[p][1]]
    return sorted({*before, *after} - {*kept})


def random_states() -> list[Any]:
    return [
        torch.get_rng_state().tolist(),
        [part.tolist() if isinstance(part, np.ndarray) else part for part in np.random.get_state()],
        random.getstate(),
    ]


class Restless(nn.Module):
    """Does something to itself in every forward pass."""

    def __init__(self, habit: Callable[[Any], Any], *, real: bool, least: int) -> None:
        super().__init__()
        self.habit, self.real = habit, real
        self.count, self.log, self.nested = 0, [], {"deep": [[1]]}
        self.plain, self.listed, self.cache = torch.zeros(2), [torch.zeros(2)], {"k": torch.zeros(2, dtype=torch.int64)}
        self.body = nn.Sequential(conv(), nn.BatchNorm2d(4), nn.Dropout(0.5))
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))
        self.large = conv(4, 4, least - 2)
        self.body.eval()[0].train()
        self.body[0].bias.requires_grad_(False)
        self.body[0].weight.grad = torch.ones_like(self.body[0].weight)
        self.body[0].register_forward_pre_hook(lambda *_: None)

    def forward(self, x):
        self.habit(self)
        x = self.body(x)
        return self.large(x * x.sum().exp().sign().item() if self.real else x)


HABITS = {
    "nothing": lambda m: None,
    "count": lambda m: setattr(m, "count", m.count + 1),
    "new attribute": lambda m: setattr(m, "new", torch.rand(3)),
    "lost attribute": lambda m: m.__dict__.pop("count", None),
    "list": lambda m: m.log.append(m.steps),
    "nested list": lambda m: m.nested["deep"][0].append(1),
    "buffer": lambda m: m.steps.add_(1),
    "new buffer": lambda m: setattr(m, "steps", m.steps + 1),
    "weight": lambda m: m.body[0].weight.mul_(2),
    "weight data": lambda m: m.body[0].weight.data.clamp_(0),
    "frozen weight": lambda m: m.body[0].weight.requires_grad_(False),
    "no gradient": lambda m: setattr(m.body[0].weight, "grad", None),
    "tensor": lambda m: m.plain.add_(1),
    "part of a tensor": lambda m: m.plain.__setitem__(0, 1),
    "tensor in a list": lambda m: m.listed[0].copy_(torch.ones(2)),
    "tensor in a dict": lambda m: m.cache["k"].add_(1),
    "mode": lambda m: m.train(),
    "hook": lambda m: m.register_forward_hook(lambda *_: None),
    "new layer": lambda m: setattr(m, "large", nn.Sequential(m.large)),
    "random numbers": lambda m: (torch.rand(1), np.random.rand(), random.random()),
    "seeds": lambda m: (torch.manual_seed(1), np.random.seed(1), random.seed(1)),
}


@pytest.mark.parametrize("least", [8, 20], ids=["works", "fails"])
@pytest.mark.parametrize("real", [False, True], ids=["meta", "real"])
@pytest.mark.parametrize("habit", HABITS)
def test_a_model_is_given_back_as_it_was(habit, real, least):
    model = Restless(HABITS[habit], real=real, least=least)
    before, states = contents(model), random_states()
    with nullcontext() if least == 8 else pytest.raises(TraceError):
        assert analyze(model, SIZE).traced_with == ("real" if real else "meta")
    assert changes(before, contents(model)) == []
    assert random_states() == states


def world() -> list[Any]:
    hooks = [value for name, value in vars(torch_modules).items() if name.startswith("_global_") and isinstance(value, dict)]
    modes = torch.utils._python_dispatch._get_current_dispatch_mode_stack()
    fast_path = torch.backends.mha.get_fastpath_enabled()
    return [
        gc.isenabled(),
        fast_path,
        torch.is_grad_enabled(),
        torch.get_default_dtype(),
        modes,
        *map(dict, hooks),
        warnings.filters[:],
    ]


@pytest.mark.parametrize("least", [8, 20], ids=["works", "fails"])
@pytest.mark.parametrize("enabled", [True, False])
def test_nothing_global_changes(enabled, least):
    fast_path = torch.backends.mha.get_fastpath_enabled()
    model = Restless(HABITS["nothing"], real=True, least=least)
    try:
        torch.backends.mha.set_fastpath_enabled(enabled)
        (gc.enable if enabled else gc.disable)()
        with torch.set_grad_enabled(enabled):
            before = world()
            with nullcontext() if least == 8 else pytest.raises(TraceError):
                analyze(model, SIZE)
            assert world() == before
    finally:
        gc.enable()
        torch.backends.mha.set_fastpath_enabled(fast_path)
