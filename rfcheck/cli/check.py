"""``rfcheck TARGET... --resolution 32``: analyse models and report what was found."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rfcheck.cli.file_candidates import files
from rfcheck.cli.help import Verb
from rfcheck.cli.model_arguments import model_arguments, require_used
from rfcheck.cli.options import (
    EXIT_CLEAN,
    EXIT_ERROR,
    EXIT_FINDINGS,
    EXIT_NOTHING,
    arguments_option,
    size_given,
    size_options,
    timeout_option,
)
from rfcheck.cli.output_candidates import outputs
from rfcheck.cli.output_file import require_writable
from rfcheck.cli.plot_file import OneModel, draw, require_plot_file
from rfcheck.cli.rule_selection import rule_options, rule_settings
from rfcheck.cli.step_summary import append_step_summary
from rfcheck.cli.target_candidates import targets as target_candidates
from rfcheck.configuration.values import join_folders
from rfcheck.errors import SettingsError
from rfcheck.printable import printable
from rfcheck.report.formats import FORMATS

if TYPE_CHECKING:
    from rfcheck.cli.gathering import Gathered
    from rfcheck.report.result import Run

_FORMATS = ", ".join(FORMATS)


@dataclass(frozen=True, slots=True)
class _Given:
    """The command line of one check; names are those of the options."""

    targets: tuple[str, ...]
    resolution: str | None
    input_size: str | None
    channels: int | None
    output: tuple[str, ...]
    output_format: str | None
    output_file: str | None
    select: str | None
    ignore: str | None
    limits: tuple[str, ...]
    classes: int | None
    rule_folders: tuple[str, ...]
    fail_on: str | None
    exit_zero: bool
    layers: bool
    explain: str | None
    plot: str | None
    statistics: bool
    show_suppressed: bool
    add_ignore: bool
    baseline: str | None
    write_baseline: str | None
    fix: bool
    fix_names: str | None
    unsafe_fixes: bool
    diff: bool
    watch: bool
    no_cache: bool
    skip_empty: bool
    arguments: tuple[str, ...]
    flops_by: str | None
    quiet: bool
    verbose: bool


_FIX = "--fix="
_NAMES = "rfcheck.fix_names"


class _Check(Verb):
    """The verb of checks, whose ``--fix`` is a flag that may name fixes."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the command line; of ``--fix=NAME`` the name is noted apart, since a flag cannot have a value."""
        given = [arg for arg in args if arg.startswith(_FIX)]
        if given:
            ctx.meta[_NAMES] = given[-1].removeprefix(_FIX)
        return super().parse_args(ctx, [_FIX.rstrip("=") if arg in given else arg for arg in args])


@click.command(cls=_Check, short_help="Report what cannot help at a resolution (the default).")
@click.argument("targets", nargs=-1, metavar="[TARGET]...", shell_complete=target_candidates)
@size_options
@arguments_option
@timeout_option
@click.option(
    "--output",
    multiple=True,
    metavar="FORMAT[=FILE]",
    shell_complete=outputs,
    help=f"How to report, and where to; repeatable: {_FORMATS}.",
)
@click.option("--output-format", type=click.Choice(list(FORMATS)), metavar="FORMAT", help="How to report.  [default: full]")
@click.option(
    "--output-file", "-o", metavar="FILE", shell_complete=files, help="Write the report to a file instead of standard output."
)
@click.option("--statistics", is_flag=True, help="Print how often each rule found something instead of the findings.")
@click.option("--layers", is_flag=True, help="Also print the table of all layers.")
@click.option("--explain", metavar="LAYER", help="Also print the paths that give this layer its receptive field.")
@click.option(
    "--plot", metavar="FILE", shell_complete=files, help="Also draw receptive fields and FLOPs per layer: .png, .svg or .pdf."
)
@rule_options
@click.option("--exit-zero", is_flag=True, help="Exit with 0 even if there are findings.")
@click.option("--show-suppressed", is_flag=True, help="Also list findings that comments silence.")
@click.option("--add-ignore", is_flag=True, help="Write a comment that silences it to the line of every finding.")
@click.option("--baseline", metavar="FILE", shell_complete=files, help="Findings in this file are known and do not fail.")
@click.option("--write-baseline", metavar="FILE", shell_complete=files, help="Write all findings to a file of known findings.")
@click.option("--fix", is_flag=True, help="Make the safe changes in the source files; --fix=NAME,NAME makes these.")
@click.option("--unsafe-fixes", is_flag=True, help="Let --fix alter what the model computes, as rfcheck fix recommends.")
@click.option("--diff", is_flag=True, help="Show the changes that --fix would make instead of making them.")
@click.option("--watch", "-w", is_flag=True, help="Check again whenever a file that was read changes, until Ctrl-C.")
@click.option("--no-cache", is_flag=True, help="Neither use kept results nor keep these.")
@click.option("--skip-empty", is_flag=True, help="Pass over files that hold no model, silently.")
@click.option("--flops-by", type=click.Choice(["torch", "fvcore"]), help="Whose formulas count FLOPs.  [default: torch]")
@click.option("--quiet", "-q", is_flag=True, help="Print findings only, no descriptions and no summary.")
@click.option("--verbose", "-v", is_flag=True, help="Print tracebacks of errors.")
def check(**given: Any) -> int:
    """Analyse models at the resolution they will be fed, and report what cannot help there.

    Without a TARGET, the models that the configuration lists are checked.
    """
    options = _Given(**given, fix_names=click.get_current_context().meta.get(_NAMES))
    if options.watch:
        from rfcheck.cli.watching import watch

        return watch(lambda: _check(options))
    return _check(options)[0]


def _check(given: _Given) -> tuple[int, list[Gathered]]:
    """One check from beginning to end; returns the exit code and what it gathered."""
    from rfcheck.cli.gathering import Gatherer
    from rfcheck.cli.outputs import chosen_outputs
    from rfcheck.cli.requests import requests_for
    from rfcheck.cli.terminal import terminal_view

    view = terminal_view(quiet=given.quiet, layers=given.layers, statistics=given.statistics, show_suppressed=given.show_suppressed)
    outputs = chosen_outputs(given.output, given.output_format, given.output_file)
    _require_possible(given)
    arguments = model_arguments(given.arguments)
    requests = requests_for(given.targets, _command_line(given), skip_empty=given.skip_empty, arguments=arguments)
    if given.fix or given.diff:
        from rfcheck.cli.fixing import fix_requests

        code = fix_requests(
            requests,
            _fix_names(given.fix_names),
            unsafe=given.unsafe_fixes,
            diff=given.diff,
            width=view.width,
            skip_empty=given.skip_empty,
        )
        if given.diff or code == EXIT_ERROR:
            return code, []
    drawn = OneModel(is_asked_for=given.plot is not None)
    gatherer = Gatherer(
        view,
        use_cache=not given.no_cache,
        with_fixes=any(output.shows_fixes for output in outputs),
        explain=given.explain,
        skip_empty=given.skip_empty,
        verbose=given.verbose,
        announce=drawn.note,
    )
    gathered = gatherer.gather(requests)
    labels = [result.target for group in gathered for result in group.results]
    require_used(arguments, [*labels, *(failure.target for group in gathered for failure in group.failures)])
    run, notes = _reported(gathered, given)
    if given.plot is not None and not drawn.is_missed:
        draw(run, given.plot)
    folders = join_folders(*(one.request.settings.rule_folders for one in gathered))
    view = replace(view, explanations=gatherer.explanations, rule_folders=folders)
    for output in outputs:
        if run.results or not output.is_for_people:
            output.write(run, view)
    if any(output.format == "github" for output in outputs):
        append_step_summary(run, view, os.environ)
    for note in notes:
        click.echo(printable(note), err=True)
    return EXIT_ERROR if drawn.is_missed else _exit_code(gathered, run, exit_zero=given.exit_zero), gathered


def _fix_names(text: str | None) -> tuple[str, ...]:
    """The fixes that --fix names; none without names.

    Raises:
        SettingsError: if the list is empty.
    """
    names = tuple(name.strip() for name in (text or "").split(",") if name.strip())
    if text is not None and not names:
        raise SettingsError("--fix=: the name of a fix is missing; write --fix=crop-kernels, or --fix for all safe changes")
    return names


def _require_possible(given: _Given) -> None:
    """Refuse what could not be written before anything is computed."""
    if given.plot is not None:
        require_plot_file(given.plot)
    if given.write_baseline is not None:
        require_writable(given.write_baseline, "--write-baseline")


def _reported(gathered: list[Gathered], given: _Given) -> tuple[Run, list[str]]:
    """What comments and baselines leave to report, and notes on what was written or is out of date."""
    from rfcheck.cli.silencing import silenced, with_unused
    from rfcheck.report.result import Run

    left = silenced(gathered)
    notes: list[str] = []
    if given.add_ignore:
        from rfcheck.cli.adding_ignores import add_ignores

        notes += add_ignores(gathered, left.groups)
        left = silenced(gathered)
    groups = left.groups
    written = None if given.write_baseline is None else Path(given.write_baseline)
    if written is not None or any(one.request.baseline for one in gathered):
        from rfcheck.cli.baselines import apply_baselines, write_baseline

        notes += [] if written is None else [write_baseline(written, gathered, groups)]
        groups, stale = apply_baselines(gathered, groups, written)
        notes += stale
    groups = with_unused(gathered, groups, left.used)
    failures = tuple(failure for one in gathered for failure in one.failures)
    return Run(tuple(result for group in groups for result in group), failures), notes


def _command_line(given: _Given) -> dict[str, Any]:
    """What the command line sets, by key of the configuration."""
    from rfcheck.configuration.reading import configuration_for

    size = size_given(given.resolution, given.input_size, given.channels)
    folders: tuple[str, ...] = ()
    for target in (given.targets or (None,)) if given.limits else ():
        configured = configuration_for(target)
        folders = join_folders(folders, configured.rule_folders if configured is not None else ())
    rules = rule_settings(given.select, given.ignore, given.limits, given.classes, given.rule_folders, folders)
    return {**size, **rules, "fail-on": given.fail_on, "flops-by": given.flops_by, "baseline": given.baseline}


def _exit_code(gathered: list[Gathered], run: Run, *, exit_zero: bool) -> int:
    codes = {one.code for one in gathered}
    if EXIT_ERROR in codes:
        return EXIT_ERROR
    if EXIT_NOTHING in codes and not run.results:
        return EXIT_NOTHING
    return EXIT_FINDINGS if run.fails and not exit_zero else EXIT_CLEAN
