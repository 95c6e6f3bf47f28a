"""Two versions of a set of models."""

from __future__ import annotations

import pytest

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


@pytest.mark.parametrize(
    ("before", "after", "settings", "fail_on", "worse", "line"),
    [
        (SHORT, LONG, SETTINGS, "warning", 1, "Worse: 1 new finding, 0 fixed."),
        (SHORT, LONG, SETTINGS, "info", 1, "Worse: 1 new finding, 0 fixed."),
        (SHORT, LONG, SETTINGS, "error", 0, "Not worse: 1 new finding below error, 0 fixed."),
        (SHORT, LONG, SETTINGS, "never", 0, "Not worse: 1 new finding as --fail-on is never, 0 fixed."),
        (SHORT, LONG, MILD, "warning", 0, "Not worse: 1 new finding below warning, 0 fixed."),
        (SHORT, LONG, MILD, "info", 1, "Worse: 1 new finding, 0 fixed."),
        (LONG, SHORT, SETTINGS, "warning", 0, "Better: no new finding, 1 fixed."),
        (LONG, WIDE, SETTINGS, "info", 0, "Neither better nor worse: no finding is new or fixed."),
    ],
)
def test_the_verdict(before, after, settings, fail_on, worse, line):
    compared = versions(before, after, settings)
    assert len(failing(compared, fail_on)) == worse
    assert verdict(compared, fail_on) == line


def test_the_verdict_counts_milder_findings_apart():
    before = [result("a.py:A", chain(SHORT)), result("a.py:B", chain(SHORT), MILD), result("a.py:C", chain(LONG))]
    after = [result("b.py:A", chain(LONG)), result("b.py:B", chain(LONG), MILD), result("b.py:C", chain(SHORT))]
    assert verdict(compare_versions(before, after), "warning") == "Worse: 1 new finding (1 more below warning), 1 fixed."
