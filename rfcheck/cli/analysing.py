"""Analyse one target from the command line, at one size or at many, and say what went wrong."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from rfcheck.config import Settings
from rfcheck.errors import RfcheckError, TargetError, TraceError
from rfcheck.patience import attended
from rfcheck.printable import printable, printable_lines
from rfcheck.process_end import left_with

if TYPE_CHECKING:
    from rfcheck.analysed import Analysis
    from rfcheck.target.load import Target


_T = TypeVar("_T")


class BuiltTarget:
    """A target's model, built once and analysed at any number of sizes.

    Where a forward pass needs data that a model built without data does not have, the model is built again with data, and kept.

    Args:
        target: whose model to build.
        settings: of every analysis.
        with_data: whether to build the model with data at once.

    Raises:
        TargetError: if the constructor fails.
    """

    def __init__(self, target: Target, settings: Settings, *, with_data: bool = False) -> None:
        self._target = target
        self._settings = settings
        self._model, self._on_meta = attended(
            "building", target.label, lambda: (target.build_with_data(), False) if with_data else target.build()
        )
        self._origin = target.origin(self._model)
        self._name = target.name
        if self._on_meta and settings.flops_by == "fvcore":
            self._build_with_data()

    def analyze(self, size: int | tuple[int, ...]) -> Analysis:
        """Analyse the model at one size.

        Raises:
            RfcheckError: whatever `rfcheck.analyze` raises.
        """
        from rfcheck.api import analyze_named
        from rfcheck.target.source import quiet_output

        try:
            with quiet_output():
                return attended(
                    "running the forward of",
                    self._target.label,
                    lambda: analyze_named(self._model, size, self._settings, self._name, self._origin),
                )
        except TraceError as error:
            if not self._on_meta or not error.needs_data:
                raise
            self._build_with_data()
            return self.analyze(size)

    def _build_with_data(self) -> None:
        self._model, self._on_meta = attended("building", self._target.label, self._target.build_with_data), False
        self._origin = self._target.origin(self._model)


def contained(label: str, work: Callable[[], _T]) -> _T:
    """Run work on a target, whose own code may fail where nothing expects it: in a method of nn.Module that it has replaced.

    Args:
        label: name of the target.
        work: what is done with it.

    Raises:
        TargetError: if the target's code raises what nothing else handles; says where.
    """
    try:
        return work()
    except (RfcheckError, KeyboardInterrupt):
        raise
    except BaseException as error:
        from rfcheck.target.building import place_of
        from rfcheck.target.isolation import came_through_imports

        if isinstance(error, Exception) and not came_through_imports(error):
            raise
        raise TargetError(f"{label}: its code left with {left_with(error)}{place_of(error)}") from error


def analyze_target(target: Target, size: int | tuple[int, ...], settings: Settings) -> Analysis:
    """Analyse one target at one size."""
    return BuiltTarget(target, settings).analyze(size)


def print_error(message: str, error: BaseException, *, verbose: bool) -> None:
    """One line on standard error; with the traceback if it is asked for."""
    print(f"error: {printable(message)}", file=sys.stderr)  # goes through a progress bar, which what click prints does not
    if verbose:
        print(printable_lines("".join(traceback.format_exception(error))), end="", file=sys.stderr)
