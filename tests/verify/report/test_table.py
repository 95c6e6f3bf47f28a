from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from rich.cells import cell_len
from rich.console import Console

from rfcheck.linting.finding import Finding
from rfcheck.verify.conclusions import Run, Verdict
from rfcheck.verify.report.table import print_run
from tests.verify.report.hand_made import SMALL
from tests.verify.report.runs import HEALTHY, LONG, RESNET, VGG, broken

DEEP = Finding("RF601", "depth-for-few-classes", "info", "13 layers for 10 classes", None)
TAIL = Finding(
    "RF101",
    "unproductive-tail",
    "warning",
    "6 layers from features.17 on cannot add context: their input already sees at least 44 px of the 32x32 image",
    "features.17",
)


def padded(layer: str) -> Finding:
    return Finding("RF302", "padding-dominated", "info", f"more than half of what {layer} reads is padding", layer)


def judged(*verdicts: Verdict, run: Run = VGG) -> Run:
    return replace(run, judgement=replace(run.judgement, verdicts=verdicts))


def printed(run: Run, width: int = 80, **how: object) -> str:
    stream = io.StringIO()
    print_run(run, Console(file=stream, width=width, highlight=False, **how))
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines())


WHOLE = """\
vgg16 at 3x32x32: confirmed
  The layers behind the border layer add nothing that a probe can read.
  trained for 2 epochs, 5 seeds on cifar10:~/data (45,000 training, 5,000
  validation and 1,000 test images); test accuracy 84.6% [83.4, 85.7]

layer         r_in              probe  satur.  status
───────────────────────────────────────────────────────────────────
features.0       1  49.1 [46.0, 52.2]    62.0  ok
features.2       3  57.0 [53.9, 60.1]    62.0  ok
features.5       6  63.1 [60.0, 66.1]    62.0  ok
features.7      10  68.2 [65.2, 71.1]    62.0  ok
features.10     16  72.7 [69.8, 75.4]    62.0  ok
features.12     24  76.8 [74.1, 79.4]    62.0  ok
features.14     32  80.5 [77.9, 82.9]    62.0  ok
features.17     44  84.0 [81.6, 86.2]    22.0  tail, b_min, plateau
features.19     60  84.0 [81.6, 86.2]    22.0  tail
features.21     76  84.0 [81.6, 86.2]    22.0  tail
features.24    100  84.0 [81.6, 86.2]    22.0  tail
features.26    132  84.0 [81.6, 86.2]    22.0  tail
features.28    164  84.0 [81.6, 86.2]    22.0  tail
classifier.0   212  84.0 [81.6, 86.2]    62.0  head
classifier.3   inf  84.0 [81.6, 86.2]    62.0  head
classifier.6   inf  84.0 [81.6, 86.2]    62.0  head
r_in: smallest receptive field of the layer's input, in pixels; probe: accuracy
of a logistic regression on the layer's output in percent of the test images,
with its 95% interval; satur.: saturation, the share of the feature space in
use, in percent; b_min: predicted border layer; plateau: first layer from which
no later probe improves

  cut before the border layer: the best later probe (classifier.6) against that
    of features.14: +2.1 points [+1.2, +3.1]
  cut after the border layer: the best later probe (classifier.6) against that
    of features.17: +0.3 points [-0.4, +0.9]
  mean saturation: 40.0%; tail pattern in 6 layers from features.17 to
    features.28: 20.0% against 60.0% of the rest

predictions
  refuted RF601 depth-for-few-classes
    predicted: 13 layers for 10 classes
    measured: The deepest probe is the best.
  confirmed RF101 unproductive-tail features.17
    predicted: 6 layers from features.17 on cannot add context: their input
      already sees at least 44 px of the 32x32 image
    measured: Behind the border layer no probe gains a point: +0.3 points [-0.4,
      +0.9].
  inconclusive RF302 padding-dominated (2 layers)
    features.24, features.26: Training does not measure this.

findings about the measurements
  RF702 saturation-out-of-range [info]
    the mean saturation is 0.40, outside of 0.20 to 0.30: scale the widths by
    1.6

fixes
variant                   accuracy         difference       p  change
────────────────────────────────────────────────────────────────────────────────
original         84.6 [83.4, 85.7]
truncate         85.0 [83.8, 86.1]  +0.4 [-0.6, +1.4]   0.410  no difference
                                                                 shown
truncate-before  82.8 [81.6, 83.9]  -1.8 [-2.9, -0.7]  <0.001  worse
remove-stem      90.7 [89.5, 91.8]  +6.1 [+4.0, +8.2]  <0.001  better

variant          FLOPs        params          time
────────────────────────────────────────────────────────
original         433 M         134 M        250 µs
truncate         216 M  -50%  44.8 M  -67%  125 µs  -50%
truncate-before  144 M  -67%  33.6 M  -75%  125 µs  -50%
remove-stem      108 M  -75%  26.9 M  -80%  125 µs  -50%

  truncate: the model after truncate
  truncate-before: the model after truncate-before
  remove-stem: the model after remove-stem
accuracy in percent of the test images and difference in points, with 95%
intervals paired over 5 seeds; p: McNemar's exact test on the test images of the
first seed; time: of a forward pass per image

to keep in mind
  - Each model was trained for 2 epochs: short trainings rank deep and wide
    networks too low.
"""


def test_the_canvas_that_images_were_placed_on():
    shown = printed(replace(VGG, recipe=replace(VGG.recipe, canvas=96)), width=400)
    assert "5 seeds on cifar10:~/data on a canvas of 96 px (45,000 training" in shown


def test_the_whole_text():
    run = judged(
        Verdict(TAIL, "confirmed", "Behind the border layer no probe gains a point: +0.3 points [-0.4, +0.9]."),
        *(Verdict(padded(name), "inconclusive", "Training does not measure this.") for name in ("features.24", "features.26")),
        Verdict(DEEP, "refuted", "The deepest probe is the best."),
    )
    assert printed(run) + "\n" == WHOLE


@pytest.mark.parametrize("run", [VGG, RESNET, HEALTHY, LONG, SMALL, broken(VGG)], ids=lambda run: run.name)
def test_80_columns_are_enough(run):
    assert max(map(cell_len, printed(run).splitlines())) <= 80


def test_without_colour_nothing_is_lost():
    coloured = printed(VGG, force_terminal=True, color_system="truecolor")
    assert "\x1b[" in coloured
    plain = "\n".join(line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", coloured).splitlines())
    assert plain == printed(VGG)


def test_verdicts_of_a_rule_with_the_same_evidence_share_a_line():
    names = [f"features.{n}" for n in range(5)]
    text = printed(judged(*(Verdict(padded(name), "inconclusive", "Not measured.") for name in names)))
    assert "  inconclusive RF302 padding-dominated (5 layers)\n" in text
    assert "    features.0, features.1, features.2 and 2 more: Not measured.\n" in text


def test_of_many_pieces_of_evidence_the_first_are_printed():
    text = printed(judged(*(Verdict(padded(f"features.{n}"), "refuted", f"Reason {n}.") for n in range(5))))
    lines = ["    features.0: Reason 0.", "    features.1: Reason 1.", "    features.2: Reason 2.", "    and 2 more in report.json"]
    assert "\n".join(["  refuted RF302 padding-dominated (5 layers)", *lines, ""]) in text


def test_a_finding_that_was_not_measured_has_no_measurement():
    said = "a budget is compared with costs, which training does not change"
    text = printed(judged(Verdict(padded("a"), "inconclusive", said, measured=False)), width=400)
    assert f"    not measured: {said}\n" in text


def test_the_same_rule_with_several_statuses():
    text = printed(judged(Verdict(padded("a"), "confirmed", "Yes."), Verdict(padded("b"), "refuted", "No.")))
    refuted, confirmed = "  refuted RF302 padding-dominated b\n", "  confirmed RF302 padding-dominated a\n"
    assert refuted in text
    assert confirmed in text
    assert text.index(refuted) < text.index(confirmed)


def test_findings_that_repeat_the_verdicts_are_left_out():
    assert "RF704" in {finding.code for finding in VGG.judgement.findings}
    assert "RF704" not in printed(VGG)
    assert "findings about the measurements" not in printed(RESNET)


def test_sections_that_hold_nothing_are_left_out():
    run = replace(HEALTHY, judgement=replace(HEALTHY.judgement, verdicts=(), caveats=()))
    text = printed(run)
    starts = ("predictions", "findings", "fixes", "to keep in mind", "cut before", "cut after")
    assert [line for line in text.splitlines() if line.strip().startswith(starts)] == []
    assert [line for line in printed(VGG).splitlines() if line.strip().startswith(starts)] != []
    assert text.endswith("\n  mean saturation: 40.0%; no tail pattern")


def test_what_could_not_be_measured():
    text = printed(broken(VGG))
    assert "\nfeatures.0       1                  ?       ?  ok\n" in text
    assert "\n  mean saturation: unknown; tail" in text


def test_a_refuted_run_with_markup_in_its_names():
    text = printed(replace(SMALL, name="[bold]Net[/bold]"))
    assert text.startswith("[bold]Net[/bold] at 3x8x8: refuted\n  The tail helps.\n")
