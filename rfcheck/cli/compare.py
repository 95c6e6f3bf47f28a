"""``rfcheck compare HEAD~1:model.py model.py --resolution 32``: report what changed, and whether it is worse."""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rfcheck.cli.analysing import analyze_target
from rfcheck.cli.file_candidates import files
from rfcheck.cli.help import Verb
from rfcheck.cli.model_arguments import require_used
from rfcheck.cli.options import EXIT_CLEAN, EXIT_FINDINGS, arguments_option, size_given, size_options, timeout_option
from rfcheck.cli.output_file import require_writable, write_atomically
from rfcheck.cli.requests import Subject, subject_of
from rfcheck.cli.rule_selection import known_rules, rule_options, rule_settings
from rfcheck.cli.target_candidates import targets as target_candidates
from rfcheck.errors import RfcheckError, TargetError

if TYPE_CHECKING:
    from rfcheck.report.versions import Analyzed, Versions


@dataclass(frozen=True, slots=True)
class _Output:
    """How and where to report."""

    format: str
    file: str | None
    layers: bool
    fail_on: str


@click.command(cls=Verb, short_help="Report what changed between two versions of a model.")
@click.argument("before", metavar="A", shell_complete=target_candidates)
@click.argument("after", metavar="B", shell_complete=target_candidates)
@size_options
@arguments_option
@timeout_option
@click.option("--output-format", type=click.Choice(["full", "json"]), default="full", show_default=True, help="How to report.")
@click.option(
    "--output-file", "-o", metavar="FILE", shell_complete=files, help="Write the report to a file instead of standard output."
)
@rule_options
@click.option("--layers", is_flag=True, help="Print all changed layers, not only the first 20 rows.")
@click.option("--verbose", "-v", is_flag=True, help="Print tracebacks of errors.")
def compare(
    before: str,
    after: str,
    resolution: str | None,
    input_size: str | None,
    channels: int | None,
    arguments: tuple[str, ...],
    output_format: str,
    output_file: str | None,
    select: str | None,
    ignore: str | None,
    limits: tuple[str, ...],
    classes: int | None,
    rule_folders: tuple[str, ...],
    fail_on: str | None,
    layers: bool,
    verbose: bool,  # noqa: ARG001 - where an error ends, `Verb` reads it
) -> int:
    """Report what changed from target A to target B, and whether B is worse.

    A file may be given as it was at a git revision: HEAD~1:model.py, main:pkg/model.py:build(num_classes=10). It then imports its
    project's modules of that revision. Models are matched by name; one model each is compared whatever the names.

    B is worse, and the exit code 1, if it has a finding at or above --fail-on that A has not. Findings are the same if rule and
    layer are; those of a rule about the whole model, wherever they point. On layers that only A or only B has (renamed ones, say)
    findings are counted per rule, and those that B has more of are new. A model that only B has brings new findings only.
    """
    given = size_given(resolution, input_size, channels)
    chosen = rule_settings(select, ignore, limits, classes, rule_folders)
    subject = subject_of(after, {**given, **chosen, "fail-on": fail_on}, arguments)
    settings, fail_on = subject.effective.settings, subject.effective.fail_on
    rules = known_rules(settings)
    if output_file is not None:
        require_writable(output_file, "--output-file")
    settings = replace(settings, rule_folders=tuple(str(Path(folder).absolute()) for folder in settings.rule_folders))
    model_wide = {rule.code for rule in rules if rule.scope == "model"}
    versions = _compare(before, replace(subject, effective=replace(subject.effective, settings=settings)), model_wide)
    _write(versions, _Output(output_format, output_file, layers, fail_on))
    from rfcheck.report.versions import failing

    return EXIT_FINDINGS if failing(versions, fail_on) else EXIT_CLEAN


def _compare(before: str, after: Subject, model_wide: set[str]) -> Versions:
    from rfcheck.report.versions import compare_versions

    first, second = (_analyze_version(text, after) for text in (before, after.target))
    require_used(after.arguments, [version.target for version in (*first, *second)])
    return compare_versions(first, second, model_wide)


def _analyze_version(text: str, subject: Subject) -> list[Analyzed]:
    """Analyse every model of one version; the first that fails ends the comparison.

    Raises:
        RfcheckError: naming the target.
    """
    from rfcheck.cli.fresh_run import fresh_analysis
    from rfcheck.report.versions import Analyzed
    from rfcheck.target.obvious import Given
    from rfcheck.target.versions import opened

    results: list[Analyzed] = []
    size, settings = subject.size, subject.effective.settings
    with fresh_analysis(), opened(text, Given.of(size, settings, subject.arguments)) as targets:
        for target in targets:
            try:
                results.append(Analyzed(target.label, analyze_target(target, size, settings)))
            except RfcheckError as error:
                if str(error).startswith(target.label):
                    raise
                raise TargetError(f"{target.label}: {error}") from error
    return results


def _write(versions: Versions, output: _Output) -> None:
    """Print the report, or write it to a file once it is whole."""
    text = io.StringIO()
    _render(versions, output, sys.stdout if output.file is None else text)
    if output.file is not None:
        write_atomically(Path(output.file), text.getvalue(), "--output-file")


def _render(versions: Versions, output: _Output, stream: object) -> None:
    if output.format == "json":
        from rfcheck.report.comparison_json import versions_to_dict
        from rfcheck.report.json_v1 import dump

        print(dump(versions_to_dict(versions, output.fail_on)), file=stream)  # type: ignore[call-overload]
        return
    from rich.console import Console

    from rfcheck.report.comparison_table import print_versions

    console = Console(file=stream, highlight=False)  # type: ignore[arg-type]
    print_versions(versions, output.fail_on, console, all_layers=output.layers)
