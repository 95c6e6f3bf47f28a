"""Models of catalogues, by their names there, without weights."""

from __future__ import annotations

import inspect
import warnings
from typing import Any

from torch import nn

from rfcheck.errors import TargetError
from rfcheck.suggestions import did_you_mean
from rfcheck.target.buildable import Target, require_module
from rfcheck.target.building import building
from rfcheck.target.obvious import Given
from rfcheck.target.spec import TargetSpec


def torchvision_model(spec: TargetSpec, given: Given | None = None) -> Target:
    """A model of torchvision.

    Args:
        spec: the target.
        given: arguments for its builder, and more that is not needed here.

    Raises:
        TargetError: if there is none of that name.
    """
    try:
        from torchvision import models
    except ImportError as error:
        raise TargetError(f"{spec.text}: torchvision cannot be imported: {error}") from error
    _require_listed(spec, spec.attribute or "", models.list_models())
    builder = models.get_model_builder(spec.attribute)
    spec = _with_arguments(spec, given)
    unweighted = [p for p in inspect.signature(builder).parameters if p in ("weights", "weights_backbone")]
    kwargs: dict[str, Any] = {**dict.fromkeys(unweighted), **spec.kwargs}

    def make(on_meta: bool) -> nn.Module:
        with building(spec.text, builder, None, on_meta=on_meta), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "The default weight initialization of", FutureWarning)  # values do not matter here
            return require_module(spec.text, builder(*spec.args, **kwargs))

    return Target(spec.text, None, None, make)


def timm_model(spec: TargetSpec, given: Given | None = None) -> Target:
    """A model of timm, perhaps with a tag of its weights, which are not loaded.

    Args:
        spec: the target.
        given: arguments for its builder, and more that is not needed here.

    Raises:
        TargetError: if timm is not there, or has none of that name.
    """
    try:
        import timm
    except ImportError:
        raise TargetError(f"{spec.text}: timm is not installed; install it with: pip install timm") from None
    architecture, _, tag = (spec.attribute or "").partition(".")
    _require_listed(spec, architecture, timm.list_models())
    if tag:
        _require_listed(spec, spec.attribute or "", timm.list_pretrained(f"{architecture}.*"))

    spec = _with_arguments(spec, given)

    def make(on_meta: bool) -> nn.Module:
        with building(spec.text, timm.create_model, None, on_meta=on_meta):
            return require_module(
                spec.text, timm.create_model(spec.attribute or "", *spec.args, **{"pretrained": False, **spec.kwargs})
            )

    return Target(spec.text, None, None, make)


def _with_arguments(spec: TargetSpec, given: Given | None) -> TargetSpec:
    """The target with the arguments that are given for every model; builders of catalogues pass on any."""
    more = {} if given is None else {name: value for name, value in given.arguments.items() if name not in spec.kwargs}
    return spec.with_arguments(more) if more else spec


def _require_listed(spec: TargetSpec, name: str, names: list[str]) -> None:
    if name not in names:
        hint = did_you_mean(name, names, f"it has {len(names)} models, such as {', '.join(names[:3])}", 3)
        raise TargetError(f"{spec.text}: {spec.place} has no model {name!r}; {hint}")
