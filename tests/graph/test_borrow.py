from __future__ import annotations

import gc
import random
import sys
import warnings
from collections import OrderedDict
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import nullcontext
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from rfcheck import TraceError, analyze
from rfcheck.graph.borrow import WriteGuard, borrow, substitute_tensors


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

    def use(modules, guard):
        assert not any(m.training for m in model.modules())
        assert not torch.is_grad_enabled()
        model(torch.zeros(1, 1, 2, 2))
        if fails:
            raise RuntimeError

    with pytest.raises(RuntimeError) if fails else nullcontext():
        borrow(model, use)
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

    def use(modules, _):
        replaced = substitute_tensors(modules, lambda t: torch.empty_like(t, device="meta"))
        assert list(replaced) == ["0.weight", "0.bias", "1.bias", "2.weight", "2.bias"]
        assert model[0].weight is model[1].weight is replaced["0.weight"]
        assert model[2].running_mean.device.type == "meta"

    borrow(model, use)
    assert model[0].weight is model[1].weight is original


def test_recurrent_layers_keep_their_second_list():
    model = nn.LSTM(2, 2)

    def use(modules, _):
        substitute_tensors(modules, lambda t: torch.empty_like(t, device="meta"))
        assert all(weight.device.type == "meta" for weight in model._flat_weights)

    borrow(model, use)
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


def is_as_new(model: nn.Module, parameters: list[nn.Parameter]) -> bool:
    """Whether a model has the parameters that it had, and nothing of a forward pass is left in it or in torch."""
    return (
        [id(parameter) for parameter in model.parameters()] == [id(parameter) for parameter in parameters]
        and all(module.training and "forward" not in vars(module) for module in model.modules())
        and torch.is_grad_enabled()
        and torch._C._len_torch_dispatch_stack() == 0
    )


def interrupt_at_many_lines() -> None:
    """Lines, and beginnings of functions, that borrow, change and give back raise once each, spread over all of them."""
    model = nn.Sequential(nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1)).train()
    parameters = list(model.parameters())
    files = ("api.py", "undoing.py", "process_state.py", "torch_state.py", "borrow.py", "contents.py", "wrappers.py", "trace.py")
    lines, raised_at = 0, -1

    def interrupt(frame, event, arg):
        nonlocal lines
        if Path(frame.f_code.co_filename).name not in files:
            return None
        if event in ("line", "call"):
            lines += 1
            if lines == raised_at:
                raise KeyboardInterrupt
        return interrupt

    def trace_lines():
        nonlocal lines
        lines = 0
        sys.settrace(interrupt)
        try:
            analyze(model, (1, 2, 2))
        finally:
            sys.settrace(None)

    before = sys.gettrace()
    try:
        trace_lines()
        trace_lines()  # what is found once is found
        total = lines
        assert total > 1000
        for raised_at in range(1, total, total // 150):
            with pytest.raises(KeyboardInterrupt):
                trace_lines()
            assert is_as_new(model, parameters), raised_at
            assert gc.isenabled()
    finally:
        sys.settrace(before)


@pytest.mark.slow
def test_an_exception_at_any_line_leaves_the_model_as_it_was():
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:  # where nothing but this is traced
        pool.submit(interrupt_at_many_lines).result()


class _Counted:
    number = 0


class Counting(nn.Module):
    """Changes what it reaches through plain objects; fails if it is to."""

    made = 0

    def __init__(self, fails: bool):
        super().__init__()
        self.conv, self.counted, self.fails = nn.Conv2d(3, 3, 3), _Counted(), fails

    def forward(self, x):
        self.counted.number += 1
        type(self).made += 1
        if self.fails:
            raise RuntimeError("no size will do")
        return self.conv(x)


@pytest.mark.parametrize("fails", [False, True])
def test_objects_that_a_module_holds_are_given_back(fails):
    model = Counting(fails)
    with pytest.raises(TraceError) if fails else nullcontext():
        analyze(model, 8)
    assert (model.counted.number, Counting.made) == (0, 0)


@pytest.mark.parametrize("size", [16, 4])
def test_scripted_models_keep_their_parameters(size):
    """At 4 px the kernel does not fit, and the search for a size that works runs the model again and again."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch is phasing TorchScript out
        model = torch.jit.script(nn.Sequential(nn.Conv2d(3, 4, 7), nn.BatchNorm2d(4), nn.ReLU()))
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with pytest.raises(TraceError, match="smallest resolution that works is") if size == 4 else nullcontext():
        analyze(model, size)
    assert not any(tensor.is_meta for tensor in model.state_dict().values())
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert all(module.training for module in model.modules())


def test_threads_share_a_model():
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3))

    def layers(_=None):
        return [(layer.name, layer.r_max, layer.flops) for layer in analyze(model, 16).layers]

    expected = layers()
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(layers, range(32))) == [expected] * 32
    assert torch.backends.mha.get_fastpath_enabled()
    assert gc.isenabled()


def test_a_model_whose_forward_analyses_another_one():
    class Curious(nn.Conv2d):
        def forward(self, x):
            assert analyze(nn.Conv2d(3, 3, 3), 8).layers[0].r_max == (3, 3)
            return super().forward(x)

    assert analyze(Curious(3, 3, 5), 8).layers[0].r_max == (5, 5)


def test_a_buffer_that_grows_is_given_back_as_it_was():
    class Counting(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("seen", torch.ones(1))

        def forward(self, x):
            self.seen.resize_(x.shape[1]).copy_(x.sum((0, 2, 3)))
            return x * self.seen.max().item()

    model = Counting()
    buffer = model.seen
    assert analyze(model, 8).traced_with == "real"
    assert model.seen is buffer
    assert torch.equal(buffer, torch.ones(1))
    assert buffer.untyped_storage().nbytes() == 4
