from __future__ import annotations

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn.modules.module import _global_forward_hooks, register_module_forward_hook
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from rfcheck.process_state import ProcessState
from rfcheck.torch_state import PARTS


def left_on(mode):
    mode.__enter__()


CHANGES = {
    "dtype": (lambda: torch.set_default_dtype(torch.float64), torch.get_default_dtype),
    "device": (lambda: torch.set_default_device("meta"), torch.get_default_device),
    "device of a block": (lambda: left_on(torch.device("meta")), lambda: torch.empty(1).device),
    "threads": (lambda: torch.set_num_threads(torch.get_num_threads() + 1), torch.get_num_threads),
    "gradients": (lambda: torch.set_grad_enabled(False), torch.is_grad_enabled),
    "deterministic": (lambda: torch.use_deterministic_algorithms(True), torch.are_deterministic_algorithms_enabled),
    "benchmark": (lambda: setattr(torch.backends.cudnn, "benchmark", True), lambda: torch.backends.cudnn.benchmark),
    "mkldnn": (lambda: torch._C._set_mkldnn_enabled(False), torch._C._get_mkldnn_enabled),
    "precision": (lambda: torch.set_float32_matmul_precision("medium"), torch.get_float32_matmul_precision),
    "autocast": (lambda: torch.set_autocast_enabled("cpu", True), lambda: torch.is_autocast_enabled("cpu")),
    "fast path": (lambda: torch.backends.mha.set_fastpath_enabled(False), torch.backends.mha.get_fastpath_enabled),
    "anomalies": (lambda: torch.set_anomaly_enabled(True), torch.is_anomaly_enabled),
    "printing": (lambda: torch.set_printoptions(precision=2), lambda: torch._tensor_str.PRINT_OPTS.precision),
    "hooks": (lambda: register_module_forward_hook(print), lambda: dict(_global_forward_hooks)),
    "torch.cuda": (lambda: setattr(torch.cuda.synchronize, "__code__", left_on.__code__), lambda: torch.cuda.synchronize.__code__),
    "random": (lambda: torch.rand(1), lambda: torch.get_rng_state().tolist()),
    "functions": (lambda: left_on(TorchFunctionMode()), torch._C._len_torch_function_stack),
    "operators": (lambda: left_on(TorchDispatchMode()), torch._C._len_torch_dispatch_stack),
    "fake": (lambda: left_on(FakeTensorMode()), torch._C._len_torch_dispatch_stack),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_changed_is_given_back(name):
    change, read = CHANGES[name]
    state, before = ProcessState(), read()
    try:
        change()
        assert read() != before
    finally:
        state.give_back()
    assert read() == before
    assert (torch.zeros(1) + 1).tolist() == [1.0]


@pytest.mark.parametrize("part", PARTS)
def test_every_part_can_be_written_as_it_is_read(part):
    part.write(part.read())


def test_modes_that_were_on_stay_on():
    with torch.device("meta"), FakeTensorMode() as fake:
        state = ProcessState()
        left_on(torch.device("cpu"))
        state.give_back()
        assert torch.empty(1).device.type == "meta"
        assert torch.utils._python_dispatch._get_current_dispatch_mode() is fake
    assert torch.zeros(1).device.type == "cpu"
