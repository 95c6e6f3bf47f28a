from __future__ import annotations

import pytest
import torch
from torch import nn

from rfcheck import TraceError, analyze
from rfcheck.target.accelerators import answering
from rfcheck.target.devices import device_remedy, on_one_device

pytestmark = pytest.mark.skipif(torch.cuda.is_available(), reason="is about machines without an accelerator")


def streams():
    stream, event = torch.cuda.Stream(), torch.cuda.Event(enable_timing=True)
    with torch.cuda.stream(stream), torch.cuda.device(0), torch.cuda.device_of(torch.zeros(1)):
        event.record()
    torch.cuda.current_stream().wait_stream(stream)
    torch.zeros(1).record_stream(stream)
    torch.cuda.default_stream().synchronize()
    return event.elapsed_time(event) / 2 < 1


def graph():
    held = torch.cuda.CUDAGraph()
    with torch.cuda.graph(held):
        pass
    held.replay()


def memory():
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    torch.cuda.nvtx.range_push("forward")
    torch.cuda.nvtx.range_pop()
    return torch.cuda.memory_allocated() + sum(torch.cuda.mem_get_info()) + len(torch.cuda.memory_stats())


def properties():
    found = torch.cuda.get_device_properties(0)
    assert "H100" not in found.name
    assert torch.cuda.get_device_name(0) == ""
    return [0] * found.multi_processor_count, found.major >= 8, found.total_memory // 2


def states():
    torch.cuda.manual_seed_all(0)
    torch.cuda.set_rng_state(torch.cuda.get_rng_state())
    torch.cuda.set_rng_state_all(torch.cuda.get_rng_state_all())
    return torch.cuda.initial_seed()


def generator():
    held = torch.Generator(device="cuda").manual_seed(3)
    assert isinstance(held, torch.Generator)
    return torch.randn(2, generator=held, device="cuda")


def others():
    torch.mps.synchronize()
    torch.xpu.empty_cache()
    torch.accelerator.synchronize()
    return torch.mps.current_allocated_memory(), torch.xpu.current_device(), torch.accelerator.current_accelerator()


ASKED = [streams, graph, memory, properties, states, generator, others]


@pytest.mark.parametrize("ask", ASKED)
def test_what_fails_without_an_accelerator_has_an_answer(ask):
    with on_one_device():
        ask()
    with pytest.raises((RuntimeError, AssertionError)):
        ask()


@pytest.mark.parametrize("ask", ASKED)
@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_a_forward_that_asks_is_analysed(ask, device):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Conv2d(3, 8, 3, padding=1, device=device), nn.Conv2d(8, 8, 3, padding=1, device=device)

        def forward(self, x):
            y = self.a(x)
            ask()
            return self.b(y)

    analysis = analyze(Net(), 16)
    assert [layer.r_max for layer in analysis.layers] == [(3, 3), (5, 5)]
    assert analysis.flops == 16 * 16 * 9 * (3 * 8 + 8 * 8)


def test_a_default_device_takes_the_place_of_none(run, model_file):
    model_file(
        "torch.set_default_device('cuda')\nclass First(nn.Module):\n    def __init__(self):\n        torch.set_default_device('cuda')\n"
        "        super().__init__()\n        self.conv = nn.Conv2d(3, 4, 3)\n    def forward(self, x):\n        return self.conv(x)\n"
        "class Second(First):\n    pass\n"
    )
    code, out, err = run("model.py:First", "model.py:Second", "--resolution", "8", "--no-cache", "--output", "concise")
    assert (code, err) == (1, "")
    assert out.count("RF104") == 2
    assert torch.zeros(1).device.type == "cpu"


def test_questions_whether_there_is_one_are_answered_truly():
    with answering():
        assert not torch.cuda.is_available()
        assert torch.cuda.device_count() == 0


def test_nothing_stays_changed():
    kept = [torch.Generator, torch.cuda.Stream.__new__, torch.cuda.graph.__init__, torch.set_default_device.__code__]
    with pytest.raises(ZeroDivisionError), on_one_device():
        _ = 1 / 0
    assert [torch.Generator, torch.cuda.Stream.__new__, torch.cuda.graph.__init__, torch.set_default_device.__code__] == kept
    assert "record_stream" not in vars(torch.Tensor)


REMEDY = "; rfcheck needs no accelerator: leave the device out there, or take that of the input or a parameter"


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (RuntimeError("Found no NVIDIA driver on your system."), REMEDY),
        (AttributeError("module 'torch' has no attribute 'npu'"), REMEDY),
        (RuntimeError("Expected one of cpu, cuda device type at start of device string: gpu"), REMEDY),
        (RuntimeError("shape '[16, -1]' is invalid for input of size 8"), ""),
    ],
)
def test_errors_about_accelerators_come_with_a_remedy(error, remedy):
    assert device_remedy(error) == remedy


def test_a_device_that_torch_does_not_know(run, model_file):
    class Net(nn.Conv2d):
        def forward(self, x):
            return super().forward(x.to(torch.device("npu")))

    with pytest.raises(TraceError, match="npu; rfcheck needs no accelerator: leave the device out there"):
        analyze(Net(3, 4, 3), 8)
    model_file("def build() -> nn.Module:\n    return nn.Conv2d(3, 4, 3).to(torch.device('gpu'))\n")
    code, _, err = run("model.py", "--resolution", "8", "--no-cache")
    assert code == 2
    assert err.endswith(f"(model.py:4: return nn.Conv2d(3, 4, 3).to(torch.device('gpu'))){REMEDY}\n")
