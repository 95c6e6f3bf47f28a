"""``rfcheck verify TARGET --resolution 32``: train, measure, and say of each prediction whether it held."""

from __future__ import annotations

import shlex
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from rfcheck.calling_folder import go_to
from rfcheck.cli.file_candidates import folders
from rfcheck.cli.help import Verb
from rfcheck.cli.model_arguments import require_used
from rfcheck.cli.options import EXIT_CLEAN, arguments_option, size_given, size_options, timeout_option
from rfcheck.cli.output_file import standard_output
from rfcheck.cli.requests import Subject, subject_of
from rfcheck.cli.rule_candidates import fixes as fix_candidates
from rfcheck.cli.target_candidates import targets as target_candidates
from rfcheck.cli.verify_recipe import recipe_of, recipe_options, require_alone
from rfcheck.errors import VerifyError
from rfcheck.printable import printable

if TYPE_CHECKING:
    from rfcheck.verify.conclusions import Run
    from rfcheck.verify.run.folder import RunFolder
    from rfcheck.verify.run.recipe_file import RunFile

EXIT_REFUTED, EXIT_INCONCLUSIVE, EXIT_TERMINATED = 1, 4, 128 + signal.SIGTERM
_EXIT = {"confirmed": EXIT_CLEAN, "refuted": EXIT_REFUTED, "inconclusive": EXIT_INCONCLUSIVE}


class _TerminatedError(BaseException):
    """SIGTERM came."""


@click.command(cls=Verb, short_help="Train a model and say whether the predictions held.")
@click.argument("target", metavar="[TARGET]", required=False, shell_complete=target_candidates)
@size_options
@arguments_option
@timeout_option
@recipe_options
@click.option(
    "--fixes",
    metavar="NAME[,NAME]",
    shell_complete=fix_candidates,
    help="Also train the model with each of these fixes, and compare.",
)
@click.option("--heatmap", "heatmaps", multiple=True, metavar="LAYER", help="Probe every position of a layer's map; repeatable.")
@click.option("--download", is_flag=True, help="Fetch the data set into its folder if it is not there.")
@click.option("--tensorboard", is_flag=True, help="Also keep metrics as TensorBoard reads them.")
@click.option(
    "--run-dir",
    metavar="DIR",
    shell_complete=folders,
    help="Folder for everything about the run.  [default: rfcheck-runs/MODEL-TIME]",
)
@click.option("--resume", metavar="DIR", shell_complete=folders, help="Go on with a run that was interrupted.")
@click.option(
    "--output-format", type=click.Choice(["full", "json"]), default="full", show_default=True, help="Tables, or report.json."
)
@click.option("--verbose", "-v", is_flag=True, help="Print tracebacks of errors.")
@click.pass_context
def verify(
    ctx: click.Context,
    /,
    target: str | None,
    resolution: str | None,
    input_size: str | None,
    channels: int | None,
    arguments: tuple[str, ...],
    tensorboard: bool,
    run_dir: str | None,
    resume: str | None,
    output_format: str,
    verbose: bool,  # noqa: ARG001 - where an error ends, `Verb` reads it
    **given: Any,
) -> int:
    """Train a model, measure it, and say of each prediction whether it held.

    The model is trained on images; layer saturation is measured while it learns, logistic-regression probes afterwards. Both are
    set against the predicted border layer, and every finding gets a verdict with its interval. Everything is kept in a folder of
    the run: numbers, pictures, and what is needed to resume or to repeat it.
    """
    from rfcheck.verify.requirements import require_packages

    require_packages()
    from rfcheck.verify.run.folder import existing_folder, new_folder
    from rfcheck.verify.run.processes import rank
    from rfcheck.verify.run.recipe_file import read_run_file

    if resume is not None:
        require_alone(ctx)
        folder = existing_folder(resume)
        file = read_run_file(folder.recipe)
        _enter(file.folder)
    else:
        if target is None:
            raise VerifyError("no target is given: name the model, as in rfcheck verify model.py --resolution 32, or resume a run")
        subject = subject_of(target, size_given(resolution, input_size, channels), arguments)
        file = _run_file(subject, given, tensorboard=tensorboard)
        folder = new_folder(run_dir, target.rpartition(":")[2].removesuffix(".py"), datetime.now())
    with _stopped_by_sigterm(), _resumable(folder):
        finished = _run(file, folder, download=ctx.params["download"])
    if rank() != 0:  # whose exit code would make the launcher stop the first process while that still writes
        return EXIT_CLEAN
    _show(finished, folder, output_format)
    return _EXIT[finished.judgement.status]


def _run_file(subject: Subject, given: dict[str, Any], *, tensorboard: bool) -> RunFile:
    from rfcheck.verify.run.recipe_file import RunFile

    recipe = recipe_of(_written_out(subject), subject.size, subject.effective.settings.channels, given)
    return RunFile(recipe, subject.effective.settings, str(Path.cwd()), environment={}, tensorboard=tensorboard)


def _written_out(subject: Subject) -> str:
    """The target with its arguments, so that a run that goes on builds the same model.

    Raises:
        SettingsError: if the model does not take one of them.
        VerifyError: if there are several models.
    """
    if not subject.arguments:
        return subject.target
    from rfcheck.target.obvious import Given
    from rfcheck.verify.run.planning import one_target

    target = one_target(subject.target, Given.of(subject.size, subject.effective.settings, subject.arguments))
    require_used(subject.arguments, [target.label])
    return target.label


def _enter(folder: str) -> None:
    """Go to the folder from which the run began, where its target and data are found; look for them here if it is gone."""
    from rfcheck.verify.run.processes import rank

    try:
        go_to(folder)
    except OSError as error:
        if rank() == 0:
            reason = error.strerror or str(error)
            text = f"{folder}, where the run began: {reason}; its target and data are looked for in {Path.cwd()}"
            click.echo(printable(text), err=True)


def _run(file: RunFile, folder: RunFolder, *, download: bool) -> Run:
    from rfcheck.cli.verify_progress import verify_progress
    from rfcheck.target.source import quiet_output
    from rfcheck.verify.run.running import run

    with verify_progress(folder) as progress, quiet_output():
        return run(file, folder, download=download, progress=progress)


@contextmanager
def _resumable(folder: RunFolder) -> Iterator[None]:
    """Say how to go on with a run that ends before it is finished."""
    from rfcheck.verify.run.processes import rank

    try:
        yield
    except BaseException as error:
        is_stopped = isinstance(error, (KeyboardInterrupt, _TerminatedError))
        if rank() == 0 and folder.recipe.exists() and (is_stopped or folder.has_results()):
            way = f"rfcheck verify --resume {shlex.quote(str(folder.path))}"
            click.echo(f"What is done is kept. Go on with: {printable(way)}", err=True)
        raise


@contextmanager
def _stopped_by_sigterm() -> Iterator[None]:
    """Let SIGTERM, by which batch systems take a machine back, end the work as Ctrl-C does, with its own exit code."""
    from rfcheck.verify.run.processes import rank

    def stop(_: int, __: FrameType | None) -> None:
        raise _TerminatedError

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except _TerminatedError:
        if rank() == 0:
            click.echo("terminated", err=True)
        raise click.exceptions.Exit(EXIT_TERMINATED) from None
    finally:
        signal.signal(signal.SIGTERM, before)


def _show(finished: Run, folder: RunFolder, output_format: str) -> None:
    """Print the report.

    Raises:
        VerifyError: if standard output cannot be written.
    """
    with standard_output(VerifyError, f"the report is in {folder.document}"):
        _print(finished, folder, output_format)


def _print(finished: Run, folder: RunFolder, output_format: str) -> None:
    if output_format == "json":
        click.echo(folder.document.read_text(encoding="utf-8"), nl=False)
        return
    from rich.console import Console

    from rfcheck.verify.report.table import print_run

    console = Console(file=sys.stdout, highlight=False)
    print_run(finished, console)
    kept = ", ".join(path.name for path in (folder.recipe, folder.document, *sorted(folder.path.glob("*.png"))))
    console.print(f"\nKept in {printable(f'{folder.path}: {kept}')}", highlight=False, markup=False, soft_wrap=True)
