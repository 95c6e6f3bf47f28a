"""What is concluded from measurements: plain values, as reports show them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from rfcheck.analysis.layers import Layer
    from rfcheck.linting.finding import Finding
    from rfcheck.verify.recipe import Recipe
    from rfcheck.verify.records import Heatmap, Interval, Measurement, Sizes, Variant

Status = Literal["confirmed", "refuted", "inconclusive"]
"""What a measurement says of a prediction."""

Change = Literal["better", "worse", "no difference shown"]
"""What the accuracies of a changed model say, next to those of the original."""


@dataclass(frozen=True, slots=True)
class Gain:
    """How much the best probe among some layers exceeds the probe before them.

    Attributes:
        reference: layer whose probe is compared with.
        best: layer with the best probe among those behind it.
        difference: of the accuracies on the same test images, with the interval of a paired bootstrap.
    """

    reference: str
    best: str
    difference: Interval


@dataclass(frozen=True, slots=True)
class TailPattern:
    """At least three consecutive layers that fill their feature spaces half as much as the rest, or less.

    Attributes:
        layers: names.
        mean: of their saturation.
        rest: mean saturation of all other layers.

    Source: Richter 2022, section 8.5.
    """

    layers: tuple[str, ...]
    mean: float
    rest: float


@dataclass(frozen=True, slots=True)
class MeasuredLayer:
    """A layer with what was predicted of it and what was measured, over all seeds.

    Attributes:
        layer: as the analysis has it.
        accuracy: of its probes on the test images, with the exact Clopper-Pearson interval.
        train_accuracy: of its probes on the training images, mean over the seeds.
        saturation: s_l in training mode, mean over the seeds; nan where outputs were not finite.
        eval_saturation: s_l in evaluation mode, mean over the seeds.
        skipped: whether its probes fall significantly below those of the layer that feeds it, as beside a shortcut.
    """

    layer: Layer
    accuracy: Interval
    train_accuracy: float
    saturation: float
    eval_saturation: float
    skipped: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the measurement says of one finding.

    Attributes:
        finding: of the linter.
        status: "confirmed", "refuted" or "inconclusive".
        evidence: one sentence with the numbers, or with the reason why there are none.
        measured: whether anything was measured that bears on it.
    """

    finding: Finding
    status: Status
    evidence: str
    measured: bool = True


@dataclass(frozen=True, slots=True)
class VariantResult:
    """How a changed model does next to the original.

    Attributes:
        variant: what it is.
        accuracies: on the test images, one per seed.
        mean: of these, with an interval over the seeds; the Clopper-Pearson interval where there is one seed.
        difference: to the original: paired by seed, with Student's interval; with one seed a paired bootstrap over the test images.
            None for the original.
        p_value: of McNemar's exact test on the test images of the first seed; None for the original.
        seconds_per_image: of a forward pass in evaluation mode, median over the seeds.
        change: "better" or "worse" only where the interval of the difference does not contain zero; None for the original.
    """

    variant: Variant
    accuracies: tuple[float, ...]
    mean: Interval
    difference: Interval | None
    p_value: float | None
    seconds_per_image: float
    change: Change | None


@dataclass(frozen=True, slots=True)
class Judgement:
    """Everything concluded from a run.

    Attributes:
        status: of the predictions as a whole.
        summary: one sentence on why.
        layers: of the original, in execution order.
        plateau: first layer from which no later probe improves; None where the last measured one still does.
        before_border: gain of the tail over the layer before the border layer; None without a tail.
        after_border: gain of the rest of the tail over the border layer, or over what a shortcut joins with it; None without a
            tail, or behind its last layer.
        tail_pattern: in the saturation; None if there is none.
        mean_saturation: s_mu over all measured layers; nan where none is known.
        width_factor: by which to scale the widths to bring s_mu into 0.20 to 0.30; None where it is there.
        verdicts: on the findings of the linter.
        findings: of the rules about measurements (RF7xx).
        variants: the original first.
        caveats: sentences that a reader needs to judge the numbers.
    """

    status: Status
    summary: str
    layers: tuple[MeasuredLayer, ...]
    plateau: str | None
    before_border: Gain | None
    after_border: Gain | None
    tail_pattern: TailPattern | None
    mean_saturation: float
    width_factor: float | None
    verdicts: tuple[Verdict, ...]
    findings: tuple[Finding, ...]
    variants: tuple[VariantResult, ...]
    caveats: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Run:
    """A whole verification, as reports show it.

    Attributes:
        name: how to call the model.
        recipe: what was asked for.
        classes: names.
        sizes: of the splits.
        fingerprint: SHA-256 of the images and labels, as hexadecimal digits.
        environment: versions, device, numbers of processes and threads, by name.
        measurements: of every variant and seed.
        judgement: what they say.
        heatmaps: of the original's first seed.
    """

    name: str
    recipe: Recipe
    classes: tuple[str, ...]
    sizes: Sizes
    fingerprint: str
    environment: dict[str, str]
    measurements: tuple[Measurement, ...]
    judgement: Judgement
    heatmaps: tuple[Heatmap, ...] = ()
