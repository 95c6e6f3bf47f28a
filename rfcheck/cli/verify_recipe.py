"""The options that say how a verification trains and measures, and what they mean."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any

import click
from click.core import ParameterSource

from rfcheck.cli.data_candidates import data_sources
from rfcheck.errors import InputSizeError, SettingsError, VerifyError
from rfcheck.input_size import AfterBatch
from rfcheck.verify.recipe import PRESETS, Recipe, Training

_UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}
_LEAST = {"epochs": 1, "batch_size": 2, "decay_every": 1, "seeds": 1, "canvas": 1, "probe_size": 1}
_WITH_RESUME = {"resume", "verbose", "output_format", "download"}


def recipe_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that decide numbers to a verb."""
    options = (
        click.option(
            "--data",
            metavar="SOURCE",
            default="digits",
            show_default=True,
            shell_complete=data_sources,
            help="Images: digits, folder:PATH, cifar10:PATH, cifar100:PATH, mnist:PATH, fashion-mnist:PATH or module:factory.",
        ),
        click.option("--canvas", type=int, metavar="N", help="Place every image at random on a black square of N pixels."),
        click.option(
            "--preset",
            type=click.Choice(list(PRESETS)),
            default="thesis",
            show_default=True,
            help="How to train: as in a table of the thesis, or quick, for minutes on a CPU.",
        ),
        click.option("--epochs", type=int, metavar="N", help="Passes over the training set.  [default: 60]"),
        click.option("--batch-size", type=int, metavar="N", help="Images per step.  [default: 128]"),
        click.option("--optimizer", type=click.Choice(["adam", "sgd"]), help="What changes the weights.  [default: adam]"),
        click.option("--learning-rate", type=float, metavar="X", help="At the beginning.  [default: 1e-4]"),
        click.option("--momentum", type=float, metavar="X", help="Of sgd.  [default: 0.9]"),
        click.option("--weight-decay", type=float, metavar="X", help="Pull of the weights to zero.  [default: 0]"),
        click.option("--decay-every", type=int, metavar="N", help="Epochs between its reductions.  [default: never]"),
        click.option("--decay-factor", type=float, metavar="X", help="Of a reduction.  [default: 0.1]"),
        click.option("--precision", type=click.Choice(["no", "bf16", "fp16"]), help="Mixed precision.  [default: no]"),
        click.option("--seeds", type=int, default=1, show_default=True, metavar="N", help="How often to train each model."),
        click.option(
            "--probe-size", type=int, default=4, show_default=True, metavar="N", help="Positions per axis that probes read."
        ),
        click.option(
            "--probe-memory",
            default="2G",
            show_default=True,
            metavar="BYTES",
            help="Memory for their features; more are on disk.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def require_alone(ctx: click.Context) -> None:
    """Refuse options beside --resume that would change the run.

    Raises:
        VerifyError: naming them.
    """
    given = [
        parameter
        for parameter in ctx.command.params
        if parameter.name not in _WITH_RESUME and ctx.get_parameter_source(parameter.name or "") == ParameterSource.COMMANDLINE
    ]
    if given:
        names = ", ".join("TARGET" if isinstance(parameter, click.Argument) else parameter.opts[0] for parameter in given)
        raise VerifyError(f"--resume goes on with a run as it began; leave {names} out, or begin a new run without --resume")


def recipe_of(target: str, size: int | tuple[int, ...], channels: int, given: Mapping[str, Any]) -> Recipe:
    """What a command line asks for.

    Args:
        target: model.
        size: of the input, as the configuration has it.
        channels: of the input where the size does not say.
        given: values by the names of the options; None where one is not given.

    Raises:
        SettingsError: if a value is not possible.
        InputSizeError: if the size is not that of an image.
        DataError: if there can be no such data.
    """
    from rfcheck.verify.data.sources import require_possible

    for name, least in _LEAST.items():
        value = given[name]
        if value is not None and value < least:
            raise SettingsError(f"--{name.replace('_', '-')} must be at least {least}, got {value}")
    require_possible(given["data"], download=given["download"])
    fixes = tuple(dict.fromkeys(name.strip() for name in (given["fixes"] or "").split(",") if name.strip()))
    return Recipe(
        target=target,
        input_size=_image_size(size, channels),
        data=given["data"],
        training=_training(given),
        seeds=given["seeds"],
        fixes=fixes,
        canvas=given["canvas"],
        probe_size=given["probe_size"],
        probe_memory=_bytes(given["probe_memory"]),
        heatmaps=tuple(dict.fromkeys(given["heatmaps"])),
    )


def _training(given: Mapping[str, Any]) -> Training:
    """The preset with what is given besides."""
    names = [field.name for field in fields(Training)]
    training = replace(PRESETS[given["preset"]], **{name: given[name] for name in names if given.get(name) is not None})
    _require_in_range(training, "learning_rate", zero=False)
    _require_in_range(training, "decay_factor", zero=False, most=1)
    _require_in_range(training, "momentum", zero=True, most=1)
    _require_in_range(training, "weight_decay", zero=True)
    return training


def _require_in_range(training: Training, name: str, *, zero: bool, most: float = math.inf) -> None:
    value = getattr(training, name)
    if (value > 0 or (zero and value == 0)) and value <= most and math.isfinite(value):
        return
    allowed = "0 or above" if zero else "above 0"
    limit = ", and finite" if math.isinf(most) else f", and at most {most:g}"
    raise SettingsError(f"--{name.replace('_', '-')} must be {allowed}{limit}, got {value:g}")


def _image_size(size: int | tuple[int, ...], channels: int) -> tuple[int, ...]:
    extents = (size, size) if isinstance(size, int) else tuple(size)
    sizes = (channels, *extents) if len(extents) == 2 and not isinstance(size, AfterBatch) else extents
    if len(sizes) != 3:
        shown = "x".join(map(str, extents))
        raise InputSizeError(f"verify trains on images with two axes, got the input size {shown}; give --resolution 32 or 32x48")
    return sizes


def _bytes(text: str) -> int:
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?)i?B?\s*", text, re.IGNORECASE)
    if match is None:
        raise SettingsError(f"--probe-memory must be a number of bytes such as 512M or 4G, got {text!r}")
    return int(float(match[1]) * _UNITS[match[2].upper()])
