"""``rfcheck sweep TARGET --resolutions 32:512:32``: one analysis per resolution, as a table, as JSON and as a figure."""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rfcheck.cli.analysing import BuiltTarget, print_error
from rfcheck.cli.file_candidates import files
from rfcheck.cli.help import Verb
from rfcheck.cli.model_arguments import load_with
from rfcheck.cli.options import EXIT_CLEAN, EXIT_ERROR, arguments_option, timeout_option
from rfcheck.cli.output_file import require_writable, write_atomically
from rfcheck.cli.plot_file import require_plot_file
from rfcheck.cli.requests import subject_of
from rfcheck.cli.target_candidates import targets as target_candidates
from rfcheck.config import Settings
from rfcheck.errors import RfcheckError, SettingsError, TraceError
from rfcheck.sweeping import ModelSweep, SweepPoint, parse_resolutions

if TYPE_CHECKING:
    from rfcheck.report.result import Failure
    from rfcheck.target.load import Target


@dataclass(frozen=True, slots=True)
class _Request:
    """What is asked for."""

    resolutions: tuple[int, ...]
    settings: Settings
    arguments: Mapping[str, Any]
    format: str
    file: str | None
    plot: str | None
    jobs: int | None
    verbose: bool


@click.command(cls=Verb, short_help="Analyse a model at many resolutions.")
@click.argument("target", metavar="TARGET", shell_complete=target_candidates)
@click.option(
    "--resolutions", required=True, metavar="32:512:32", help="Numbers and ranges START:STOP:STEP in pixels, comma-separated."
)
@click.option("--channels", type=int, metavar="N", help="Channels of the input.  [default: 3]")
@arguments_option
@timeout_option
@click.option(
    "--output-format", type=click.Choice(["full", "json"]), default="full", show_default=True, help="A table, or all numbers."
)
@click.option(
    "--output-file",
    "-o",
    metavar="FILE",
    shell_complete=files,
    help="Write the table or JSON to a file instead of standard output.",
)
@click.option("--plot", metavar="FILE", shell_complete=files, help="Also draw the sweep of one model: .png, .svg or .pdf.")
@click.option("--jobs", type=int, metavar="N", help="Worker processes, 1 for none.  [default: as many as pay]")
@click.option("--verbose", "-v", is_flag=True, help="Print tracebacks of errors.")
def sweep(
    target: str,
    resolutions: str,
    channels: int | None,
    arguments: tuple[str, ...],
    output_format: str,
    output_file: str | None,
    plot: str | None,
    jobs: int | None,
    verbose: bool,
) -> int:
    """Analyse a model at many resolutions.

    The table says at which of them every layer is productive and the last map sees the whole image, and what each costs.
    """
    sizes = parse_resolutions(resolutions)
    subject = subject_of(target, {"channels": channels, "resolution": sizes[0]}, arguments)
    request = _Request(sizes, subject.effective.settings, subject.arguments, output_format, output_file, plot, jobs, verbose)
    _require_possible(request)
    sweeps, failures = _sweep_all(subject.target, request)
    if sweeps:
        _write(sweeps, failures, request)
    return EXIT_ERROR if failures else EXIT_CLEAN


def _require_possible(request: _Request) -> None:
    """Refuse what could not be written, or started, before anything is computed."""
    if request.jobs is not None and request.jobs < 1:
        raise SettingsError(f"--jobs must be at least 1, got {request.jobs}")
    if request.file is not None:
        require_writable(request.file, "--output-file")
    if request.plot is None:
        return
    require_plot_file(request.plot)
    if request.file is not None and Path(request.plot).resolve() == Path(request.file).resolve():
        raise SettingsError(f"--plot and --output-file both name {request.plot}; give two files")


def _sweep_all(text: str, request: _Request) -> tuple[list[ModelSweep], list[Failure]]:
    """Sweep every model of a target; one that fails at every resolution does not keep the others from being reported."""
    from rfcheck.report.result import Failure

    targets = load_with(text, None, request.settings, request.arguments)
    if request.plot is not None and len(targets) > 1:
        names = ", ".join(target.label for target in targets)
        raise SettingsError(f"--plot draws one model, but {text} holds {len(targets)}; give one of {names}")
    sweeps: list[ModelSweep] = []
    failures: list[Failure] = []
    for target in targets:
        try:
            points = _sweep_one(target, request)
            sweeps.append(ModelSweep(target.label, target.path, target.line, request.settings.channels, points))
        except RfcheckError as error:
            message = str(error) if str(error).startswith(target.label) else f"{target.label}: {error}"
            print_error(message, error, verbose=request.verbose)
            failures.append(Failure(target.label, str(error)))
    return sweeps, failures


def _sweep_one(target: Target, request: _Request) -> tuple[SweepPoint, ...]:
    """The points of one model.

    Raises:
        TraceError: if the forward pass fails at every resolution.
    """
    from rfcheck.cli.sweep_workers import sweep_target

    built = BuiltTarget(target, request.settings)
    points = sweep_target(built, target.label, request.resolutions, request.settings, request.jobs)
    if all(point.failure is not None for point in points):
        try:
            built.analyze(points[-1].resolution)  # once more, for the traceback
        except TraceError as error:
            raise TraceError(f"no resolution works; {error}") from error
        raise TraceError(f"no resolution works; {points[-1].failure}")
    return points


def _write(sweeps: list[ModelSweep], failures: list[Failure], request: _Request) -> None:
    """Print or write the report and draw the figure, once both are made."""
    picture = b""
    if request.plot is not None:
        from rfcheck.report.sweep_plot import sweep_picture

        (swept,) = sweeps
        picture = sweep_picture(swept, require_plot_file(request.plot))
    text = io.StringIO()
    _render(sweeps, failures, request, sys.stdout if request.file is None else text)
    if request.file is not None:
        write_atomically(Path(request.file), text.getvalue(), "--output-file")
    if request.plot is not None:
        write_atomically(Path(request.plot), picture, "--plot")


def _render(sweeps: list[ModelSweep], failures: list[Failure], request: _Request, stream: object) -> None:
    if request.format == "json":
        from rfcheck.report.json_v1 import dump
        from rfcheck.report.sweep_json import sweeps_to_dict

        print(dump(sweeps_to_dict(sweeps, failures)), file=stream)  # type: ignore[call-overload]
        return
    from rich.console import Console

    from rfcheck.report.sweep_table import print_sweep

    console = Console(file=stream, highlight=False)  # type: ignore[arg-type]
    for number, swept in enumerate(sweeps):
        if number:
            console.print()
        print_sweep(swept, console)
