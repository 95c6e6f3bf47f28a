from __future__ import annotations

import math
from pathlib import Path

import pytest
from torch import nn

from rfcheck import RuleError, analyze
from rfcheck.config import Settings
from rfcheck.linting.engine import lint
from rfcheck.linting.functions import against, listed
from rfcheck.linting.rule import parse_rule


@pytest.mark.parametrize(
    ("value", "limit", "text"),
    [
        (1_814_073_344, 1e9, "1.81 G (limit 1 G)"),
        (1_000_000_001, 1e9, "1.000000001 G (limit 1 G)"),
        (999_999, 1000, "1 M (limit 1 k)"),
        (12_345, 12_344.5, "12.345 k (limit 12.344 k)"),
        (0.4183, 0.3, "0.418 (limit 0.3)"),
        (11, -math.inf, "11 (limit -inf)"),
        (5e15, 2e12, "5 P (limit 2 T)"),
    ],
)
def test_a_value_and_its_limit_can_be_told_apart(value, limit, text):
    assert against(value, limit) == text


def test_lists_leave_out_what_is_empty():
    assert listed(["a", "", "b"]) == "a, b"
    assert listed([]) == ""


def findings(message: str):
    text = f"---\ncode: XX001\nname: own\nseverity: info\nscope: model\nwhen: 'true'\nmessage: \"{message}\"\n---\npage\n"
    network = analyze(nn.Conv2d(3, 3, 3), 8).network
    return lint(network, [parse_rule(Path("XX001-own.md"), text)], Settings(), "Net")


def test_rules_call_them():
    (finding,) = findings("{listed(['cost ' + against(model.flops, 10), ''])}")
    assert finding.message == "cost 2.92 k (limit 10)"


def test_an_argument_of_another_kind_is_named():
    with pytest.raises(RuleError, match=r"rule XX001: message: \"against\('a', 1\)\" fails"):
        findings("{against('a', 1)}")
