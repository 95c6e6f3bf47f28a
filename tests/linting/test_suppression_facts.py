from __future__ import annotations

from rfcheck.linting.suppression import ALL, Suppression
from rfcheck.linting.suppression_facts import ATTRIBUTES, facts_about


def test_the_facts_are_plain_and_complete():
    comment = Suppression("a.py", 3, 9, ("RF101", "RF999"), "why", 1, 9, True, 30)
    facts = facts_about(comment, unknown=["RF999"], unused=["RF101"])
    assert facts == {
        "path": "a.py",
        "line": 3,
        "codes": ["RF101", "RF999"],
        "reason": "why",
        "is_file": True,
        "problem": "",
        "unknown": ["RF999"],
        "unused": ["RF101"],
    }
    assert set(facts) == ATTRIBUTES


def test_a_comment_for_all_rules():
    comment = Suppression("a.py", 3, 9, (), "", 3, 3)
    assert facts_about(comment, unknown=[], unused=[ALL])["unused"] == [""]
