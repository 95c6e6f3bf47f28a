from __future__ import annotations

import contextlib

import pytest
import torch
from torch import nn

from rfcheck import analyze
from rfcheck.target.devices import is_about_devices, on_one_device

META = torch.device("meta")

pytestmark = pytest.mark.skipif(torch.cuda.is_available(), reason="is about machines without an accelerator")

REQUESTS = {
    "cuda": lambda: torch.zeros(2).cuda(),
    "cuda with a number": lambda: torch.zeros(2).cuda(0),
    "to": lambda: torch.zeros(2).to("cuda"),
    "to a number": lambda: torch.zeros(2).to(0),
    "to keyword": lambda: torch.zeros(2).to(device=torch.device("cuda:1"), non_blocking=True),
    "factory": lambda: torch.zeros(2, device="cuda"),
    "tensor": lambda: torch.tensor([1.0, 2.0], device="cuda"),
    "like": lambda: torch.zeros_like(torch.zeros(2), device="cuda"),
    "new": lambda: torch.zeros(2).new_zeros(2, device="cuda"),
    "other vendors": lambda: torch.zeros(2, device="mps") + torch.zeros(2, device="npu") + torch.zeros(2).to("xpu"),
    "parameter": lambda: nn.Parameter(torch.zeros(2)).cuda().detach(),
    "module": lambda: nn.Linear(2, 2).cuda().bias.detach(),
    "module to": lambda: nn.Linear(2, 2).to("cuda").bias.detach(),
    "made there": lambda: nn.Linear(2, 2, device="cuda").bias.detach(),
    "type by name": lambda: torch.zeros(2).long().type("torch.cuda.FloatTensor"),
    "type of another": lambda: torch.zeros(2).long().type(torch.zeros(1).type()),
}


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
@pytest.mark.parametrize(("home", "default", "expected"), [(None, None, "cpu"), (None, META, "meta"), (META, None, "meta")])
def test_tensors_are_where_everything_is(request_, home, default, expected):
    with default or contextlib.nullcontext(), on_one_device(home):
        made = request_()
    where = made.device.type
    assert (made.shape, made.dtype) == ((2,), torch.float32)
    assert where == expected or (home is META and where == "cpu")  # what nobody sends away stays where it was made


@pytest.mark.filterwarnings("ignore:The torch.cuda")
def test_types_and_questions_have_an_answer():
    with on_one_device():
        assert torch.cuda.FloatTensor([1, 2]).tolist() == [1, 2]
        assert torch.zeros(2).type(torch.cuda.LongTensor).dtype is torch.int64
        assert torch.zeros(2).type() == "torch.FloatTensor"
        assert torch.zeros(2).to("cuda", torch.float16).dtype is torch.float16
        assert torch.zeros(2).to(torch.int8).dtype is torch.int8
        assert torch.cuda.current_device() == 0
        torch.cuda.synchronize()
        with torch.cuda.device(0):
            assert torch.zeros(1).cuda().device.type == "cpu"


def test_nothing_of_torch_stays_changed():
    before = {name: value for name, value in vars(torch.cuda).items() if name.endswith("Tensor")}
    codes = [torch.cuda.synchronize.__code__, torch.cuda.device.__enter__.__code__]
    with on_one_device():
        assert torch.cuda.synchronize.__code__ is not codes[0]
    with pytest.raises(ZeroDivisionError), on_one_device():
        _ = 1 / 0
    assert {name: value for name, value in vars(torch.cuda).items() if name.endswith("Tensor")} == before
    assert [torch.cuda.synchronize.__code__, torch.cuda.device.__enter__.__code__] == codes
    with pytest.raises((RuntimeError, AssertionError)):
        torch.zeros(1).cuda()


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (RuntimeError("Found no NVIDIA driver on your system."), True),
        (AssertionError("Torch not compiled with CUDA enabled"), True),
        (ValueError("invalid type: 'torch.meta.FloatTensor'"), True),
        (RuntimeError("shape '[16, -1]' is invalid for input of size 8"), False),
    ],
)
def test_errors_about_devices_are_told_apart(error, expected):
    assert is_about_devices(error) is expected


class Between(nn.Module):
    """Two 3x3 convolutions with something between them that keeps the positions: r of the second is 5."""

    def __init__(self, between):
        super().__init__()
        self.a, self.b, self.between = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1), between

    def forward(self, x):
        return self.b(self.between(self.a(x)))


def grid(y):
    rows, columns = torch.meshgrid(torch.arange(y.shape[2]), torch.arange(y.shape[3]), indexing="ij")
    return y + (rows + columns).type(y.type())


@pytest.mark.parametrize("device", ["cpu", "meta"])
@pytest.mark.parametrize(
    ("between", "traced_with"),
    [
        (lambda y: y + torch.zeros(1, 8, *y.shape[2:]).cuda(), "meta"),
        (lambda y: y.cpu() + torch.zeros(1, device="cuda"), "meta"),
        (grid, "meta"),
        (lambda y: (y > 0).type(torch.FloatTensor) * y, "meta"),
        (lambda y: y + torch.FloatTensor(1, 8, 1, 1).zero_(), "fake"),
    ],
    ids=["padding shortcut", "mixed", "grid by type", "mask by type", "legacy constructor"],
)
def test_a_forward_that_asks_for_devices_needs_none_and_no_data(device, between, traced_with):
    with torch.device(device):
        model = Between(between)
    analysis = analyze(model, 16)
    assert analysis.traced_with == traced_with
    assert [layer.r_max for layer in analysis.layers] == [(3, 3), (5, 5)]
    assert analysis.flops == 16 * 16 * 9 * (3 * 8 + 8 * 8)
