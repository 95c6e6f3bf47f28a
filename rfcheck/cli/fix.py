"""``rfcheck fix TARGET --resolution 32``: what to change, what that will do, and the changed model."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rfcheck.cli.analysing import BuiltTarget
from rfcheck.cli.file_candidates import files
from rfcheck.cli.fixed_model import ENDINGS, FixedModel, needs_data, write_fixed_model
from rfcheck.cli.help import Verb
from rfcheck.cli.model_arguments import load_with
from rfcheck.cli.options import arguments_option, size_given, size_options, timeout_option
from rfcheck.cli.output_file import require_writable
from rfcheck.cli.requests import Subject, subject_of
from rfcheck.cli.rule_candidates import fixes
from rfcheck.cli.target_candidates import targets as target_candidates
from rfcheck.errors import FixError, SettingsError
from rfcheck.printable import printable
from rfcheck.quantities import parse_number

if TYPE_CHECKING:
    from rfcheck.analysed import Analysis
    from rfcheck.config import Settings
    from rfcheck.fixes.recommending import Aim, Recommendation
    from rfcheck.target.load import Target


@dataclass(frozen=True, slots=True)
class _Change:
    """Which fixes to carry out, and where to write the result."""

    names: tuple[str, ...]
    output: str | None


@click.command(cls=Verb, short_help="Show what to change, with its effect, and change it.")
@click.argument("target", metavar="TARGET", shell_complete=target_candidates)
@size_options
@arguments_option
@timeout_option
@click.option("--aim", type=click.Choice(["efficiency", "accuracy"]), help="Recommend for this aim only.  [default: both]")
@click.option("--max-flops", metavar="N", help="FLOPs that the changed model may have: 200M, 1.5G.")
@click.option(
    "--apply",
    "apply_names",
    metavar="NAME[,NAME]",
    shell_complete=fixes,
    help="Print the code of these fixes, one after the other.",
)
@click.option(
    "--output",
    "-o",
    metavar="FILE",
    shell_complete=files,
    help="Write the changed model: .py (code), .pt2 (exported), .pt (weights).",
)
@click.option("--force", is_flag=True, help="Write --output even if the file exists.")
@click.option(
    "--format",
    "--output-format",
    "output_format",
    type=click.Choice(["full", "json"]),
    default="full",
    show_default=True,
    help="How to report.",
)
@click.option("--verbose", "-v", is_flag=True, help="Print tracebacks of errors.")
def fix(
    target: str,
    resolution: str | None,
    input_size: str | None,
    channels: int | None,
    arguments: tuple[str, ...],
    aim: str | None,
    max_flops: str | None,
    apply_names: str | None,
    output: str | None,
    force: bool,
    output_format: str,
    verbose: bool,  # noqa: ARG001 - where an error ends, `Verb` reads it
) -> None:
    """Show what can be changed about a model, with the effect of each change, and carry changes out.

    Nothing is trained: tail, FLOPs, parameters and memory of the changed model follow from its architecture. A fix is safe if the
    outputs stay the same at this resolution. The model's own file is not touched.
    """
    subject = subject_of(target, size_given(resolution, input_size, channels), arguments)
    size, settings = subject.size, subject.effective.settings
    most = None if max_flops is None else _count(max_flops)
    change = _change(apply_names, output, force=force)
    targets = _targets(subject, change)
    if change is not None:
        _apply(targets[0], size, settings, change, output_format)
    else:
        _show(targets, size, settings, aim, most, output_format)


def _count(text: str) -> float:
    value = parse_number(text)
    if not 0 < value < float("inf"):
        raise SettingsError(f"--max-flops must be a number such as 2e8, 200M or 1.5G, got {text!r}")
    return value


def _change(apply_names: str | None, output: str | None, *, force: bool) -> _Change | None:
    if apply_names is None:
        if output is not None:
            raise SettingsError(f"--output {output}: there is nothing to write without --apply NAME")
        return None
    names = tuple(name.strip() for name in apply_names.split(",") if name.strip())
    if not names:
        raise FixError("--apply needs the name of a fix, such as --apply truncate")
    if output is not None:
        if Path(output).suffix not in ENDINGS:
            raise SettingsError(f"--output {output}: the ending must be one of {', '.join(ENDINGS)}")
        require_writable(output, "--output")
        if Path(output).exists() and not force:
            raise SettingsError(f"--output {output}: the file exists; add --force to overwrite it")
    return _Change(names, output)


def _targets(subject: Subject, change: _Change | None) -> list[Target]:
    text = subject.target
    targets = load_with(text, subject.size, subject.effective.settings, subject.arguments)
    if change is not None and len(targets) > 1:
        names = ", ".join(target.label for target in targets)
        raise FixError(f"{text} holds several models; fixes are carried out on one of them: {names}")
    return targets


def _show(
    targets: list[Target], size: int | tuple[int, ...], settings: Settings, aim: str | None, most: float | None, output_format: str
) -> None:
    analyses = [(target.label, BuiltTarget(target, settings).analyze(size)) for target in targets]
    recommended = [(label, analysis, _recommendations(analysis, aim, most)) for label, analysis in analyses]
    if output_format == "json":
        from rfcheck.report.fixes_json import fixes_to_dict, run_to_dict
        from rfcheck.report.json_v1 import dump

        print(dump(run_to_dict([fixes_to_dict(analysis, label, found) for label, analysis, found in recommended])))
        return
    from rich.console import Console

    from rfcheck.report.fixes_table import print_fixes

    console = Console(file=sys.stdout, highlight=False)
    for index, (label, analysis, found) in enumerate(recommended):
        if index:
            console.print()
        print_fixes(analysis, label, found, console)


def _recommendations(analysis: Analysis, aim: str | None, most: float | None) -> dict[Aim, Recommendation]:
    from rfcheck.fixes.recommending import AIMS, recommend

    return {known: recommend(analysis.fixes, known, most) for known in AIMS if aim in (None, known)}


def _apply(target: Target, size: int | tuple[int, ...], settings: Settings, change: _Change, output_format: str) -> None:
    with_data = change.output is not None and needs_data(change.output)
    fixed = FixedModel.of(target, size, settings, change.names, with_data=with_data)
    if change.output is not None:
        write_fixed_model(fixed, Path(change.output))
        click.echo(printable(f"{change.output}: {fixed.summary}"))
    elif output_format == "json":
        from rfcheck.report.fixes_json import applied_to_dict
        from rfcheck.report.json_v1 import dump

        print(dump(applied_to_dict(target.label, fixed.snippet.text, fixed.before, fixed.after)))
    else:
        click.echo(fixed.snippet.text, nl=False)
