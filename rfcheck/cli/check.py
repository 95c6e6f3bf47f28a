"""``rfcheck TARGET... --resolution 32``: analyse models and report what was found."""

from __future__ import annotations

import io
import os
import sys
import tempfile
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rfcheck.config import Settings
from rfcheck.errors import InputSizeError, NothingToAnalyzeError, RfcheckError, SettingsError, TraceError
from rfcheck.input_size import parse_extents

if TYPE_CHECKING:
    from rfcheck.api import Analysis
    from rfcheck.report.result import Failure, Result, Run
    from rfcheck.target.load import Target

EXIT_CLEAN, EXIT_FINDINGS, EXIT_ERROR, EXIT_NOTHING = 0, 1, 2, 3


@dataclass(frozen=True, slots=True)
class _Output:
    """How and where to report."""

    format: str
    file: str | None
    layers: bool
    explain: str | None
    quiet: bool


@click.command()
@click.argument("targets", nargs=-1, required=True, metavar="TARGET...")
@click.option("--resolution", metavar="32|32x48", help="Image extent in pixels; one number for all axes.")
@click.option("--input-size", metavar="3,32,48", help="Channels and image extents, instead of --resolution.")
@click.option("--channels", type=int, metavar="N", help="Channels of the input.  [default: 3]")
@click.option(
    "--output-format", type=click.Choice(["full", "concise", "json"]), default="full", show_default=True, help="How to report."
)
@click.option("--output-file", "-o", metavar="FILE", help="Write the report to a file instead of standard output.")
@click.option("--select", metavar="CODES", help="Rules to run, by prefix, comma-separated: RF1,RF301.")
@click.option("--ignore", metavar="CODES", help="Rules to leave out, by prefix; the longer prefix wins over --select.")
@click.option("--rules", "rule_folders", multiple=True, metavar="FOLDER", help="A folder with further rules; may be repeated.")
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning", "info", "never"]),
    default="warning",
    show_default=True,
    help="Mildest severity that makes the exit code 1.",
)
@click.option("--exit-zero", is_flag=True, help="Exit with 0 even if there are findings.")
@click.option("--layers", is_flag=True, help="Also print the table of all layers.")
@click.option("--explain", metavar="LAYER", help="Also print the paths that give this layer its receptive field.")
@click.option(
    "--flops-by", type=click.Choice(["torch", "fvcore"]), default="torch", show_default=True, help="Whose formulas count FLOPs."
)
@click.option("--quiet", "-q", is_flag=True, help="Print findings only, no descriptions and no summary.")
@click.option("--verbose", "-v", is_flag=True, help="Print tracebacks of errors.")
def check(
    targets: tuple[str, ...],
    resolution: str | None,
    input_size: str | None,
    channels: int | None,
    output_format: str,
    output_file: str | None,
    select: str | None,
    ignore: str | None,
    rule_folders: tuple[str, ...],
    fail_on: str,
    exit_zero: bool,
    layers: bool,
    explain: str | None,
    flops_by: str,
    quiet: bool,
    verbose: bool,
) -> int:
    """Analyse models at the resolution they will be fed, and report what cannot help there."""
    try:
        size = _input_size(resolution, input_size, channels)
        settings = Settings.of(
            {
                "channels": 3 if channels is None else channels,
                "flops_by": flops_by,
                "select": _codes(select),
                "ignore": _codes(ignore),
                "rule_folders": rule_folders,
            }
        )
        _require_known_codes(settings)
        output = _Output(output_format, output_file, layers, explain, quiet)
        if output_file is not None:
            _require_writable(output_file)
        run, code = _analyze_all(targets, size, settings, explain, verbose=verbose)
        _write(run, output)
    except RfcheckError as error:
        _print_error(str(error), error, verbose=verbose)
        return EXIT_ERROR
    if code != EXIT_CLEAN:
        return code
    return EXIT_FINDINGS if _has_failing_findings(run, fail_on) and not exit_zero else EXIT_CLEAN


def _input_size(resolution: str | None, input_size: str | None, channels: int | None) -> int | tuple[int, ...]:
    if resolution is not None and input_size is not None:
        raise InputSizeError("give either --resolution or --input-size, not both")
    if resolution is not None:
        extents = parse_extents(resolution, "--resolution")
        return extents[0] if len(extents) == 1 else extents
    if input_size is not None:
        if channels is not None:
            raise InputSizeError("--input-size holds the channels already; leave --channels out")
        extents = parse_extents(input_size, "--input-size")
        if len(extents) < 2:
            raise InputSizeError(
                f"--input-size needs channels and image extents, like 3,32,48, got {input_size!r}; or use --resolution"
            )
        return extents
    raise InputSizeError("the input size is missing: add --resolution 32, with the extent in pixels that the model will be fed")


def _codes(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip().upper() for part in (text or "").split(",") if part.strip())


def _require_known_codes(settings: Settings) -> None:
    from rfcheck.linting.rule import all_rules

    codes = [rule.code for rule in all_rules(settings.rule_folders)]
    for prefix in (*settings.select, *settings.ignore):
        if not any(code.startswith(prefix) for code in codes):
            raise SettingsError(f"no rule begins with {prefix!r}; rules are {', '.join(codes)}")


def _analyze_all(
    targets: tuple[str, ...], size: int | tuple[int, ...], settings: Settings, explain: str | None, *, verbose: bool
) -> tuple[Run, int]:
    """Analyse every target; one that fails does not keep the others from being reported."""
    from rfcheck.report.result import Result, Run
    from rfcheck.target.load import load_targets

    results: list[Result] = []
    failures: list[Failure] = []
    code = EXIT_CLEAN
    for text in targets:
        try:
            for target in load_targets(text):
                try:
                    analysis = _analyze(target, size, settings)
                    if explain is not None:
                        analysis.layer(explain)
                    results.append(Result(target.label, target.path, target.line, analysis))
                except RfcheckError as error:
                    failures.append(_failed(target.label, error, verbose=verbose))
                    code = EXIT_ERROR
        except NothingToAnalyzeError as error:
            failures.append(_failed(text, error, verbose=verbose))
            code = code or EXIT_NOTHING
        except RfcheckError as error:
            failures.append(_failed(text, error, verbose=verbose))
            code = EXIT_ERROR
    if code == EXIT_NOTHING and results:
        code = EXIT_CLEAN
    return Run(tuple(results), tuple(failures)), code


def _failed(target: str, error: RfcheckError, *, verbose: bool) -> Failure:
    from rfcheck.report.result import Failure

    message = str(error) if str(error).startswith(target.partition(":")[0]) else f"{target}: {error}"
    _print_error(message, error, verbose=verbose)
    return Failure(target, str(error))


def _analyze(target: Target, size: int | tuple[int, ...], settings: Settings) -> Analysis:
    """Analyse one target; where its forward needs data that a model built without data does not have, build it again with data."""
    from rfcheck.api import analyze_named
    from rfcheck.target.source import quiet_output

    model, on_meta = target.build()
    name = target.label.rpartition(":")[2] or type(model).__name__
    try:
        if on_meta and settings.flops_by == "fvcore":
            model, on_meta = target.build_with_data(), False
        with quiet_output():
            return analyze_named(model, size, settings, name)
    except TraceError as error:
        if not on_meta or not error.needs_data:
            raise
        model = target.build_with_data()
        with quiet_output():
            return analyze_named(model, size, settings, name)


def _print_error(message: str, error: BaseException, *, verbose: bool) -> None:
    click.echo(f"error: {message}", err=True)
    if verbose:
        click.echo("".join(traceback.format_exception(error)), err=True, nl=False)


def _has_failing_findings(run: Run, fail_on: str) -> bool:
    from rfcheck.linting.finding import at_least

    if fail_on == "never":
        return False
    return any(at_least(finding.severity, fail_on) for result in run.results for finding in result.analysis.findings)


def _require_writable(path: str) -> None:
    """Refuse an output file that cannot be written before anything is computed."""
    target = Path(path)
    if target.is_dir():
        raise SettingsError(f"--output-file {path}: is a folder; give a file")
    if not target.parent.is_dir():
        raise SettingsError(f"--output-file {path}: the folder {target.parent} does not exist")
    if not os.access(target if target.exists() else target.parent, os.W_OK):
        raise SettingsError(f"--output-file {path}: cannot be written; check its permissions")


def _write(run: Run, output: _Output) -> None:
    if output.file is None:
        _render(run, output, sys.stdout)
        return
    text = io.StringIO()
    _render(run, output, text)
    _write_atomically(Path(output.file), text.getvalue())


def _write_atomically(path: Path, text: str) -> None:
    """Write a whole file or none of it."""
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            umask = os.umask(0)
            os.umask(umask)
            Path(temporary).chmod(0o666 & ~umask)
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise SettingsError(f"--output-file {path}: cannot be written: {error.strerror or error}") from None


def _render(run: Run, output: _Output, stream: io.TextIOBase | io.StringIO | object) -> None:
    if output.format == "json":
        from rfcheck.report.json_v1 import dump, run_to_dict

        print(dump(run_to_dict(run)), file=stream)  # type: ignore[arg-type]
        return
    if output.format == "concise" or output.quiet:
        from rfcheck.report.concise import concise_lines
        from rfcheck.report.result import summary

        lines = concise_lines(run)
        if not output.quiet and run.results:
            lines.append(summary(run))
        for line in lines:
            print(line, file=stream)  # type: ignore[arg-type]
        if not (output.layers or output.explain):
            return
    from rich.console import Console

    console = Console(file=stream, highlight=False)  # type: ignore[arg-type]
    if output.format == "full" and not output.quiet:
        from rfcheck.report.full import print_full

        print_full(run, console)
    _print_tables(run, output, console)


def _print_tables(run: Run, output: _Output, console: object) -> None:
    if not (output.layers or output.explain):
        return
    from rich.console import Console

    from rfcheck.report.tables import print_explanation, print_layers

    assert isinstance(console, Console)
    for result in run.results:
        if output.layers:
            console.print(f"\n{result.target}", style="bold", markup=False, highlight=False)
            print_layers(result.analysis, console)
        if output.explain is not None:
            console.print()
            print_explanation(result.analysis, output.explain, console)
