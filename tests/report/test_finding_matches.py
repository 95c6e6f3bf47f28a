"""Which findings of one model are those of another."""

from __future__ import annotations

import pytest

from rfcheck.linting.finding import Finding
from rfcheck.report.finding_matches import match_findings


def findings(text: str) -> list[Finding]:
    """ "L1@conv1 M1@conv2 M2": rules and layers; M is a rule about the whole model."""
    pairs = [word.partition("@") for word in text.split()]
    return [Finding(code, "name", "warning", f"{code} {layer}", layer or None) for code, _, layer in pairs]


def written(found: tuple[Finding, ...]) -> str:
    return " ".join(f"{f.code}@{f.layer}" if f.layer else f.code for f in found)


@pytest.mark.parametrize(
    ("before", "after", "gone", "new", "kept"),
    [
        ("", "", "", "", ""),
        ("L1@a", "L1@a", "", "", "L1@a"),
        ("L1@a", "", "L1@a", "", ""),
        ("", "L1@a", "", "L1@a", ""),
        # another layer that both have: one is fixed, one is new
        ("L1@a", "L1@b", "L1@a", "L1@b", ""),
        # another rule on the same layer
        ("L1@a", "L2@a", "L1@a", "L2@a", ""),
        # rules about the whole model are the same wherever they point
        ("M1@a", "M1@b", "", "", "M1@b"),
        ("M1@a", "M1@only_after", "", "", "M1@only_after"),
        ("M1", "M1@a", "", "", "M1@a"),
        ("M1@a", "M2@a", "M1@a", "M2@a", ""),
        # renamed layers are counted per rule
        ("L1@only_before", "L1@only_after", "", "", "L1@only_after"),
        ("L1@only_before", "L2@only_after", "L1@only_before", "L2@only_after", ""),
        ("L1@x L1@y", "L1@z", "L1@y", "", "L1@z"),
        ("L1@z", "L1@x L1@y", "", "L1@y", "L1@x"),
        # a fixed finding on a layer that both have does not pay for one on a layer that is new
        ("L1@a", "L1@only_after", "L1@a", "L1@only_after", ""),
        ("L1@only_before", "L1@a", "L1@only_before", "L1@a", ""),
        ("L1@a L1@b L2@a M1@a", "M1@b L1@b L2@c L1@x", "L1@a L2@a", "L2@c L1@x", "M1@b L1@b"),
    ],
)
def test_matches(before, after, gone, new, kept):
    matches = match_findings(findings(before), findings(after), {"a", "b", "c"}, {"M1", "M2"})
    assert (written(matches.gone), written(matches.new), written(matches.kept)) == (gone, new, kept)


def test_kept_findings_are_those_of_the_second_model():
    first, second = findings("M1@a"), findings("M1@b")
    assert match_findings(first, second, {"a", "b"}, {"M1"}).kept[0] is second[0]
