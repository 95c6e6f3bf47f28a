"""Run a forward under a recorder that knows which module is running."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import nn

from rfcheck.graph.failing import Failure
from rfcheck.graph.made_in_forward import name_made_layers
from rfcheck.graph.operators import Convolution, Window, meaning_of
from rfcheck.graph.recorder import Recorder
from rfcheck.graph.records import ModuleCall, Recording
from rfcheck.graph.returned import tensors_in
from rfcheck.graph.scripted import name_scripted_layers, whole_operators


def recorded_run(
    model: nn.Module,
    modules: dict[str, nn.Module],
    image: torch.Tensor,
    parameters: dict[str, torch.Tensor],
    recorder: Recorder,
    outer_mode: AbstractContextManager[Any],
) -> Recording | Failure:
    """Record the forward of a model that is borrowed.

    Args:
        model: to be run.
        modules: of the model, by dotted name; they tell the recorder when they begin and end.
        image: what to run it on.
        parameters: what stands for them, by dotted name.
        recorder: to note everything in.
        outer_mode: what else to enter.

    Returns:
        What was recorded, or how the forward failed.
    """
    recorder.add_input(image)
    for name, parameter in parameters.items():
        recorder.add_parameter(parameter, name)
    for path, module in modules.items():
        if not isinstance(module, torch.jit.ScriptModule):
            module.__dict__["forward"] = _announced(module, path, recorder)
    try:
        with outer_mode, whole_operators(modules.values()), recorder:
            result = model(image)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # also what is meant to end the program: it is the model's own failure and ends nothing else
        return Failure(error, recorder.failed_call, recorder.failed_shapes)
    recording = recorder.recording
    name_made_layers(recording, model)
    name_scripted_layers(recording, model)
    for record in recording.records:
        given = record.tensors[0].shape if record.tensors else ()
        if 0 in record.outputs[0].shape and 0 not in given and isinstance(meaning_of(record.func), (Convolution, Window)):
            # kernels without data may let pass what real ones refuse; no boxes, in a detector, are no such failure
            too_small = RuntimeError("the kernel is larger than the map that it is applied to")
            return Failure(too_small, record.call, [given])
    outputs = [recorder.value_of(tensor) for tensor in tensors_in(result)]
    recording.output_values = [value for value in outputs if value is not None]
    return recording


def _announced(module: nn.Module, path: str, recorder: Recorder) -> Callable[..., Any]:
    """The module's forward, telling the recorder when it begins and ends."""
    forward = _whole(module.forward) if isinstance(module, nn.RNNBase) else module.forward
    kind = type(module).__name__
    home = type(module).__module__
    is_leaf = not set(module._modules) - {"parametrizations"} or home.startswith("torch.ao.nn.")
    from_torch = home.startswith("torch.nn.modules.")
    calls = recorder.recording.calls
    repeat = 0

    def announced(*args: Any, **kwargs: Any) -> Any:
        nonlocal repeat
        repeat += 1
        calls[path] = repeat
        outer = recorder.current
        recorder.current = call = ModuleCall(path, kind, repeat, is_leaf, from_torch)
        try:
            return forward(*args, **kwargs)
        except Exception:
            if recorder.failed_call is None:
                recorder.failed_call = call
                received = [tuple(a.shape) for a in args if isinstance(a, torch.Tensor)]
                recorder.failed_shapes = received or recorder.failed_shapes
            raise
        finally:
            recorder.current = outer

    return announced


def _whole(forward: Callable[..., Any]) -> Callable[..., Any]:
    """The forward of a recurrent layer, kept from being taken apart into steps, as torch does where gradients may be wanted."""

    def undivided(*args: Any, **kwargs: Any) -> Any:
        below_gradients: Any = torch._C._AutoDispatchBelowAutograd
        with below_gradients():
            return forward(*args, **kwargs)

    return undivided
