"""A verification as text for a terminal."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from rfcheck.input_size import crossed
from rfcheck.printable import printable
from rfcheck.report.full import SEVERITY_STYLES
from rfcheck.report.result import plural
from rfcheck.report.terminal import print_wrapped
from rfcheck.verify.report.layers_table import print_measured_layers
from rfcheck.verify.report.points import percent_with_interval, points_with_interval
from rfcheck.verify.report.variants_table import print_variants
from rfcheck.verify.verdict.sentences import listed

if TYPE_CHECKING:
    from rfcheck.linting.finding import Finding
    from rfcheck.verify.conclusions import Gain, Judgement, Run, Status, TailPattern, Verdict

_MARGIN = "  "
_STATUS_STYLES = {"confirmed": "green", "refuted": "red", "inconclusive": "yellow"}
_ORDER: tuple[Status, ...] = ("refuted", "confirmed", "inconclusive")
_SHOWN = 3
"""Pieces of evidence that are printed per rule and status."""
_JUDGED = "RF704"
"""The rule whose findings are the verdicts, which are printed as such."""


def print_run(run: Run, console: Console) -> None:
    """Print the conclusion, the layers, the verdicts, the findings about the measurements, the variants, and the caveats.

    Args:
        run: what was measured and concluded.
        console: where to print; 80 columns are enough for names of up to 20 letters.
    """
    judgement = run.judgement
    _print_head(run, console)
    console.print()
    print_measured_layers(judgement, console)
    _print_curves(judgement, console)
    _print_verdicts(judgement.verdicts, console)
    _print_findings([finding for finding in judgement.findings if finding.code != _JUDGED], console)
    if len(judgement.variants) > 1:
        _print_title("fixes", console)
        print_variants(judgement.variants, console)
    if judgement.caveats:
        _print_title("to keep in mind", console)
        for caveat in judgement.caveats:
            print_wrapped(caveat, console, f"{_MARGIN}- ", _MARGIN * 2)


def _print_head(run: Run, console: Console) -> None:
    judgement, recipe, sizes = run.judgement, run.recipe, run.sizes
    title = Text(f"{printable(run.name)} at {crossed(recipe.input_size)}: ", style="bold")
    title.append(judgement.status, style=_STATUS_STYLES[judgement.status])
    console.print(title, soft_wrap=True)
    print_wrapped(judgement.summary, console, _MARGIN)
    trained = f"{plural(recipe.training.epochs, 'epoch')}, {plural(recipe.seeds, 'seed')}"
    source = f"{recipe.data} on a canvas of {recipe.canvas} px" if recipe.canvas else recipe.data
    images = f"{sizes.train:,} training, {sizes.validation:,} validation and {sizes.test:,} test images"
    accuracy = percent_with_interval(judgement.variants[0].mean).replace(" ", "% ", 1)
    print_wrapped(f"trained for {trained} on {source} ({images}); test accuracy {accuracy}", console, _MARGIN)


def _print_title(text: str, console: Console) -> None:
    console.print()
    console.print(text, style="bold", markup=False, highlight=False)


def _print_curves(judgement: Judgement, console: Console) -> None:
    """What the curves of probes and saturation say as a whole."""
    console.print()
    for line in _curves(judgement):
        print_wrapped(line, console, _MARGIN, _MARGIN * 2)


def _curves(judgement: Judgement) -> Iterator[str]:
    if judgement.before_border is not None:
        yield f"cut before the border layer: {_gain(judgement.before_border)}"
    if judgement.after_border is not None:
        yield f"cut after the border layer: {_gain(judgement.after_border)}"
    mean = "unknown" if math.isnan(judgement.mean_saturation) else f"{judgement.mean_saturation:.1%}"
    yield f"mean saturation: {mean}; {_tail_pattern(judgement.tail_pattern)}"


def _tail_pattern(pattern: TailPattern | None) -> str:
    if pattern is None:
        return "no tail pattern"
    span = f"{plural(len(pattern.layers), 'layer')} from {pattern.layers[0]} to {pattern.layers[-1]}"
    return f"tail pattern in {span}: {pattern.mean:.1%} against {pattern.rest:.1%} of the rest"


def _gain(gain: Gain) -> str:
    difference = points_with_interval(gain.difference).replace(" ", " points ", 1)
    return f"the best later probe ({gain.best}) against that of {gain.reference}: {difference}"


def _print_verdicts(verdicts: Sequence[Verdict], console: Console) -> None:
    """A paragraph per rule and status: what was predicted, and the evidence."""
    if not verdicts:
        return
    _print_title("predictions", console)
    ordered = sorted(verdicts, key=lambda verdict: (_ORDER.index(verdict.status), verdict.finding.code))
    for (status, code), group in groupby(ordered, key=lambda verdict: (verdict.status, verdict.finding.code)):
        together = list(group)
        first = together[0].finding
        title = Text(_MARGIN)
        title.append(status, style=f"bold {_STATUS_STYLES[status]}")
        title.append(f" {code} {first.name}")
        title.append(printable(_places(together)), style="bold")
        console.print(title, soft_wrap=True)
        if len(together) == 1:
            print_wrapped(f"predicted: {first.message}", console, _MARGIN * 2, _MARGIN * 3)
        _print_evidence(together, console)


def _places(verdicts: Sequence[Verdict]) -> str:
    if len(verdicts) > 1:
        return f" ({plural(len(verdicts), 'layer')})"
    layer = verdicts[0].finding.layer
    return f" {layer}" if layer else ""


def _print_evidence(verdicts: Sequence[Verdict], console: Console) -> None:
    """The evidence, each sentence once, with the layers that it is about where there are several."""
    layers: dict[str, list[str]] = {}
    for verdict in verdicts:
        layers.setdefault(verdict.evidence, []).append(verdict.finding.layer or "")
    for evidence, names in list(layers.items())[:_SHOWN]:
        about = f"{listed(names, _SHOWN)}: " if len(verdicts) > 1 else "measured: " if verdicts[0].measured else "not measured: "
        print_wrapped(f"{about}{evidence}", console, _MARGIN * 2, _MARGIN * 3)
    if len(layers) > _SHOWN:
        print_wrapped(f"and {len(layers) - _SHOWN} more in report.json", console, _MARGIN * 2)


def _print_findings(findings: Sequence[Finding], console: Console) -> None:
    if not findings:
        return
    _print_title("findings about the measurements", console)
    for finding in findings:
        title = Text(f"{_MARGIN}{finding.code}", style=SEVERITY_STYLES[finding.severity])
        title.append(f" {finding.name} ", style="default")
        title.append(f"[{finding.severity}]")
        title.append(f" {printable(finding.layer)}" if finding.layer else "", style="bold")
        console.print(title, soft_wrap=True)
        print_wrapped(finding.message, console, _MARGIN * 2)
