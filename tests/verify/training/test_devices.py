import os

import pytest
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState, GradientState, PartialState
from torch import nn

from rfcheck.errors import TrainingError
from rfcheck.verify.training.devices import accelerated, clean_afterwards


def states():
    return [dict(kind._shared_state) for kind in (PartialState, AcceleratorState, GradientState)]


def test_precisions_can_follow_each_other_in_one_process():
    before, environment = states(), dict(os.environ)
    for precision in ("no", "bf16", "no"):
        with accelerated(precision, "cpu") as accelerator:
            assert accelerator.mixed_precision == precision
            assert accelerator.device == torch.device("cpu")
        assert states() == before
    assert dict(os.environ) == environment


def test_an_accelerator_of_the_caller_stays_as_it_is():
    try:
        own = Accelerator(mixed_precision="bf16", cpu=True)
        before = states()
        with pytest.raises(KeyError), accelerated("no", "cpu"):
            raise KeyError
        assert states() == before
        assert own.mixed_precision == "bf16"
    finally:
        for kind in (PartialState, AcceleratorState, GradientState):
            kind._shared_state.clear()


def test_threads_are_given_back():
    torch.set_num_threads(2)
    try:
        with accelerated("no", "cpu"):
            assert torch.get_num_threads() == 2
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)


def test_half_precision_needs_a_gpu():
    before = states()
    with pytest.raises(TrainingError) as caught, accelerated("fp16", "cpu"):
        pass
    assert str(caught.value) == "precision fp16 needs a GPU; use bf16 or no on a CPU"
    assert states() == before


@pytest.mark.parametrize("precision", ["no", "bf16"])
def test_a_model_bears_no_trace(precision):
    model = nn.Linear(3, 2)
    before = {**model.__dict__}
    images = torch.rand(4, 3)
    expected = model(images)
    with accelerated(precision, "cpu") as accelerator, clean_afterwards(model):
        prepared = accelerator.prepare(model)
        assert torch.equal(prepared(images), expected) == (precision == "no")
    assert model.__dict__ == before
    assert torch.equal(model(images), expected)


def test_a_forward_that_the_model_had_comes_back():
    model = nn.Linear(3, 2)
    own = model.forward = lambda x: 2 * nn.Linear.forward(model, x)
    with accelerated("bf16", "cpu") as accelerator, clean_afterwards(model):
        accelerator.prepare(model)
        assert model.forward is not own
    assert model.forward is own


@pytest.mark.parametrize("device", ["nonsense", "meta:1:2", "cuda:99"])
def test_a_device_that_does_not_exist(device):
    with pytest.raises(TrainingError) as caught, accelerated("no", device):
        pass
    assert str(caught.value).startswith(f"cannot train on the device {device}: ")
    assert str(caught.value).endswith("; give one that this machine has, such as cpu")
