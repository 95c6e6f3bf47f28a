"""Turn changed windows into a plan and a prediction: shared by the fixes that keep maps larger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from torch import nn

from rfcheck.errors import FixError
from rfcheck.fixes.arithmetic import NotFollowedError, Poolings, Window, Windows, changed_graph
from rfcheck.fixes.fix import Plan
from rfcheck.fixes.measuring import counts_by_formula, measured, require_same_results
from rfcheck.fixes.outcome import Outcome, outcome_of_graph
from rfcheck.fixes.outer_graph import OuterForwards, outwards
from rfcheck.fixes.parts import IDENTITY, Part, named_apart
from rfcheck.fixes.points import DownsamplingPoint, without_stride
from rfcheck.fixes.steps import Assign, Replace, Step
from rfcheck.fixes.subject import CONVOLUTIONS, Subject, has_more_axes
from rfcheck.fixes.surgery import Bypass


def is_changeable(subject: Subject, point: DownsamplingPoint) -> bool:
    """Whether the strides of a point can be changed: as attributes of modules, or by leaving out calls of poolings."""
    windows = without_stride(subject.graph, point)
    return all(
        _has_own_module(subject, name) or (window is None and is_bypassable(subject, name)) for name, window in windows.items()
    )


_POOLINGS = (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d, nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d)


def _has_own_module(subject: Subject, name: str) -> bool:
    """Whether a node is the one call of a module whose attributes decide."""
    module = subject.modules.get(name)
    gives_indices = getattr(module, "return_indices", False)
    if not isinstance(module, (*CONVOLUTIONS, *_POOLINGS)) or gives_indices:
        return False
    return subject.graph.graph["calls"].get(name) == 1 and not has_more_axes(module, len(subject.network.input_size))


def is_bypassable(subject: Subject, name: str) -> bool:
    """Whether a pooling that has no module of its own is called in a forward that torch.fx can follow."""
    node = subject.graph._node[name]
    caller = _caller(subject, name)
    if node["kind"] != "pool" or (caller and subject.graph.graph["calls"].get(caller) != 1):
        return False
    try:
        subject.outer_graph(caller)
    except FixError:
        return False
    return True


def _caller(subject: Subject, name: str) -> str:
    """The module in whose forward a pooling is called, as a function or as a module."""
    path: str = subject.graph._node[name]["module"]
    return path.rpartition(".")[0] if isinstance(subject.modules[path], _POOLINGS) else path


def plan_for(subject: Subject, windows: Windows, more: tuple[Step, ...] = ()) -> Plan:
    """How to give operators new windows: by changes of modules, then by leaving out calls of poolings.

    Args:
        subject: the model.
        windows: new windows by node name.
        more: further changes of modules.
    """
    steps: list[Step] = []
    bypassed: list[str] = []
    for name, window in windows.items():
        node = subject.graph._node[name]
        if not _has_own_module(subject, name):
            bypassed.append(name)
        elif window is None:
            steps.append(Replace(name, IDENTITY))
        elif window.kernel == node["kernel"]:
            steps.append(Assign(name, "stride", window.stride))
        else:
            steps.append(Replace(name, named_apart("conv", _convolution(subject.modules[name], window), set())))
    return Plan((*steps, *more), _bypass(subject, bypassed) if bypassed else None)


def _bypass(subject: Subject, names: Sequence[str]) -> Bypass:
    """Which calls to leave out, counted as torch.fx sees them."""
    callers = {_caller(subject, name) for name in names}
    opened = tuple(dict.fromkeys(outer for caller in sorted(callers) for outer in outwards(caller)))
    functions: list[int] = []
    modules: dict[str, list[int]] = {}
    seen: Counter[str] = Counter()
    for name, node in subject.graph._node.items():
        path = node["module"]
        is_module = isinstance(subject.modules.get(path), _POOLINGS)
        if node["kind"] != "pool" or "kernel" not in node or not (is_module or path in ("", *opened)):
            continue
        key = path if is_module else ""
        if name in names:
            (modules.setdefault(path, []) if is_module else functions).append(seen[key])
        seen[key] += 1
    by_module = tuple((path, tuple(calls)) for path, calls in modules.items())
    return Bypass(OuterForwards.around(subject.model, opened), tuple(functions), by_module)


def _convolution(conv: nn.Module, window: Window) -> Part:
    """A convolution like another one with a window of its own; what is as torch has it by default is left out."""
    options = {
        "kernel_size": window.kernel,
        "stride": window.stride,
        "padding": window.padding,
        "dilation": conv.dilation,
        "groups": conv.groups,
        "bias": conv.bias is not None,
        "padding_mode": conv.padding_mode,
    }
    usual = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1, "bias": True, "padding_mode": "zeros"}
    plain = {name: _one(value) for name, value in options.items()}
    given = tuple((name, value) for name, value in plain.items() if value != usual.get(name, value is None))
    kind = next(cls for cls in type(conv).__mro__ if cls in CONVOLUTIONS)  # the plain one where the user has a class of its own
    return Part(kind.__name__, (conv.in_channels, conv.out_channels), given)


def _one(value: object) -> object:
    """A number in place of a tuple of equal numbers."""
    return value[0] if isinstance(value, tuple) and len(set(value)) == 1 else value


def _replaces_looked_at(subject: Subject, plan: Plan) -> bool:
    """Whether a convolution is replaced that other code may look at, so that only running the changed model shows what happens."""
    replaced = [step for step in plan.steps if isinstance(step, Replace) and step.part != IDENTITY]
    return any(subject.is_looked_at(step.path) for step in replaced)


def plan_and_outcome(
    subject: Subject, windows: Windows, poolings: Poolings | None = None, more: tuple[Step, ...] = ()
) -> tuple[Plan, Outcome]:
    """How to give operators new windows, and what that does.

    Args:
        subject: the model.
        windows: new windows by node name.
        poolings: max-poolings behind nodes: their strides.
        more: the changes of modules that put the poolings there.

    Raises:
        FixError: if the forward of the changed model fails.
    """
    plan = plan_for(subject, windows, more)
    is_noticed = _replaces_looked_at(subject, plan) or subject.looks_at_sizes
    if counts_by_formula(subject) and plan.surgery is None and not is_noticed:
        try:
            graph = changed_graph(subject.graph, windows, poolings, itemsize=subject.itemsize)
            require_same_results(subject.graph, graph)
            return plan, outcome_of_graph(graph, subject.settings)
        except NotFollowedError:
            pass
    return plan, measured(subject, plan)
