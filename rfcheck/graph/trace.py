"""Run a model's forward once without data, and record every operator of it."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import nn

from rfcheck.errors import TraceError
from rfcheck.graph.borrow import WriteGuard, borrow, substitute_tensors
from rfcheck.graph.leaving import Leaving
from rfcheck.graph.made_in_forward import name_made_layers
from rfcheck.graph.operators import Convolution, Window, meaning_of
from rfcheck.graph.recorder import Recorder
from rfcheck.graph.records import ModuleCall, Recording
from rfcheck.graph.scripted import is_scripted, whole_operators
from rfcheck.graph.wrappers import is_sharded
from rfcheck.input_size import crossed
from rfcheck.process_end import left_with
from rfcheck.target.devices import device_remedy, is_about_devices, on_one_device
from rfcheck.target.program import Program
from rfcheck.undoing import undone_after

if TYPE_CHECKING:
    from torch._subclasses.fake_tensor import FakeTensorMode

TracedWith = Literal["meta", "fake", "real"]


@dataclass(frozen=True, slots=True)
class Trace:
    """A recorded forward pass.

    Attributes:
        recording: what happened.
        shape: shape of the input, (N, C, *image axes).
        traced_with: "meta" (no data at all), "fake" (torch's FakeTensor) or "real" (a forward pass on zeros).
        parameters: elements of each parameter of the model, by name.
    """

    recording: Recording
    shape: tuple[int, ...]
    traced_with: TracedWith
    parameters: dict[str, int]


@dataclass(slots=True)
class _Failure:
    """A forward pass that raised."""

    error: BaseException
    call: ModuleCall | None
    shapes: list[tuple[int, ...]]

    def same_as(self, other: _Failure) -> bool:
        """Whether two ways of tracing failed in the same way, so that it is the model that fails and not the way."""
        if isinstance(self.error, NotImplementedError):
            return False
        here, there = self.call.path if self.call else None, other.call.path if other.call else None
        return here == there and type(self.error) is type(other.error) and str(self.error) == str(other.error)


def trace(model: nn.Module, shape: tuple[int, ...], *, locate: bool = False) -> Trace:
    """Record one forward pass in eval mode; on meta tensors if possible, else on FakeTensors, else really, on zeros.

    Args:
        model: left exactly as it was, also when this raises.
        shape: of the input, (1, C, *image axes).
        locate: whether to take note of the lines of the user's code that call functions.

    Raises:
        TraceError: if the forward pass fails; names the layer, the shapes and what the model said.
    """
    named = dict(model.named_parameters())
    _refuse_lazy(named)
    parameters = {name: parameter.numel() for name, parameter in named.items()}
    failures: list[_Failure] = []
    holds_data = not any(parameter.is_meta for parameter in named.values())
    for traced_with in _ways(model):
        if traced_with == "real" and not holds_data:
            raise _needs_data(failures[0] if failures else _Failure(RuntimeError("TorchScript runs on data only"), None, []), shape)
        result = _WAYS[traced_with](model, shape, locate)
        if isinstance(result, Recording):
            if result.lacks_values and traced_with == "meta" and not isinstance(model, Program):
                better = _trace_fake(model, shape, locate)
                if isinstance(better, Recording) and not better.lacks_values:
                    result, traced_with = better, "fake"
            made = {name: parameter.numel() for name, parameter in result.made.items()}
            return Trace(result, shape, traced_with, {**parameters, **made, **result.packed})
        failures.append(result)
        if not isinstance(result.error, Exception) or (len(failures) == 2 and failures[0].same_as(failures[1])):
            break
    raise _error_of(failures[-1], shape)


def can_trace(model: nn.Module, shape: tuple[int, ...]) -> bool:
    """Whether the forward pass succeeds at this input shape, on meta tensors if these are among the ways to trace the model."""
    return results_at(model, shape) is not None


def trace_on_meta(model: nn.Module, shape: tuple[int, ...]) -> Trace | None:
    """A forward pass on meta tensors and in no other way; None where that fails."""
    result = _trace_meta(model, shape, locate=False)
    parameters = {name: parameter.numel() for name, parameter in model.named_parameters()}
    return Trace(result, shape, "meta", parameters) if isinstance(result, Recording) else None


def results_at(model: nn.Module, shape: tuple[int, ...]) -> tuple[tuple[int, ...], ...] | None:
    """Shapes of the tensors that a forward pass returns, on meta tensors if possible; None if it fails."""
    if any(map(torch.nn.parameter.is_lazy, model.parameters())):
        return None
    recording = _WAYS[_ways(model)[0]](model, shape, False)
    if isinstance(recording, _Failure):
        return None
    shapes = {out.value: tuple(out.shape) for record in recording.records for out in record.outputs}
    return tuple(shapes[value] for value in recording.output_values if value in shapes)


def _ways(model: nn.Module) -> tuple[TracedWith, ...]:
    """How a model can be traced, in the order in which to try."""
    if is_scripted(model.modules()):
        return ("real",)  # TorchScript keeps parameters where nothing else can stand in for them
    if isinstance(model, Program) or any(map(is_sharded, model.parameters())):
        return ("meta",)  # there is no data, or none that one process has; FakeTensors know no more
    return ("meta", "fake", "real")


def _refuse_lazy(parameters: Mapping[str, nn.Parameter]) -> None:
    for name, parameter in parameters.items():
        if torch.nn.parameter.is_lazy(parameter):
            layer = name.rpartition(".")[0]
            raise TraceError(
                f"{layer}: the module is lazy, and the forward pass gives it no shapes since it does not call it; remove it"
            )


def _trace_meta(model: nn.Module, shape: tuple[int, ...], locate: bool) -> Recording | _Failure:
    """A pass on meta tensors, once more where it may have failed only because it asks for a device."""
    result = _pass_on_meta(model, shape, locate, nullcontext())
    if isinstance(result, _Failure) and is_about_devices(result.error):
        return _pass_on_meta(model, shape, locate, on_one_device(torch.device("meta")))
    return result


def _pass_on_meta(
    model: nn.Module, shape: tuple[int, ...], locate: bool, devices: AbstractContextManager[None]
) -> Recording | _Failure:
    def record(modules: dict[str, nn.Module], guard: WriteGuard) -> Recording | _Failure:
        try:
            originals: dict[int, torch.Tensor] = {}
            parameters = substitute_tensors(modules, lambda tensor: _on_meta(tensor, originals))
            image = torch.empty(shape, dtype=_input_dtype(parameters.values()), device="meta")
        except (RuntimeError, NotImplementedError) as error:
            return _Failure(error, None, [])
        recorder = Recorder(hold_tensors=True, use_shape_rules=True, before_write=guard.save, locate=locate, originals=originals)
        return _run(model, modules, image, parameters, recorder, devices)

    return borrow(model, record)


def _on_meta(tensor: torch.Tensor, originals: dict[int, torch.Tensor]) -> torch.Tensor:
    """A stand-in without data; for indices and masks, which decide what is read, the original is noted under its identity."""
    if tensor.device.type == "meta":
        return tensor
    stand_in = torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype, device="meta")
    if not tensor.is_floating_point():
        originals[id(stand_in)] = tensor
    return stand_in


def _trace_fake(model: nn.Module, shape: tuple[int, ...], locate: bool) -> Recording | _Failure:
    from torch._subclasses.fake_tensor import FakeTensorMode

    fake = FakeTensorMode(allow_non_fake_inputs=True)
    logger = logging.getLogger("torch._subclasses.fake_tensor")
    is_quiet = logger.disabled

    def record(modules: dict[str, nn.Module], guard: WriteGuard) -> Recording | _Failure:
        logger.disabled = True  # a fallback expects the failures that torch would log
        try:
            originals: dict[int, torch.Tensor] = {}
            parameters = substitute_tensors(modules, partial(_faked, fake, originals))
            device = next((p.device for p in parameters.values()), torch.device("cpu"))
            with fake:
                image = torch.zeros(shape, dtype=_input_dtype(parameters.values()), device=device)
        except (RuntimeError, NotImplementedError) as error:
            return _Failure(error, None, [])
        recorder = Recorder(hold_tensors=True, use_shape_rules=False, before_write=guard.save, locate=locate, originals=originals)
        return _run(model, modules, image, parameters, recorder, _entered(fake, on_one_device(device)))

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


def _trace_real(model: nn.Module, shape: tuple[int, ...], locate: bool) -> Recording | _Failure:
    def record(modules: dict[str, nn.Module], guard: WriteGuard) -> Recording | _Failure:
        for tensor in model.buffers():  # batch normalisation in training mode writes without saying so
            guard.save(tensor)
        parameters = dict(model.named_parameters())
        device = next((p.device for p in parameters.values()), torch.device("cpu"))
        switch: Any = torch._C
        switch._set_mkldnn_enabled(False)  # it fuses whole recurrent layers into one kernel, which would hide what they compute
        try:
            image = torch.zeros(shape, dtype=_input_dtype(parameters.values()), device=device)
        except RuntimeError as error:
            return _Failure(error, None, [])
        recorder = Recorder(hold_tensors=False, use_shape_rules=False, before_write=guard.save, locate=locate)
        for tensor in (*model.buffers(), *(tensor for module in modules.values() for tensor in _held(module))):
            recorder.add_constant(tensor)
        return _run(model, modules, image, dict(parameters), recorder, _entered(on_one_device(device), Leaving(recorder)))

    return borrow(model, record)


_WAYS: dict[TracedWith, Callable[[nn.Module, tuple[int, ...], bool], Recording | _Failure]]
_WAYS = {
    "meta": _trace_meta,
    "fake": _trace_fake,
    "real": _trace_real,
}


def _input_dtype(parameters: Any) -> torch.dtype:
    return next((p.dtype for p in parameters if p.dtype.is_floating_point), torch.get_default_dtype())


def _run(
    model: nn.Module,
    modules: dict[str, nn.Module],
    image: torch.Tensor,
    parameters: dict[str, torch.Tensor],
    recorder: Recorder,
    outer_mode: AbstractContextManager[Any],
) -> Recording | _Failure:
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
        return _Failure(error, recorder.failed_call, recorder.failed_shapes)
    recording = recorder.recording
    name_made_layers(recording, model)
    for record in recording.records:
        given = record.tensors[0].shape if record.tensors else ()
        if 0 in record.outputs[0].shape and 0 not in given and isinstance(meaning_of(record.func), (Convolution, Window)):
            # kernels without data may let pass what real ones refuse; no boxes, in a detector, are no such failure
            too_small = RuntimeError("the kernel is larger than the map that it is applied to")
            return _Failure(too_small, record.call, [given])
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


def tensors_in(result: Any) -> Iterator[torch.Tensor]:
    """Every tensor in what a model returned: tensors, sequences, dicts, dataclasses, and objects that hold them."""
    if isinstance(result, torch.Tensor):
        yield result
    elif isinstance(result, dict):
        for value in result.values():
            yield from tensors_in(value)
    elif isinstance(result, (list, tuple, set)):
        for value in result:
            yield from tensors_in(value)
    elif dataclasses.is_dataclass(result) and not isinstance(result, type):
        for field in dataclasses.fields(result):
            yield from tensors_in(getattr(result, field.name))
    elif hasattr(result, "__dict__") and not isinstance(result, (type, nn.Module)):
        for value in vars(result).values():
            if isinstance(value, (torch.Tensor, list, tuple, dict)):
                yield from tensors_in(value)


def _needs_data(failure: _Failure, shape: tuple[int, ...]) -> TraceError:
    remedy = "the model was built on the meta device: build it with data, so that the forward can be run"
    error = _error_of(failure, shape).with_remedy(remedy)
    error.needs_data = True
    return error


def _error_of(failure: _Failure, shape: tuple[int, ...]) -> TraceError:
    error = TraceError(_sentence(failure, crossed(shape[1:])))
    error.__cause__ = failure.error
    error.layer = failure.call.path if failure.call is not None else None
    error.received = failure.shapes[0] if failure.shapes else None
    return error


def _sentence(failure: _Failure, size: str) -> str:
    if not isinstance(failure.error, Exception):
        return f"the forward pass left with {left_with(failure.error)}; a forward pass returns a tensor, whatever it finds"
    said = " ".join(str(failure.error).split()).rstrip(".") or type(failure.error).__name__
    if len(said) > 300:
        said = said[:297] + "..."
    if "NestedTensor" in said:
        said = "a nested tensor cannot be followed; use a padded one with a mask (torch.nested.to_padded_tensor)"
    where = "the model"
    if failure.call is not None and failure.call.path:
        where = f"layer {failure.call.path} ({failure.call.type})"
    received = f", which received a tensor of shape {crossed(failure.shapes[0])}" if failure.shapes and failure.shapes[0] else ""
    what = f"{type(failure.error).__name__}: {said}{device_remedy(failure.error)}"
    return f"the forward pass fails at input {size} in {where}{received}: {what}"
