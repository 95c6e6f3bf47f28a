"""Run the code that builds a model, and say what went wrong where."""

from __future__ import annotations

import contextlib
import inspect
import linecache
import re
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import torch

from rfcheck.errors import RfcheckError, TargetError
from rfcheck.frames import is_users_file
from rfcheck.process_end import left_with
from rfcheck.span import shown_path
from rfcheck.target.devices import device_remedy, on_one_device
from rfcheck.target.obvious import example_value
from rfcheck.target.offline import WITHOUT_WEIGHTS, Refusals, offline, why_refused
from rfcheck.target.origin import ConstructionSites
from rfcheck.target.source import quiet_output

_LONGEST = 100
"""Characters of a line of code that a message shows."""

_MOST_SAID = 300
"""Characters of what an error says that a message shows."""

_MISSING = re.compile(r"missing \d+ required (?:positional|keyword-only) arguments?: (.+)")
"""What Python says of a call that lacks arguments."""


@contextlib.contextmanager
def building(label: str, factory: Callable[..., Any] | None, sites: ConstructionSites | None, *, on_meta: bool) -> Iterator[None]:
    """The surroundings of code that builds a model: quiet, without network, and on one device.

    Args:
        label: name of the target.
        factory: what is called; the remedy of a message is taken from its arguments. None where code only runs.
        sites: takes note of where modules are constructed; None where nothing of that is the user's code.
        on_meta: whether tensors are to hold no data.

    Raises:
        TargetError: if the code tries to open a network connection, and fails without.
    """
    device = torch.device("meta") if on_meta else contextlib.nullcontext()
    noting = contextlib.nullcontext() if sites is None else sites.recording()
    refusals = Refusals()
    with quiet_output(), noting, offline(refusals), device, on_one_device():
        try:
            yield
        except (RfcheckError, KeyboardInterrupt):
            raise
        except BaseException as error:
            if not refusals.hosts and not refusals.skipped_weights:
                raise
            raise TargetError(f"{label}: {_why_refused(error, refusals)}; {_without_weights(label, factory)}") from error


def _why_refused(error: BaseException, refusals: Refusals) -> str:
    if refusals.hosts:
        return f"building the model {why_refused(refusals)}{place_of(error)}"
    return f"building the model needs weights, and rfcheck never downloads: {_said(error)}{place_of(error)}"


def _without_weights(label: str, factory: Callable[..., Any] | None) -> str:
    """How to ask for a model without weights, by arguments that there are."""
    try:
        names = list(inspect.signature(factory).parameters) if factory is not None else []
    except (TypeError, ValueError):
        names = []
    chosen = [f"{name}=False" for name in names if "pretrain" in name]
    chosen += [f"{name}=None" for name in names if "weights" in name and "pretrain" not in name]
    if not chosen:
        return WITHOUT_WEIGHTS
    place = label if label.rpartition(":")[2].isidentifier() else f"{label.partition('(')[0]}"
    return f"pass {', '.join(chosen)}, as in '{place}({', '.join(chosen)})'"


def failure_in_building(label: str, error: BaseException) -> TargetError:
    """What went wrong while a model was built: line of the user's code, its text, and the error; one sentence."""
    if isinstance(error, SystemExit):
        left, comma, others = left_with(error).partition(", as ")
        called = f"calling it left with {left}{place_of(error)}{comma}{others.replace('sys.exit does', 'sys.exit and argparse do')}"
        return TargetError(f"{label}: {called}; a model is built without leaving the program")
    remedy = device_remedy(error) or _arguments_passed_on(error)
    if isinstance(error, FileNotFoundError) and error.filename is not None:
        remedy = "; weights are not needed: build the model without reading a file, or give the path from the current folder"
    return TargetError(f"{label}: building the model fails: {_said(error)}{place_of(error)}{remedy}")


def _arguments_passed_on(error: BaseException) -> str:
    """How to give the arguments that a function passes on by ``**`` and does not name itself; empty where that is not the cause."""
    missing = _MISSING.search(str(error)) if isinstance(error, TypeError) else None
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    if missing is None or not frames or not frames[-1].f_code.co_flags & inspect.CO_VARKEYWORDS:
        return ""
    names = re.findall(r"'(\w+)'", missing[1])
    return f"; give {'it' if len(names) == 1 else 'them'} with --args {','.join(f'{name}={example_value(name)}' for name in names)}"


def _said(error: BaseException) -> str:
    said = " ".join(str(error).split())
    said = said if len(said) <= _MOST_SAID else f"{said[: _MOST_SAID - 3]}..."
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def place_of(error: BaseException) -> str:
    """The line of the user's own code that an error went through last, with its text; empty if it did not."""
    for frame, line in reversed(list(traceback.walk_tb(error.__traceback__))):
        file = frame.f_code.co_filename
        if is_users_file(file):
            text = linecache.getline(file, line).strip()
            shown = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
            return f" ({shown_path(file)}:{line}{': ' if shown else ''}{shown})"
    return ""
