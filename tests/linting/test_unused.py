from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rfcheck.config import RuleOverride, Settings
from rfcheck.errors import RuleError
from rfcheck.linting.finding import Finding
from rfcheck.linting.rule import built_in_rules, parse_rule
from rfcheck.linting.suppressing import Silenced
from rfcheck.linting.suppression import ALL, Suppression
from rfcheck.linting.unused import unused_findings
from rfcheck.span import Span


def comment(line: int, *codes: str, problem: str = "") -> Suppression:
    return Suppression("a.py", line, 12, codes, "", line, line, end_column=40, problem=problem)


def messages(suppressions, used=frozenset(), settings=None) -> list[tuple[int, str]]:
    found = unused_findings(suppressions, used, built_in_rules(), settings or Settings())
    return [(finding.location[1], finding.message) for finding in found.kept]


def test_a_finding_points_at_the_comment():
    found = unused_findings([comment(3, "RF101")], frozenset(), built_in_rules(), Settings())
    message = "nothing here is silenced by RF101; correct the comment or remove it"
    expected = Finding("RF902", "unused-suppression", "info", message, None, chain=(Span("a.py", 3, 12, 3, 40),))
    assert found == Silenced((expected,), (), frozenset())


@pytest.mark.parametrize(
    ("suppression", "used", "message"),
    [
        (comment(1), [], "nothing here is silenced by this comment; correct the comment or remove it"),
        (comment(1, "RF1", "RF301"), [], "nothing here is silenced by RF1, RF301; correct the comment or remove it"),
        (comment(1, "RF1", "dead-taps"), ["RF1"], "nothing here is silenced by dead-taps; correct the comment or remove it"),
        (comment(1, "RF999"), [], "no rule is called RF999; correct the comment or remove it"),
        (comment(1, "RF999", "taps", "RF101"), ["RF101"], "no rule is called RF999, taps; correct the comment or remove it"),
        (
            comment(1, "RF101", "RF999"),
            [],
            "nothing here is silenced by RF101, no rule is called RF999; correct the comment or remove it",
        ),
        (
            comment(1, problem="the bracket is not closed; write # rfcheck: ignore[RF101]"),
            [],
            "the bracket is not closed; write # rfcheck: ignore[RF101]",
        ),
    ],
)
def test_messages(suppression, used, message):
    assert messages([suppression], {(suppression, entry) for entry in used}) == [(1, message)]


def test_what_is_used_is_not_reported():
    all_rules, some = comment(1), comment(2, "RF101", "dead-taps")
    assert messages([all_rules, some], {(all_rules, ALL), (some, "RF101"), (some, "dead-taps")}) == []


@pytest.mark.parametrize(
    ("settings", "lines"),
    [
        (Settings(), [1, 2, 3]),
        (Settings(ignore=("RF101",)), [3]),
        (Settings(ignore=("RF302",)), [2]),
        (Settings(select=("RF1", "RF902")), [2]),
        (Settings(select=("RF1",)), []),
        (Settings(ignore=("RF9",)), []),
    ],
)
def test_rules_that_did_not_run_prove_nothing(settings, lines):
    suppressions = [comment(1), comment(2, "RF101"), comment(3, "RF3")]
    assert [line for line, _ in messages(suppressions, settings=settings)] == lines


@pytest.mark.parametrize("entry", ["RF701", "RF7", "tail-pattern-measured"])
def test_rules_about_measurements_do_not_run_here_and_are_not_unknown(entry):
    assert messages([comment(1, entry)]) == []


def test_an_unknown_rule_is_unknown_whatever_runs():
    assert [line for line, _ in messages([comment(1, "RF999")], settings=Settings(select=("RF902",)))] == [1]


def test_reports_about_comments_can_be_silenced_but_not_by_a_blank_comment_about_itself():
    itself, file = comment(1, "RF101", "RF902"), replace(comment(9, "unused-suppression"), is_file=True)
    assert messages([itself]) == []
    assert messages([file]) == []
    assert messages([comment(1), comment(2, "RF101"), file]) == []
    assert [line for line, _ in messages([comment(1), comment(2, "RF101")])] == [1, 2]
    blank = replace(comment(9), is_file=True)
    assert [line for line, _ in messages([comment(1), comment(2, "RF101"), blank])] == [9]


def test_what_silences_a_report_is_named():
    itself = comment(1, "RF101", "RF902")
    found = unused_findings([itself], frozenset(), built_in_rules(), Settings())
    assert [(finding.code, by) for finding, by in found.suppressed] == [("RF902", itself)]
    assert found.used == {(itself, "RF902")}


def test_the_severity_can_be_overridden():
    settings = Settings(rules={"RF902": RuleOverride("error")})
    (finding,) = unused_findings([comment(1)], frozenset(), built_in_rules(), settings).kept
    assert finding.severity == "error"


RULE = """---
code: XX001
name: no-reason
severity: warning
scope: suppression
when: suppression.reason == '' && suppression.line >= limits.first
message: "{suppression.path}: line {suppression.line} gives no reason"
limits: {first: 2}
---
A comment should say why.
"""


def own_rule(text: str = RULE):
    return parse_rule(Path("XX001-no-reason.md"), text)


def test_a_rule_of_ones_own():
    rules = [*built_in_rules(), own_rule()]
    settings = Settings(select=("XX",))
    found = unused_findings([comment(1, "RF101"), comment(2, "RF101")], frozenset(), rules, settings)
    assert [finding.message for finding in found.kept] == ["a.py: line 2 gives no reason"]
    settings = Settings(select=("XX",), rules={"XX001": RuleOverride(limits={"first": 1})})
    found = unused_findings([comment(1, "RF101")], frozenset(), rules, settings)
    assert [finding.message for finding in found.kept] == ["a.py: line 1 gives no reason"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "suppression.reason ==",
            "suppression.raeson ==",
            "6: when: \"suppression.raeson == '' && suppression.line >= limits.first\" reads '.raeson'",
        ),
        (
            "suppression.reason == ''",
            "size(tail) > 0",
            "6: when: 'size(tail) > 0 && suppression.line >= limits.first' reads 'tail'",
        ),
        (
            "limits: {first",
            "at: suppression\nlimits: {first",
            "8: at: a rule of the scope suppression points at the comment; leave the key out",
        ),
        (
            "scope: suppression",
            "scope: model",
            "6: when: \"suppression.reason == '' && suppression.line >= limits.first\" reads 'suppression'",
        ),
    ],
)
def test_wrong_rules_about_comments(old, new, message):
    with pytest.raises(RuleError) as caught:
        own_rule(RULE.replace(old, new))
    assert str(caught.value).startswith(f"XX001-no-reason.md:{message}")
