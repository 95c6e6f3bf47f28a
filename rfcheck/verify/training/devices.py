"""Where models are trained: Accelerate's choice of device, precision and processes, which leaves no trace in this process."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from rfcheck.errors import TrainingError

if TYPE_CHECKING:
    from accelerate import Accelerator

    from rfcheck.verify.recipe import Precision

_DEVICE_VARIABLE = "ACCELERATE_TORCH_DEVICE"


@contextmanager
def accelerated(precision: Precision, device: torch.device | str) -> Iterator[Accelerator]:
    """An accelerator, whose shared state and threads are given back afterwards; a process group that it starts stays.

    Args:
        precision: "no" for float32, "bf16" or "fp16" for mixed precision.
        device: to train on; where several processes were started, each takes its own device of this kind.

    Raises:
        TrainingError: if the device does not exist or cannot compute in this precision.
    """
    device = _existing(device)
    if precision == "fp16" and device.type == "cpu":
        raise TrainingError("precision fp16 needs a GPU; use bf16 or no on a CPU")
    from accelerate import DistributedDataParallelKwargs
    from accelerate.state import AcceleratorState, GradientState, PartialState

    shared = [kind._shared_state for kind in (PartialState, AcceleratorState, GradientState)]
    before = [dict(state) for state in shared]
    for state in shared:
        state.clear()
    try:
        # parts that the loss does not reach, such as auxiliary heads, have no gradients to wait for
        accelerator = _accelerator(precision, device, [DistributedDataParallelKwargs(find_unused_parameters=True)])
        try:
            yield accelerator
        finally:
            accelerator.free_memory()
    finally:
        for state, old in zip(shared, before, strict=True):
            state.clear()
            state.update(old)


def _accelerator(precision: Precision, device: torch.device, handlers: list[Any]) -> Accelerator:
    from accelerate import Accelerator

    threads, variable = torch.get_num_threads(), os.environ.get(_DEVICE_VARIABLE)
    try:
        if device.type != "cpu" and "LOCAL_RANK" not in os.environ:
            os.environ[_DEVICE_VARIABLE] = str(device)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Accelerator(mixed_precision=precision, cpu=device.type == "cpu", kwargs_handlers=handlers)
    except (ValueError, RuntimeError) as error:
        raise TrainingError(f"cannot train on {device} with precision {precision}: {error}") from error
    finally:
        torch.set_num_threads(threads)
        os.environ.pop(_DEVICE_VARIABLE, None)
        if variable is not None:
            os.environ[_DEVICE_VARIABLE] = variable


def _existing(device: torch.device | str) -> torch.device:
    try:
        return torch.empty(0, device=device).device
    except (RuntimeError, AssertionError) as error:  # the latter where torch was built without CUDA
        reason = str(error).splitlines()[0]
        raise TrainingError(
            f"cannot train on the device {device}: {reason}; give one that this machine has, such as cpu"
        ) from error


@contextmanager
def clean_afterwards(model: nn.Module) -> Iterator[None]:
    """Take off a model what Accelerate puts onto it: its mark, and the forward that computes in mixed precision."""
    before = dict(model.__dict__)
    try:
        yield
    finally:
        for name in set(model.__dict__) - set(before):
            del model.__dict__[name]
        if "forward" in before:
            model.__dict__["forward"] = before["forward"]
