"""Verifications as reports get them: real layers and findings, measurements made up so that every number is known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np
from scipy import stats
from torch import nn

from rfcheck import Analysis, Settings
from rfcheck.analysis.layers import Layer
from rfcheck.api import analyze_named
from rfcheck.linting.finding import Finding
from rfcheck.verify.conclusions import Gain, Judgement, MeasuredLayer, Run, TailPattern, VariantResult, Verdict
from rfcheck.verify.recipe import Recipe, Training
from rfcheck.verify.records import Epoch, Heatmap, Interval, LayerSaturation, Measurement, Probe, Sizes, Variant
from tests.zoo import torchvision_model

TEST_IMAGES = 1000
FINAL = 0.84
"""Accuracy of the original with seed 0."""

FIXES = {"truncate": (0.004, -0.006, 0.014), "truncate-before": (-0.018, -0.029, -0.007), "remove-stem": (0.061, 0.04, 0.082)}
"""Difference to the original with its interval."""


def bits(accuracy: float, seed: int) -> np.ndarray:
    """Which of the test images are labelled right; the accuracy holds exactly."""
    correct = np.arange(TEST_IMAGES) < round(accuracy * TEST_IMAGES)
    return np.random.default_rng(seed).permutation(correct)


def clopper_pearson(accuracy: float) -> Interval:
    right = round(accuracy * TEST_IMAGES)
    low = stats.beta.ppf(0.025, right, TEST_IMAGES - right + 1)
    high = stats.beta.ppf(0.975, right + 1, TEST_IMAGES - right)
    return Interval(accuracy, float(low), float(high))


@cache
def analysis_of(name: str, size: int) -> Analysis:
    return analyze_named(torchvision_model(name, num_classes=10), size, Settings(), name)


@cache
def chain(length: int) -> Analysis:
    layers = [nn.Conv2d(3, 3, 3, padding=1) for _ in range(length)]
    return analyze_named(nn.Sequential(*layers), 32, Settings(), "chain")


def measured_layers(analysis: Analysis) -> tuple[Layer, ...]:
    return tuple(layer for layer in analysis.layers if layer.kind != "pool" and layer.role != "gate")


def accuracy_at(place: int, border: int, skipped: bool) -> float:
    """Of a probe: rises up to the border layer, then stays; the place counts from 0."""
    reached = min(1.0, (place + 1) / (border + 1)) ** 0.5
    return round(0.3 + (FINAL - 0.3) * reached - 0.09 * skipped, 3)


def run_of(
    analysis: Analysis,
    name: str,
    *,
    seeds: int = 1,
    fixes: Sequence[str] = (),
    skipped: Sequence[str] = (),
    findings: Sequence[Finding] = (),
    heatmaps: tuple[Heatmap, ...] = (),
) -> Run:
    """A verification whose probes rise up to b_min, or to the end where there is no tail."""
    layers = measured_layers(analysis)
    original = Variant("original", "", layers, border_of(analysis), analysis.findings, analysis.flops, analysis.params)
    changed = [
        Variant(fix, f"the model after {fix}", layers, None, (), analysis.flops // (n + 2), analysis.params // (n + 3))
        for n, fix in enumerate(fixes)
    ]
    variants = [original, *changed]
    recipe = Recipe(
        target=f"torchvision:{name}",
        input_size=(analysis.network.channels, *analysis.input_size),
        data="cifar10:~/data",
        training=Training(epochs=2),
        seeds=seeds,
        fixes=tuple(fixes),
        heatmaps=tuple(heatmap.layer for heatmap in heatmaps),
    )
    return Run(
        name=name,
        recipe=recipe,
        classes=tuple(f"class {n}" for n in range(10)),
        sizes=Sizes(45000, 5000, TEST_IMAGES),
        fingerprint="ab" * 32,
        environment={"torch": "2.15.0", "device": "cpu", "threads": "2"},
        measurements=tuple(measurement(one, seed, skipped) for one in variants for seed in range(seeds)),
        judgement=judgement(analysis, variants, seeds, skipped, findings),
        heatmaps=heatmaps,
    )


def border_of(analysis: Analysis) -> str | None:
    return None if analysis.border_min is None else analysis.border_min.name


def border_place(variant: Variant) -> int:
    names = [layer.name for layer in variant.layers]
    return len(names) - 1 if variant.border is None else names.index(variant.border)


def final_accuracy(variant: str, seed: int) -> float:
    """The differences of five seeds to the original have the mean in FIXES."""
    difference = FIXES[variant][0] + 0.002 * (seed * 2 % 5 - 2) if variant in FIXES else 0.0
    return round(FINAL + difference + 0.003 * seed, 3)


def saturation_at(layer: Layer, seed: int) -> float:
    return round((0.2 if layer.in_tail else 0.6) + 0.01 * seed, 2)


def measurement(variant: Variant, seed: int, skipped: Sequence[str]) -> Measurement:
    border = border_place(variant)
    accuracies = [accuracy_at(place, border, layer.name in skipped) for place, layer in enumerate(variant.layers)]
    return Measurement(
        variant=variant.name,
        seed=seed,
        epochs=(Epoch(1, 2.1, 0.22, 1.9, 0.3, 1e-4, None, 12.5), Epoch(2, 1.2, 0.55, 1.1, 0.6, 1e-4, 0.45, 12.0)),
        saturation={
            "train": tuple(saturation(layer, saturation_at(layer, seed)) for layer in variant.layers),
            "eval": tuple(saturation(layer, saturation_at(layer, seed) + 0.02) for layer in variant.layers),
        },
        probes=tuple(
            Probe(layer.name, 128, 1e-3, min(1.0, accuracy + 0.1), bits(accuracy, seed))
            for layer, accuracy in zip(variant.layers, accuracies, strict=True)
        ),
        correct=bits(final_accuracy(variant.name, seed), 100 + seed),
        seconds_per_image=2.5e-4,
    )


def saturation(layer: Layer, value: float) -> LayerSaturation:
    features = layer.out_channels or 1
    return LayerSaturation(layer.name, features, 10000, round(value * features), value, 12.0, 7.5)


def judgement(
    analysis: Analysis, variants: Sequence[Variant], seeds: int, skipped: Sequence[str], findings: Sequence[Finding]
) -> Judgement:
    original = variants[0]
    names = [layer.name for layer in original.layers]
    border = border_place(original)
    middle = (seeds - 1) / 2
    layers = tuple(
        MeasuredLayer(
            layer=layer,
            accuracy=clopper_pearson(accuracy_at(place, border, layer.name in skipped)),
            train_accuracy=min(1.0, accuracy_at(place, border, layer.name in skipped) + 0.1),
            saturation=saturation_at(layer, 0) + 0.01 * middle,
            eval_saturation=saturation_at(layer, 0) + 0.01 * middle + 0.02,
            skipped=layer.name in skipped,
        )
        for place, layer in enumerate(original.layers)
    )
    tail = tuple(layer.name for layer in original.layers if layer.in_tail)
    has_gain = original.border is not None and border > 0
    return Judgement(
        status="confirmed" if tail else "inconclusive",
        summary="The layers behind the border layer add nothing that a probe can read."
        if tail
        else "No tail is predicted, and the probes improve up to the last layer.",
        layers=layers,
        plateau=names[border] if tail else None,
        before_border=Gain(names[border - 1], names[-1], Interval(0.021, 0.012, 0.031)) if has_gain else None,
        after_border=Gain(names[border], names[-1], Interval(0.003, -0.004, 0.009)) if has_gain else None,
        tail_pattern=TailPattern(tail, 0.2, 0.6) if tail else None,
        mean_saturation=0.4,
        width_factor=1.6,
        verdicts=tuple(
            Verdict(finding, ("confirmed", "refuted", "inconclusive")[place % 3], f"Evidence number {place + 1} of the probes.")
            for place, finding in enumerate(analysis.findings)
        ),
        findings=tuple(findings),
        variants=tuple(variant_result(variant, seeds) for variant in variants),
        caveats=("Each model was trained for 2 epochs: short trainings rank deep and wide networks too low.",),
    )


def variant_result(variant: Variant, seeds: int) -> VariantResult:
    accuracies = tuple(final_accuracy(variant.name, seed) for seed in range(seeds))
    mean = round(sum(accuracies) / seeds, 4)
    is_changed = variant.name in FIXES
    difference = Interval(*FIXES[variant.name]) if is_changed else None
    change = None
    if difference is not None:
        change = "better" if difference.low > 0 else "worse" if difference.high < 0 else "no difference shown"
    return VariantResult(
        variant=variant,
        accuracies=accuracies,
        mean=Interval(mean, mean - 0.012, mean + 0.011),
        difference=difference,
        p_value=(0.41 if change == "no difference shown" else 0.00002) if is_changed else None,
        seconds_per_image=2.5e-4 / (1 + is_changed),
        change=change,  # type: ignore[arg-type]
    )


def grid(size: int, *, first: float = 0.4) -> tuple[tuple[float, ...], ...]:
    """A heatmap that is best in the middle."""
    middle = (size - 1) / 2
    farthest = math.hypot(middle, middle) or 1.0
    return tuple(
        tuple(round(1 - (1 - first) * math.hypot(row - middle, column - middle) / farthest, 3) for column in range(size))
        for row in range(size)
    )


SATURATION_LOW = Finding(
    "RF702",
    "saturation-out-of-range",
    "info",
    "the mean saturation is 0.40, outside of 0.20 to 0.30: scale the widths by 1.6",
    None,
)
JUDGED = Finding("RF704", "prediction-judged", "warning", "RF101 is confirmed", "features.17")

HEATMAPS = (
    Heatmap("features.10", grid(8)),
    Heatmap("features.17", grid(4, first=0.8)),
    Heatmap("features.28", grid(2, first=0.97)),
)

VGG = run_of(
    analysis_of("vgg16", 32),
    "vgg16",
    seeds=5,
    fixes=tuple(FIXES),
    findings=(SATURATION_LOW, JUDGED),
    heatmaps=HEATMAPS,
)
"""A chain with a tail and fully connected layers, five seeds, three fixes, heatmaps."""

RESNET = run_of(analysis_of("resnet18", 32), "resnet18", skipped=("layer4.0.conv1", "layer4.1.conv1"))
"""Shortcuts, skipped layers, one seed, no fixes."""

HEALTHY = run_of(chain(8), "chain")
"""No tail, no findings, no head, one seed."""

LONG = run_of(analysis_of("resnet152", 64), "resnet152", seeds=2, fixes=("truncate",))
"""More than 150 layers."""


def broken(run: Run) -> Run:
    """The run with a first layer whose outputs were not finite: no saturation, no probe."""
    first, *others = run.judgement.layers
    gone = replace(
        first,
        accuracy=Interval(math.nan, math.nan, math.nan),
        train_accuracy=math.nan,
        saturation=math.nan,
        eval_saturation=math.nan,
    )
    return replace(run, judgement=replace(run.judgement, layers=(gone, *others), mean_saturation=math.nan, width_factor=None))
