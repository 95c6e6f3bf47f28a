"""Which models a run trains, and what is measured of each."""

from __future__ import annotations

import contextlib
import copy
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rfcheck.errors import VerifyError
from rfcheck.input_size import AfterBatch
from rfcheck.verify.modes import evaluating
from rfcheck.verify.records import Variant

if TYPE_CHECKING:
    from torch import Tensor, nn

    from rfcheck.analysed import Analysis
    from rfcheck.config import Settings
    from rfcheck.target.load import Target
    from rfcheck.target.obvious import Given
    from rfcheck.verify.recipe import Recipe
    from rfcheck.verify.verdict.flow import Flow

ORIGINAL = "original"
"""Name of the variant without a fix."""

_DESCRIBING = ("op", "kernel", "stride", "dilation", "padding", "groups", "shape", "params")
"""What tells one operator of the graph from another."""


@dataclass(frozen=True, slots=True)
class PlannedModel:
    """A model that is trained.

    Attributes:
        variant: what it is, and what is measured of it.
        build: makes it anew, with initial weights from torch's random state.
    """

    variant: Variant
    build: Callable[[], nn.Module]


@dataclass(frozen=True, slots=True)
class Plan:
    """All models of a run.

    Attributes:
        name: of the original in reports.
        models: the original first.
        flow: which measured layer of the original reads from which.
        architecture: SHA-256 of what the original computes, as hexadecimal digits.
    """

    name: str
    models: tuple[PlannedModel, ...]
    flow: Flow
    architecture: str


def plan_run(recipe: Recipe, settings: Settings) -> Plan:
    """Analyse the original and every changed model.

    Raises:
        TargetError: if the target holds no model, or several.
        TraceError: if the forward pass fails.
        FixError: if a fix does not apply.
        VerifyError: if the model cannot be trained.
    """
    from rfcheck.target.obvious import Given
    from rfcheck.verify.verdict.flow import flow_of

    given = Given.of(recipe.input_size, settings)
    target = one_target(recipe.target, given)
    name = target.name

    def build() -> nn.Module:
        return _fresh_model(recipe.target, given)

    original = build()
    _require_trainable(original, target.label)
    analysis = _analysis(original, recipe, settings, name, target)
    models = [PlannedModel(_variant(ORIGINAL, "", analysis), build)]
    for fix in recipe.fixes:
        models.append(_changed(analysis, fix, build, recipe, settings))
    flow = flow_of(analysis.graph, [layer.name for layer in models[0].variant.layers])
    return Plan(name, tuple(models), flow, _digest(analysis))


def one_target(text: str, given: Given) -> Target:
    """The model to train.

    Args:
        text: the target.
        given: what is known about its arguments.

    Raises:
        TargetError: if there is none.
        VerifyError: if there are several.
    """
    from rfcheck.target.load import load_targets

    targets = load_targets(text, given=given)
    if len(targets) > 1:
        names = ", ".join(target.label for target in targets)
        raise VerifyError(f"{text} holds several models; verify trains one of them: {names}")
    return targets[0]


def _fresh_model(text: str, given: Given) -> nn.Module:
    """The target's model with new weights: its file runs again, and what exists already is copied and initialised anew."""
    target = one_target(text, given)
    model = target.build_with_data()
    if target.is_instance:
        model = copy.deepcopy(model)
        for module in model.modules():
            reset = getattr(module, "reset_parameters", None)
            if callable(reset):
                reset()
    return model


def _require_trainable(model: nn.Module, label: str) -> None:
    parameters = list(model.parameters())
    if any(parameter.is_meta for parameter in parameters):
        raise VerifyError(f"{label}: describes a model without its weights, which cannot be trained; give the code that builds it")
    if not any(parameter.requires_grad for parameter in parameters):
        raise VerifyError(f"{label}: has no parameter that is trained; set requires_grad on those that are to be")


def _analysis(model: nn.Module, recipe: Recipe, settings: Settings, name: str, target: Target | None = None) -> Analysis:
    from rfcheck.api import analyze_named

    return analyze_named(model, AfterBatch(recipe.input_size), settings, name, None if target is None else target.origin(model))


def _changed(analysis: Analysis, fix_name: str, build: Callable[[], nn.Module], recipe: Recipe, settings: Settings) -> PlannedModel:
    from rfcheck.fixes.applying import changed_copy

    fix = analysis.proposals.named(fix_name)

    def build_changed() -> nn.Module:
        return changed_copy(build(), fix, (1, *recipe.input_size))

    changed = _analysis(build_changed(), recipe, settings, f"{analysis.name} with {fix.name}")
    return PlannedModel(_variant(fix.name, fix.description, changed), build_changed)


def _variant(name: str, description: str, analysis: Analysis) -> Variant:
    candidates = [layer for layer in analysis.layers if layer.kind in ("conv", "linear", "recurrent") and layer.role != "gate"]
    seen = _observed(analysis.model, (analysis.network.channels, *analysis.input_size))
    return Variant(
        name=name,
        description=description,
        layers=tuple(layer for layer in candidates if layer.name in seen),
        border=None if analysis.border_min is None else analysis.border_min.name,
        findings=analysis.findings,
        flops=analysis.flops,
        params=analysis.params,
        unmeasured=tuple(layer.name for layer in candidates if layer.name not in seen and not _is_part(layer.name, seen)),
    )


def _is_part(name: str, seen: frozenset[str]) -> bool:
    """Whether a call is a step of a module that is measured as a whole, as the products within an LSTM are."""
    module, _, step = name.rpartition("/")
    return bool(step) and module in seen


def _observed(model: nn.Module, shape: tuple[int, ...]) -> frozenset[str]:
    """The layers whose outputs can be observed in a forward pass, and told apart by image; the model is left in its modes."""
    import torch

    from rfcheck.verify.observing import Observer
    from rfcheck.verify.probes.pooling import pooled

    seen: set[str] = set()
    images = 2

    def receive(name: str, module: nn.Module, output: Tensor) -> None:
        with contextlib.suppress(VerifyError):
            pooled(name, module, output, images, size=1)
            seen.add(name)

    parameter = next(model.parameters())
    with evaluating(model), torch.no_grad(), Observer(model, receive):
        model(torch.zeros((images, *shape), device=parameter.device, dtype=parameter.dtype))
    return frozenset(seen)


def _digest(analysis: Analysis) -> str:
    """What the model computes, without its weights: its operators and connections, and its modules as they print."""
    graph = analysis.graph
    operators = [(name, *(node.get(key) for key in _DESCRIBING)) for name, node in graph.nodes(data=True)]
    modules = re.sub(r"0x[0-9a-fA-F]+", "", repr(analysis.model))  # addresses in memory
    return hashlib.sha256(repr((operators, list(graph.edges), modules)).encode()).hexdigest()
