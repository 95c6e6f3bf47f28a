"""``rfcheck TARGET... --resolution 32``: analyse models and report what was found."""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rfcheck.cli.analysing import analyze_target, print_error
from rfcheck.cli.options import EXIT_CLEAN, EXIT_ERROR, EXIT_FINDINGS, EXIT_NOTHING, input_size_of, size_options
from rfcheck.cli.output_file import require_writable, write_atomically
from rfcheck.cli.rule_selection import known_rules, rule_options, rule_settings
from rfcheck.config import Settings
from rfcheck.errors import NothingToAnalyzeError, RfcheckError

if TYPE_CHECKING:
    from rfcheck.report.result import Failure, Result, Run


@dataclass(frozen=True, slots=True)
class _Output:
    """How and where to report."""

    format: str
    file: str | None
    layers: bool
    explain: str | None
    quiet: bool


@click.command(short_help="Report what cannot help at a resolution (the default).")
@click.argument("targets", nargs=-1, required=True, metavar="TARGET...")
@size_options
@click.option(
    "--output-format", type=click.Choice(["full", "concise", "json"]), default="full", show_default=True, help="How to report."
)
@click.option("--output-file", "-o", metavar="FILE", help="Write the report to a file instead of standard output.")
@rule_options
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
    limits: tuple[str, ...],
    classes: int | None,
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
        size = input_size_of(resolution, input_size, channels)
        settings = Settings.of(
            {
                "channels": 3 if channels is None else channels,
                "flops_by": flops_by,
                **rule_settings(select, ignore, limits, classes, rule_folders),
            }
        )
        known_rules(settings)
        output = _Output(output_format, output_file, layers, explain, quiet)
        if output_file is not None:
            require_writable(output_file, "--output-file")
        run, code = _analyze_all(targets, size, settings, explain, verbose=verbose)
        if run.results or output.format == "json":
            _write(run, output)
    except RfcheckError as error:
        print_error(str(error), error, verbose=verbose)
        return EXIT_ERROR
    if code != EXIT_CLEAN:
        return code
    return EXIT_FINDINGS if _has_failing_findings(run, fail_on) and not exit_zero else EXIT_CLEAN


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
                    analysis = analyze_target(target, size, settings)
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
    print_error(message, error, verbose=verbose)
    return Failure(target, str(error))


def _has_failing_findings(run: Run, fail_on: str) -> bool:
    from rfcheck.linting.finding import at_least

    if fail_on == "never":
        return False
    return any(at_least(finding.severity, fail_on) for result in run.results for finding in result.analysis.findings)


def _write(run: Run, output: _Output) -> None:
    if output.file is None:
        _render(run, output, sys.stdout)
        return
    text = io.StringIO()
    _render(run, output, text)
    write_atomically(Path(output.file), text.getvalue(), "--output-file")


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
