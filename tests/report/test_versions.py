"""Two versions of a set of models."""

from __future__ import annotations

import pytest
from torch import nn

from rfcheck import TargetError
from rfcheck.report.versions import compare_versions, failing, verdict
from tests.report.version_cases import LONG, MILD, SETTINGS, SHORT, WIDE, chain, result


def versions(before: list[int], after: list[int], settings=SETTINGS):
    return compare_versions([result("old.py:A", chain(before), settings)], [result("new.py:B", chain(after), settings)])


def test_one_model_each_is_compared_whatever_the_names():
    compared = versions(LONG, LONG)
    assert [(m.before.target, m.after.target) for m in compared.models] == [("old.py:A", "new.py:B")]
    assert compared.is_empty


def test_several_models_are_matched_by_name():
    before = [result(f"HEAD:a.py:{name}", chain(SHORT)) for name in "ABC"]
    after = [result(f"a.py:{name}", chain(SHORT)) for name in "DCA"]
    compared = compare_versions(before, after)
    assert [(m.before.target, m.after.target) for m in compared.models] == [("HEAD:a.py:C", "a.py:C"), ("HEAD:a.py:A", "a.py:A")]
    assert [r.target for r in compared.removed] == ["HEAD:a.py:B"]
    assert [r.target for r in compared.added] == ["a.py:D"]
    assert not compared.is_empty


def test_one_model_and_several():
    compared = compare_versions([result("a.py:A", chain(SHORT))], [result("b.py:A", chain(SHORT)), result("b.py:B", chain(LONG))])
    assert [m.after.target for m in compared.models] == ["b.py:A"]
    assert [f.code for f in compared.new] == ["RF101"], "all findings of an added model are new"
    assert compared.gone == []


def test_findings_of_a_removed_model_are_gone():
    compared = compare_versions([result("a.py:A", chain(SHORT)), result("a.py:B", chain(LONG))], [result("b.py:A", chain(SHORT))])
    assert [f.code for f in compared.gone] == ["RF101"]
    assert compared.new == []


def test_nothing_in_common():
    with pytest.raises(TargetError) as caught:
        compare_versions([result(f"a.py:{name}", chain(SHORT)) for name in "AB"], [result("b.py:C", chain(SHORT))])
    assert str(caught.value) == (
        "no model has the same name in both: A, B before, C after; name the two to compare, as in a.py:A b.py:C"
    )


GROWN = (
    "layers in the tail 0 -> 3, unproductive layers 0 -> 3, FLOPs 15.6 k -> 36.3 k (+133.3%), "
    "parameters 252 -> 588 (+133.3%), activations 2.30 kB -> 5.38 kB (+133.3%)"
)
"""From 3 to 7 convolutions of 3 filters with 3x3 taps and a bias, over 8x8 positions: 84 parameters and 5,184 products each."""


@pytest.mark.parametrize(
    ("before", "after", "settings", "fail_on", "worse", "line"),
    [
        (SHORT, LONG, SETTINGS, "warning", 1, f"Worse: {GROWN}, 1 new finding."),
        (SHORT, LONG, SETTINGS, "info", 1, f"Worse: {GROWN}, 1 new finding."),
        (SHORT, LONG, SETTINGS, "error", 0, f"Worse: {GROWN}, 1 new finding (below error)."),
        (SHORT, LONG, SETTINGS, "never", 0, f"Worse: {GROWN}, 1 new finding (--fail-on is never)."),
        (SHORT, LONG, MILD, "warning", 0, f"Worse: {GROWN}, 1 new finding (below warning)."),
        (SHORT, LONG, MILD, "info", 1, f"Worse: {GROWN}, 1 new finding."),
        (
            LONG,
            SHORT,
            SETTINGS,
            "warning",
            0,
            "Better: layers in the tail 3 -> 0, unproductive layers 3 -> 0, FLOPs 36.3 k -> 15.6 k (-57.1%), "
            "parameters 588 -> 252 (-57.1%), activations 5.38 kB -> 2.30 kB (-57.1%), 1 finding fixed.",
        ),
        (
            LONG,
            WIDE,
            SETTINGS,
            "info",
            0,
            "Worse: layers in the tail 3 -> 4, unproductive layers 3 -> 4, FLOPs 36.3 k -> 45.5 k (+25.4%), "
            "parameters 588 -> 732 (+24.5%).",
        ),
        (SHORT, SHORT, SETTINGS, "info", 0, "Neither better nor worse: no cost, no tail and no finding changed."),
    ],
)
def test_the_verdict(before, after, settings, fail_on, worse, line):
    compared = versions(before, after, settings)
    assert len(failing(compared, fail_on)) == worse
    assert verdict(compared, fail_on) == line


def test_the_verdict_counts_milder_findings_apart():
    before = [result("a.py:A", chain(SHORT)), result("a.py:B", chain(SHORT), MILD), result("a.py:C", chain(LONG))]
    after = [result("b.py:A", chain(LONG)), result("b.py:B", chain(LONG), MILD), result("b.py:C", chain(SHORT))]
    text = verdict(compare_versions(before, after), "warning")
    assert text.startswith("Better: 1 finding fixed; worse: layers in the tail 3 -> 6, ")
    assert text.endswith(", 2 new findings (1 below warning).")


def test_a_smaller_tail_for_more_flops_is_both():
    strided = nn.Sequential(nn.Conv2d(3, 3, 3, 2, 1), *chain([3] * 6))
    compared = compare_versions([result("old.py:A", strided)], [result("new.py:A", chain([*SHORT, 3]))])
    assert verdict(compared, "warning") == (
        "Better: layers in the tail 4 -> 0, unproductive layers 4 -> 0, parameters 588 -> 336 (-42.9%), 1 finding fixed; "
        "worse: FLOPs 9.07 k -> 20.7 k (+128.6%), activations 1.34 kB -> 3.07 kB (+128.6%)."
    )
