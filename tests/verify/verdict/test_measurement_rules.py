from __future__ import annotations

from pathlib import Path

import pytest

from rfcheck.config import RuleOverride, Settings
from rfcheck.errors import RuleError
from rfcheck.linting.finding import Finding
from rfcheck.linting.measurement_facts import plateau_fact, saturation_fact, tail_pattern_fact
from rfcheck.span import Span
from rfcheck.verify.verdict.evidence import Opinion
from rfcheck.verify.verdict.measurement_rules import limits, measurement_findings
from tests.verify.verdict.curves import layer

FACTS = {
    "model": {"name": "Net"},
    "tail_pattern": tail_pattern_fact(["1", "2", "3"], 0.1, 0.4),
    "saturation": saturation_fact(0.125, 0.5),
    "plateau": plateau_fact("1", "4", -3, 5, "the best gains nothing"),
}
JUDGED = [
    (Finding("RF101", "unproductive-tail", "warning", "", "4", chain=(Span("net.py", 9),)), Opinion("refuted", "as measured")),
    (Finding("RF401", "budget", "error", "", None), Opinion("inconclusive", "not measured", measured=False)),
]
LAYERS = [layer(str(i)) for i in range(5)]


def found(settings: Settings | None = None, **facts) -> list[Finding]:
    return list(measurement_findings({**FACTS, **facts}, JUDGED, LAYERS, settings or Settings()))


def test_messages_and_places():
    assert [(one.code, one.severity, one.layer, one.location, one.message) for one in found()] == [
        (
            "RF701",
            "warning",
            "1",
            ("model.py", 2),
            "3 layers from 1 on fill 10.0% of their feature spaces on average, the other layers 40.0%: a sign that the trained model hardly uses them",
        ),
        (
            "RF702",
            "info",
            None,
            None,
            "the layers of Net fill 12.5% of their feature spaces on average, less than the 20% to 30% of networks whose width fits the "
            "task; 0.5 times the width would bring that to the middle, if the dimension of what they hold stayed as it is",
        ),
        (
            "RF703",
            "warning",
            "1",
            ("model.py", 2),
            "no probe improves beyond doubt behind 1, 3 layers before the predicted border layer 4: the best gains nothing",
        ),
        ("RF704", "info", "4", ("net.py", 9), "RF101 unproductive-tail is refuted: as measured"),
    ]


def test_other_messages():
    messages = [
        one.message for one in found(saturation=saturation_fact(0.5, 2.0), plateau=plateau_fact("1", None, 0, 3, "nothing"))
    ]
    assert "more than the 20% to 30%" in messages[1]
    assert messages[2].startswith("no tail was predicted, but no probe improves beyond doubt behind 1, 3 layers before the last: ")
    assert (
        plateau_message("4", "1", 3, 1, "so")
        == "no probe improves beyond doubt behind 4, 3 layers behind the predicted border layer 1: so"
    )
    assert (
        plateau_message("4", "1", 3, 0, "")
        == "the probes improve up to the last layer, 4, 3 layers behind the predicted border layer 1"
    )


def plateau_message(*fact) -> str:
    (message,) = [one.message for one in found(plateau=plateau_fact(*fact)) if one.code == "RF703"]
    return message


def test_nothing_is_found_where_nothing_is_known():
    assert [one.code for one in found(tail_pattern=None, saturation=None, plateau=None)] == ["RF704"]


def test_selection_and_overrides():
    assert [one.code for one in found(Settings(select=("RF70",), ignore=("RF704", "RF702")))] == ["RF701", "RF703"]
    assert found(Settings(select=("RF1",))) == []
    overrides = {"RF703": RuleOverride("error", {"min_layers": 4}), "RF702": RuleOverride("error", {"low": 0.1})}
    assert [one.code for one in found(Settings(rules=overrides))] == ["RF701", "RF704"]
    assert [one.severity for one in found(Settings(rules={"RF704": RuleOverride("error")})) if one.code == "RF704"] == ["error"]


def test_rules_of_the_users_own(tmp_path):
    text = "---\ncode: XX001\nname: own\nseverity: error\nscope: measurement\nwhen: verdict.status == 'refuted'\nmessage: found\n---\npage\n"
    Path(tmp_path / "XX001-own.md").write_text(text, encoding="utf-8")
    settings = Settings(rule_folders=(str(tmp_path),), select=("XX",))
    assert [(one.code, one.layer) for one in found(settings)] == [("XX001", "4")]


def test_limits():
    assert limits("RF701", Settings()) == {"min_layers": 3, "share": 0.5}
    with pytest.raises(RuleError, match=r"^RF701 has no limit 'most'; it has min_layers, share$"):
        limits("RF701", Settings(rules={"RF701": RuleOverride(limits={"most": 1})}))
