"""The three ways to record a forward pass: on meta tensors, on torch's FakeTensors, and on zeros with the real weights."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from rfcheck.graph.borrow import WriteGuard, borrow, substitute_tensors
from rfcheck.graph.failing import Failure
from rfcheck.graph.leaving import Leaving
from rfcheck.graph.recorded_run import recorded_run
from rfcheck.graph.recorder import Recorder
from rfcheck.graph.records import Recording
from rfcheck.target.devices import is_about_devices, on_one_device
from rfcheck.undoing import undone_after

if TYPE_CHECKING:
    from torch._subclasses.fake_tensor import FakeTensorMode


def pass_on_meta(model: nn.Module, shape: tuple[int, ...], locate: bool) -> Recording | Failure:
    """A pass on meta tensors, once more where it may have failed only because it asks for a device."""
    result = _once_on_meta(model, shape, locate, nullcontext())
    if isinstance(result, Failure) and is_about_devices(result.error):
        return _once_on_meta(model, shape, locate, on_one_device(torch.device("meta")))
    return result


def _once_on_meta(
    model: nn.Module, shape: tuple[int, ...], locate: bool, devices: AbstractContextManager[None]
) -> Recording | Failure:
    def record(modules: dict[str, nn.Module], guard: WriteGuard) -> Recording | Failure:
        try:
            originals: dict[int, torch.Tensor] = {}
            parameters = substitute_tensors(modules, lambda tensor: _on_meta(tensor, originals))
            image = torch.empty(shape, dtype=_input_dtype(parameters.values()), device="meta")
        except (RuntimeError, NotImplementedError) as error:
            return Failure(error, None, [])
        recorder = Recorder(hold_tensors=True, use_shape_rules=True, before_write=guard.save, locate=locate, originals=originals)
        return recorded_run(model, modules, image, parameters, recorder, devices)

    return borrow(model, record)


def _on_meta(tensor: torch.Tensor, originals: dict[int, torch.Tensor]) -> torch.Tensor:
    """A stand-in without data; for indices and masks, which decide what is read, the original is noted under its identity."""
    if tensor.device.type == "meta":
        return tensor
    stand_in = torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype, device="meta")
    if not tensor.is_floating_point():
        originals[id(stand_in)] = tensor
    return stand_in


def pass_on_fakes(model: nn.Module, shape: tuple[int, ...], locate: bool) -> Recording | Failure:
    """A pass on FakeTensors, which know their device and values of small constants."""
    from torch._subclasses.fake_tensor import FakeTensorMode

    fake = FakeTensorMode(allow_non_fake_inputs=True)
    logger = logging.getLogger("torch._subclasses.fake_tensor")
    is_quiet = logger.disabled

    def record(modules: dict[str, nn.Module], guard: WriteGuard) -> Recording | Failure:
        logger.disabled = True  # a fallback expects the failures that torch would log
        try:
            originals: dict[int, torch.Tensor] = {}
            parameters = substitute_tensors(modules, partial(_faked, fake, originals))
            device = next((p.device for p in parameters.values()), torch.device("cpu"))
            with fake:
                image = torch.zeros(shape, dtype=_input_dtype(parameters.values()), device=device)
        except (RuntimeError, NotImplementedError) as error:
            return Failure(error, None, [])
        recorder = Recorder(hold_tensors=True, use_shape_rules=False, before_write=guard.save, locate=locate, originals=originals)
        return recorded_run(model, modules, image, parameters, recorder, _entered(fake, on_one_device(device)))

    return undone_after(lambda: borrow(model, record), lambda: setattr(logger, "disabled", is_quiet))


def _faked(fake: FakeTensorMode, originals: dict[int, torch.Tensor], tensor: torch.Tensor) -> torch.Tensor:
    """A FakeTensor for a tensor, on a CPU for one without data: what makes meta tensors fail need not make these fail."""
    if not tensor.is_meta:
        stand_in: torch.Tensor = fake.from_tensor(tensor)
        if not tensor.is_floating_point():
            originals[id(stand_in)] = tensor
        return stand_in
    with fake:
        return torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype, device="cpu")


@contextmanager
def _entered(*contexts: AbstractContextManager[Any]) -> Iterator[None]:
    """Several contexts as one."""
    with ExitStack() as stack:
        for context in contexts:
            stack.enter_context(context)
        yield


def _held(module: nn.Module) -> Iterator[torch.Tensor]:
    """The tensors that a module keeps as plain attributes, or in containers among these."""
    for value in vars(module).values():
        for item in value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else (value,):
            if isinstance(item, torch.Tensor):
                yield item


def pass_on_zeros(model: nn.Module, shape: tuple[int, ...], locate: bool) -> Recording | Failure:
    """A pass that computes, on an image of zeros."""

    def record(modules: dict[str, nn.Module], guard: WriteGuard) -> Recording | Failure:
        for tensor in model.buffers():  # batch normalisation in training mode writes without saying so
            guard.save(tensor)
        parameters = dict(model.named_parameters())
        device = next((p.device for p in parameters.values()), torch.device("cpu"))
        switch: Any = torch._C
        switch._set_mkldnn_enabled(False)  # it fuses whole recurrent layers into one kernel, which would hide what they compute
        try:
            image = torch.zeros(shape, dtype=_input_dtype(parameters.values()), device=device)
        except RuntimeError as error:
            return Failure(error, None, [])
        recorder = Recorder(hold_tensors=False, use_shape_rules=False, before_write=guard.save, locate=locate)
        for tensor in (*model.buffers(), *(tensor for module in modules.values() for tensor in _held(module))):
            recorder.add_constant(tensor)
        return recorded_run(model, modules, image, dict(parameters), recorder, _entered(on_one_device(device), Leaving(recorder)))

    return borrow(model, record)


def _input_dtype(parameters: Any) -> torch.dtype:
    return next((p.dtype for p in parameters if p.dtype.is_floating_point), torch.get_default_dtype())
