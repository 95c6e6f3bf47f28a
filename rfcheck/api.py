"""The public face: `analyze` and `apply_fix`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from torch import nn

from rfcheck.alone import alone, working_on
from rfcheck.analysed import Analysis
from rfcheck.analysis.network import examine
from rfcheck.config import Settings
from rfcheck.errors import TargetError
from rfcheck.graph.lazy import has_lazy, materialized
from rfcheck.graph.wrappers import refuse_flattened
from rfcheck.input_reading import graph_at, read_shape
from rfcheck.input_size import InputSize
from rfcheck.linting.engine import lint
from rfcheck.linting.rule import all_rules
from rfcheck.remedies import require_one_input
from rfcheck.target.origin import Origin, origin_of_classes, uncompiled

if TYPE_CHECKING:
    from rfcheck.fixes.fix import Fix


def analyze(model: nn.Module, input_size: InputSize, *, settings: Settings | Mapping[str, Any] | None = None) -> Analysis:
    """Analyse a model at an input size, without training it, running it on data, or changing it.

    Args:
        model: any module whose forward takes one image tensor; parameters may be on any device, the meta device included.
        input_size: 32, (32, 48), (3, 32, 48) or (1, 3, 32, 48), in pixels; three channels unless given or set otherwise.
        settings: what decides numbers and findings; the defaults if None.

    Returns:
        Receptive fields, border layers, cost and findings.

    Raises:
        InputSizeError: if the input size does not fit the model.
        TraceError: if the forward pass fails at this size; names the layer, the shape, and a size that works.
        SettingsError: on an unknown setting.
        RuleError: if a rule is not valid.
    """
    chosen = Settings.of(settings)
    return analyze_named(model, input_size, chosen, type(model).__name__)


def apply_fix(
    model: nn.Module, fix: Fix | str, input_size: InputSize, *, settings: Settings | Mapping[str, Any] | None = None
) -> nn.Module:
    """A new model with a fix carried out; the given one stays as it is.

    All weights are copied, none are shared. Parameters that survive keep their names, so that checkpoints of the given model load
    into the new one with ``strict=False``; new layers are initialised as torch does it, from torch's random state.

    Args:
        model: the model to change.
        fix: one of `Analysis.fixes`, or the name of one: "crop-kernels", "truncate", "truncate-before", "remove-stem",
            "move-downsampling", "pool-head".
        input_size: as in `analyze`; a fix holds for one input size.
        settings: as in `analyze`.

    Returns:
        The changed model, in the same mode (training or evaluation), on the same device.

    Raises:
        FixError: if there is no such fix, it does not apply to this model, or cannot be carried out; says why.
        InputSizeError: if the input size does not fit the model.
        TraceError: if the forward pass fails at this size.
    """
    from rfcheck.fixes.applying import changed_copy

    if isinstance(fix, str):
        fix = analyze(model, input_size, settings=settings).proposals.named(fix)
    model = uncompiled(model)
    shape = read_shape(model, input_size, Settings.of(settings).channels, fix.shape)
    with working_on(model):
        if has_lazy(model):
            model = materialized(model, shape, next((p.device.type for p in model.parameters()), "cpu"))
        return changed_copy(model, fix, shape)


def _what_was_given(value: object) -> str:
    """What somebody passed in place of a model, and how to get one of it."""
    name = getattr(value, "__name__", "")
    if isinstance(value, type):
        return f"the class {name}; make a model of it first: {name}(...)"
    if callable(value) and name:
        return f"the function {name}; call it first: {name}(...)"
    return f"{type(value).__name__} {value!r}" if isinstance(value, str) else type(value).__name__


def analyze_named(model: nn.Module, input_size: InputSize, settings: Settings, name: str, origin: Origin | None = None) -> Analysis:
    """`analyze`, with the name that messages give the model, and where its parts were written if that is known."""
    if not isinstance(model, nn.Module):
        raise TargetError(f"rfcheck analyses a torch.nn.Module, got {_what_was_given(model)}")
    model = uncompiled(model)
    return alone(model, lambda: _analyze(model, input_size, settings, name, origin))


def _analyze(model: nn.Module, input_size: InputSize, settings: Settings, name: str, origin: Origin | None) -> Analysis:
    rules = all_rules(settings.rule_folders)
    refuse_flattened(model)
    require_one_input(model)
    locate, origin = origin is not None, origin or origin_of_classes(model)
    model, graph = graph_at(model, input_size, settings.channels, origin.modules, locate=locate)
    if settings.flops_by == "fvcore":
        from rfcheck.graph.fvcore_count import recount_with_fvcore

        recount_with_fvcore(graph, model)
    network = examine(graph, settings)
    return Analysis(name, network, tuple(lint(network, rules, settings, name, origin.definition)), model, settings)
