from __future__ import annotations

import io
from dataclasses import replace

from rich.console import Console

from rfcheck.verify.report.variants_table import print_variants
from tests.verify.report.hand_made import SMALL
from tests.verify.report.runs import VGG


def printed(results, width: int = 80) -> str:
    stream = io.StringIO()
    print_variants(results, Console(file=stream, width=width, highlight=False))
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines())


ONE_SEED = """\
variant                  accuracy           difference      p  change
───────────────────────────────────────────────────────────────────────────
original        75.0 [19.0, 99.0]
truncate      50.0 [-10.0, 110.0]  -25.0 [-50.0, -1.0]  0.040  worse

variant        FLOPs        params           time
───────────────────────────────────────────────────────
original      18.4 k           288        2.00 ms
truncate      9.22 k  -50%     144  -50%  1.00 ms  -50%

  truncate: cut behind b
accuracy in percent of the test images and difference in points, with 95%
intervals over the test images; p: McNemar's exact test on the test images of
the first seed; time: of a forward pass per image"""


def test_the_whole_text_with_one_seed():
    assert printed(SMALL.judgement.variants) == ONE_SEED


def test_several_seeds_are_paired():
    assert "with 95% intervals paired over 5 seeds; p:" in " ".join(printed(VGG.judgement.variants).split())


def test_the_numbers_of_every_variant():
    lines = printed(VGG.judgement.variants, width=120).splitlines()
    for result in VGG.judgement.variants[1:]:
        accuracy, cost = (line for line in lines if line.split()[:1] == [result.variant.name])
        assert f"{100 * result.mean.value:.1f} [" in accuracy
        assert f"{100 * result.difference.value:+.1f} [{100 * result.difference.low:+.1f}, " in accuracy
        assert accuracy.endswith(f"  {result.change}")
        assert cost.endswith("-50%")


def test_costs_that_stay_or_rise():
    original, changed = SMALL.judgement.variants
    same = replace(changed, variant=replace(original.variant, name="same"), seconds_per_image=0.0031)
    row = next(line for line in printed((original, same)).splitlines() if line.startswith("same") and "ms" in line)
    assert row.split() == ["same", "18.4", "k", "288", "3.10", "ms", "+55%"]
