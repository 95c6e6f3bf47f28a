"""From measurements to a judgement of everything that was predicted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from rfcheck.config import Settings
from rfcheck.errors import VerifyError
from rfcheck.input_size import crossed
from rfcheck.linting.measurement_facts import plateau_fact, saturation_fact, tail_pattern_fact
from rfcheck.verify.conclusions import Gain, Judgement, MeasuredLayer, TailPattern, VariantResult, Verdict
from rfcheck.verify.recipe import Training
from rfcheck.verify.records import Measurement, Variant
from rfcheck.verify.saturation.spectrum import mean_saturation
from rfcheck.verify.verdict.caveats import caveats
from rfcheck.verify.verdict.conclusion import conclude
from rfcheck.verify.verdict.evidence import Evidence, plateau_sentence
from rfcheck.verify.verdict.flow import Flow
from rfcheck.verify.verdict.intervals import clopper_pearson
from rfcheck.verify.verdict.learning import why_unlearned
from rfcheck.verify.verdict.measured import measured_layers
from rfcheck.verify.verdict.measurement_rules import (
    PLATEAU,
    PREDICTION,
    SATURATION,
    TAIL_PATTERN,
    limits,
    measurement_findings,
)
from rfcheck.verify.verdict.plateau import gain_after_border, gain_before_border, plateau, skipped_layers
from rfcheck.verify.verdict.predictions import opinions
from rfcheck.verify.verdict.probed import Probed, probed
from rfcheck.verify.verdict.tail_pattern import tail_pattern
from rfcheck.verify.verdict.variants import of_variant, variant_results
from rfcheck.verify.verdict.width import width_factor


def judge(
    variants: Sequence[Variant],
    measurements: Sequence[Measurement],
    *,
    settings: Settings,
    training: Training,
    input_size: tuple[int, ...],
    name: str,
    flow: Flow,
    chance: float,
) -> Judgement:
    """Judge the predictions about a model, and its changed variants, by what was measured.

    Args:
        variants: the original first.
        measurements: of every variant and seed, all on the same test images.
        settings: selection, severities and limits of the rules about measurements.
        training: how the models were trained.
        input_size: image extents, (H, W) in pixels.
        name: what to call the model.
        flow: which layers of the original each reads.
        chance: accuracy of guessing: the share of the most frequent class among the test images.

    Raises:
        VerifyError: if the original was not measured, or measurements are of different test images.
        RuleError: if an override names a limit that a rule does not have.
    """
    original = variants[0]
    own = _own_measurements(original, measurements)
    probes = probed(original.layers, own)
    relevant = limits(PLATEAU, settings)
    layers = measured_layers(original.layers, own, skipped_layers(probes, flow, relevant["relevant_gain"]))
    results = variant_results(variants, measurements)
    accuracy = clopper_pearson(sum(results[0].accuracies) / len(own), len(own[0].correct))
    pattern = _pattern(layers, settings)
    unlearned = why_unlearned(accuracy, chance, limits(PREDICTION, settings)["least_learned"])
    evidence = _evidence(original, probes, flow, pattern, results, relevant["relevant_gain"], unlearned)
    stop = plateau(probes, relevant["relevant_gain"])
    judged = list(zip(original.findings, opinions(original.findings, evidence), strict=True))
    status, summary = conclude(judged, evidence, stop, relevant["min_layers"], f"{name} at {crossed(input_size)} px")
    mean, factor = _width(layers, settings)
    facts = _facts(name, evidence, stop, mean, factor)
    return Judgement(
        status=status,
        summary=summary,
        layers=layers,
        plateau=None if stop is None else stop.reference,
        before_border=evidence.before_border,
        after_border=evidence.after_border,
        tail_pattern=pattern,
        mean_saturation=mean,
        width_factor=factor,
        verdicts=tuple(Verdict(finding, opinion.status, opinion.evidence, opinion.measured) for finding, opinion in judged),
        findings=measurement_findings(facts, judged, original.layers, settings),
        variants=results,
        caveats=caveats(variants, measurements, training, _without_probe(original, probes)),
    )


def _own_measurements(original: Variant, measurements: Sequence[Measurement]) -> tuple[Measurement, ...]:
    own = of_variant(measurements, original.name)
    if not own:
        raise VerifyError(f"there is no measurement of the model {original.name!r} to judge; train it first")
    counts = {len(one.correct) for one in measurements}
    if len(counts) > 1:
        numbers = " and ".join(map(str, sorted(counts)))
        raise VerifyError(f"the measurements are of different test images ({numbers}); verify anew in an empty folder")
    return own


def _evidence(
    original: Variant,
    probes: Probed,
    flow: Flow,
    pattern: TailPattern | None,
    results: tuple[VariantResult, ...],
    relevant_gain: float,
    unlearned: str,
) -> Evidence:
    border = original.border
    tail = tuple(layer.name for layer in original.layers if layer.in_tail)
    return Evidence(
        probes=probes,
        flow=flow,
        border=border,
        tail=tail,
        before_border=None if border is None else gain_before_border(probes, border, tail, flow),
        after_border=None if border is None else gain_after_border(probes, border, tail, flow),
        tail_pattern=pattern,
        results=results[1:],
        relevant_gain=relevant_gain,
        unlearned=unlearned,
    )


def _pattern(layers: Sequence[MeasuredLayer], settings: Settings) -> TailPattern | None:
    limit = limits(TAIL_PATTERN, settings)
    names, values = [one.layer.name for one in layers], [one.saturation for one in layers]
    return tail_pattern(names, values, math.ceil(limit["min_layers"]), limit["share"])


def _width(layers: Sequence[MeasuredLayer], settings: Settings) -> tuple[float, float | None]:
    limit = limits(SATURATION, settings)
    mean = mean_saturation(one.saturation for one in layers)
    return mean, width_factor(mean, limit["low"], limit["high"])


def _without_probe(original: Variant, probes: Probed) -> list[str]:
    return [layer.name for layer in original.layers if layer.judged and layer.name not in probes.names]


def _facts(name: str, evidence: Evidence, stop: Gain | None, mean: float, factor: float | None) -> dict[str, Any]:
    pattern = evidence.tail_pattern
    return {
        "model": {"name": name},
        "tail_pattern": None if pattern is None else tail_pattern_fact(pattern.layers, pattern.mean, pattern.rest),
        "saturation": None if math.isnan(mean) else saturation_fact(mean, 1.0 if factor is None else factor),
        "plateau": _plateau_fact(evidence, stop),
    }


def _plateau_fact(evidence: Evidence, stop: Gain | None) -> dict[str, Any] | None:
    names = evidence.probes.names
    if not names or evidence.unlearned or (evidence.border is not None and evidence.border not in names):
        return None
    layer = names[-1] if stop is None else stop.reference
    at = names.index(layer)
    distance = 0 if evidence.border is None else at - names.index(evidence.border)
    shown = "" if stop is None else plateau_sentence(stop, evidence.relevant_gain)
    return plateau_fact(layer, evidence.border, distance, len(names) - 1 - at, shown)
