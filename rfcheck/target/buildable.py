"""A model that can be built, without weights where its constructor allows that."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from torch import nn

from rfcheck.errors import RfcheckError, TargetError
from rfcheck.span import Span, shown_path
from rfcheck.target.building import failure_in_building
from rfcheck.target.origin import ConstructionSites, Origin, origin_of_classes

_NAME = re.compile(r":([\w.]+(?:\(.*\))?)$")


class NoModuleError(TargetError):
    """A function that makes something else than a model."""


@dataclass(frozen=True, slots=True)
class Target:
    """A model that can be built.

    Attributes:
        label: how reports name it: "model.py:Net".
        path: file that defines it; None outside the user's files.
        line: line of the definition; None with path.
        make: builds the model; takes whether tensors are to hold no data.
        sites: takes note of where modules are constructed while the model is built.
        is_instance: whether the name stands for a model, not for something that makes one.
    """

    label: str
    path: str | None
    line: int | None
    make: Callable[[bool], nn.Module]
    sites: ConstructionSites = field(default_factory=ConstructionSites)
    is_instance: bool = False

    @property
    def name(self) -> str:
        """The model alone: "Net(width=64)" of "model.py:Net(width=64)"; the label where that names a file only."""
        found = _NAME.search(self.label)
        return self.label if found is None else found[1]

    def build(self) -> tuple[nn.Module, bool]:
        """The model, on the meta device if its constructor allows that.

        Returns:
            The model, and whether it is on the meta device.

        Raises:
            TargetError: if the constructor fails.
        """
        try:
            return self.make(True), True
        except (RfcheckError, KeyboardInterrupt):
            raise
        except SystemExit as error:
            raise failure_in_building(self.label, error) from error
        except BaseException:  # some constructors compute with their tensors, which only works with data
            return self.build_with_data(), False

    def build_with_data(self) -> nn.Module:
        """The model with real tensors.

        Raises:
            TargetError: if the constructor fails.
        """
        try:
            return self.make(False)
        except (RfcheckError, KeyboardInterrupt):
            raise
        except BaseException as error:  # whatever a constructor raises, it is its own failure and ends nothing else
            raise failure_in_building(self.label, error) from error

    def failing_with(self, error: TargetError) -> Target:
        """The same target, which is known to fail and is not tried again."""

        def fail(_: bool) -> nn.Module:
            raise error

        return replace(self, make=fail)

    def origin(self, model: nn.Module) -> Origin:
        """Where a model that this target built was written, and its modules."""
        modules = self.sites.chains(model)
        in_file = () if self.path is None or self.line is None else (Span(shown_path(self.path), self.line),)
        if in_file and all(modules.values()):
            return Origin(in_file, modules)
        known = origin_of_classes(model)
        return Origin(in_file or known.definition, {path: chain or known.modules[path] for path, chain in modules.items()})


def require_module(label: str, made: Any) -> nn.Module:
    """What a target makes.

    Raises:
        NoModuleError: if it is no module.
    """
    if not isinstance(made, nn.Module):
        raise NoModuleError(f"{label}: makes a {type(made).__name__}, not a torch.nn.Module")
    return made
