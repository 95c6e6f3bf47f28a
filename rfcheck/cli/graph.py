"""``rfcheck graph TARGET --resolution 32``: the graph of operators, as a picture or for programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rfcheck.cli.analysing import analyze_target
from rfcheck.cli.file_candidates import files
from rfcheck.cli.help import Verb
from rfcheck.cli.model_arguments import load_with
from rfcheck.cli.options import arguments_option, size_given, size_options, timeout_option
from rfcheck.cli.output_file import require_writable, write_atomically
from rfcheck.cli.requests import Subject, subject_of
from rfcheck.cli.target_candidates import targets as target_candidates
from rfcheck.errors import SettingsError

if TYPE_CHECKING:
    from rfcheck.analysed import Analysis

_FORMATS = {".dot": "dot", ".gv": "dot", ".graphml": "graphml", ".json": "json", ".svg": "svg"}
"""What the endings of files stand for."""


@click.command(cls=Verb, short_help="Draw the graph of operators, or write it for programs.")
@click.argument("target", metavar="TARGET", shell_complete=target_candidates)
@size_options
@arguments_option
@timeout_option
@click.option(
    "--format",
    "--output-format",
    "output_format",
    type=click.Choice(list(dict.fromkeys(_FORMATS.values()))),
    help="How to write it.  [default: what --output-file ends in, else dot]",
)
@click.option("--output-file", "-o", metavar="FILE", shell_complete=files, help="Write to a file instead of standard output.")
@click.option("--verbose", "-v", is_flag=True, help="Print tracebacks of errors.")
def graph(
    target: str,
    resolution: str | None,
    input_size: str | None,
    channels: int | None,
    arguments: tuple[str, ...],
    output_format: str | None,
    output_file: str | None,
    verbose: bool,  # noqa: ARG001 - where an error ends, `Verb` reads it
) -> None:
    """Draw the operators of one model and how data flows between them, coloured by what is productive and what is tail.

    svg is a picture, dot one for Graphviz: normalisations and activations are in the box of their layer, and equal blocks in a row
    are drawn once. graphml and json hold every operator with all that is known of it, for networkx, Gephi and other programs.
    """
    subject = subject_of(target, size_given(resolution, input_size, channels), arguments)
    chosen = output_format or _format_of(output_file)
    if output_file is not None:
        require_writable(output_file, "--output-file")
    analysis = _analyze_one(subject)
    text = _render(analysis, chosen)
    if output_file is None:
        click.echo(text, nl=False)
    else:
        write_atomically(Path(output_file), text, "--output-file")


def _format_of(output_file: str | None) -> str:
    """The format that the ending of a file stands for; dot without a file."""
    if output_file is None:
        return "dot"
    ending = Path(output_file).suffix.lower()
    if ending not in _FORMATS:
        raise SettingsError(f"--output-file {output_file}: the name ends in none of {', '.join(_FORMATS)}; add --format")
    return _FORMATS[ending]


def _analyze_one(subject: Subject) -> Analysis:
    text, size, settings = subject.target, subject.size, subject.effective.settings
    targets = load_with(text, size, settings, subject.arguments)
    if len(targets) > 1:
        names = ", ".join(target.label for target in targets)
        raise SettingsError(f"rfcheck graph draws one model, but {text} holds {len(targets)}; give one of {names}")
    return analyze_target(targets[0], size, settings)


def _render(analysis: Analysis, output_format: str) -> str:
    from rfcheck.report.graph_facts import graph_facts

    facts = graph_facts(analysis)
    if output_format == "svg":
        from rfcheck.report.graph_svg import graph_svg

        return graph_svg(facts)
    if output_format == "graphml":
        from rfcheck.report.graph_graphml import graph_graphml

        return graph_graphml(facts)
    if output_format == "json":
        from rfcheck.report.graph_json import graph_json

        return graph_json(facts)
    from rfcheck.report.graph_dot import graph_dot

    return graph_dot(facts)
