"""Options that several verbs share, and what they mean."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from rfcheck.errors import InputSizeError
from rfcheck.input_size import AfterBatch, parse_extents

EXIT_CLEAN, EXIT_FINDINGS, EXIT_ERROR, EXIT_NOTHING = 0, 1, 2, 3
"""What a verb leaves with; 1 also stands for a comparison that is worse."""
TIMEOUT = "rfcheck.timeout"
"""Where the context of a verb holds what --timeout says."""


def timeout_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --timeout to a verb, which heeds it by itself."""
    return click.option(
        "--timeout",
        type=click.FloatRange(min=0, min_open=True),
        metavar="SECONDS",
        expose_value=False,
        callback=_note_timeout,
        help="Give up on a model that takes longer to load, build or run.",
    )(command)


def _note_timeout(ctx: click.Context, _option: click.Parameter, seconds: float | None) -> None:
    ctx.meta[TIMEOUT] = seconds


def arguments_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --args to a verb; `rfcheck.cli.model_arguments.model_arguments` reads what it gives."""
    return click.option(
        "--args",
        "arguments",
        multiple=True,
        metavar="NAME=VALUE",
        help="Build models that take an argument of this name with this value, a literal; repeatable.",
    )(command)


def size_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --resolution, --input-size and --channels to a verb."""
    options = (
        click.option("--resolution", metavar="32|32x48", help="Image extent in pixels; one number for all axes."),
        click.option("--input-size", metavar="3,32,48", help="Channels and image extents; one number is no channels."),
        click.option("--channels", type=int, metavar="N", help="Channels of the input.  [default: 3]"),
    )
    for option in reversed(options):
        command = option(command)
    return command


def size_given(resolution: str | None, input_size: str | None, channels: int | None) -> dict[str, Any]:
    """What --resolution, --input-size and --channels say, by the names that a configuration file has for it.

    Raises:
        InputSizeError: if too many are given, or one cannot be read.
    """
    if resolution is not None and input_size is not None:
        raise InputSizeError("give either --resolution or --input-size, not both")
    if resolution is not None:
        extents = parse_extents(resolution, "--resolution")
        return {"resolution": extents[0] if len(extents) == 1 else extents, "channels": channels}
    if input_size is None:
        return {"channels": channels}
    if channels is not None:
        raise InputSizeError("--input-size holds the channels already; leave --channels out")
    return {"input-size": AfterBatch(parse_extents(input_size, "--input-size"))}


def require_size(size: int | tuple[int, ...] | None, target: str | None = None) -> int | tuple[int, ...]:
    """A size that is not missing.

    Args:
        size: of the input.
        target: whose size it is, where there are several.

    Raises:
        InputSizeError: if it is.
    """
    if size is None:
        raise InputSizeError(
            f"the input size {'' if target is None else f'of {target} '}is missing: add --resolution 32, with the extent in pixels "
            "that the model will be fed, or set resolution in the configuration"
        )
    return size
