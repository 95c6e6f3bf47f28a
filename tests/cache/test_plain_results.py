from __future__ import annotations

import json
import math
from dataclasses import fields
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rfcheck.analysis.cost import Cost
from rfcheck.analysis.layers import Layer
from rfcheck.analysis.roles import Role
from rfcheck.api import analyze
from rfcheck.cache.plain_results import result_from, to_plain
from rfcheck.config import RuleOverride, Settings
from rfcheck.linting.finding import SEVERITIES, Finding
from rfcheck.report.result import Result
from rfcheck.report.snapshot import Snapshot, snapshot_of
from rfcheck.span import Span
from tests.cache.results import RESULT
from tests.zoo import torchvision_model

TEXT = st.text()
NUMBER = st.integers()
EXTENT = st.one_of(st.integers(), st.floats(allow_nan=False), st.just(math.inf))


def tuples(of, **size):
    return st.lists(of, max_size=3, **size).map(tuple)


def maybe(of):
    return st.none() | of


SPANS = st.builds(Span, TEXT, NUMBER, *[maybe(NUMBER)] * 3)
COSTS = st.builds(Cost, NUMBER, NUMBER, NUMBER)
FINDINGS = st.builds(Finding, TEXT, TEXT, st.sampled_from(SEVERITIES), TEXT, maybe(TEXT), tuples(TEXT), tuples(SPANS))
LAYER_FIELDS = {
    "name": TEXT, "kind": TEXT, "role": st.sampled_from(get_args(Role)), "module_type": TEXT,
    **dict.fromkeys(("kernel", "stride", "dilation", "padding"), maybe(tuples(NUMBER))),
    **dict.fromkeys(("groups", "in_channels", "out_channels"), maybe(NUMBER)),
    **dict.fromkeys(("in_size", "out_size"), tuples(NUMBER)),
    **dict.fromkeys(("jump", "r_min", "r_max", "r_in_min", "r_in_max"), maybe(tuples(EXTENT))),
    "live_taps": maybe(st.floats(0, 1)), "flops": NUMBER, "params": NUMBER,
    "judged": st.booleans(), "productive": maybe(st.booleans()), "in_tail": st.booleans(),
    "source": maybe(st.tuples(TEXT, NUMBER)),
}  # fmt: skip
SNAPSHOTS = st.builds(
    Snapshot,
    model=TEXT, channels=NUMBER, input_size=tuples(NUMBER), traced_with=TEXT, assumptions=tuples(TEXT),
    border_min=maybe(TEXT), border_max=maybe(TEXT), tail=tuples(TEXT),
    resolution_range=st.tuples(maybe(tuples(EXTENT)), maybe(tuples(EXTENT))), cost=COSTS, tail_cost=COSTS,
    flops_by_operator=st.dictionaries(TEXT, NUMBER, max_size=3), layers=tuples(st.builds(Layer, **LAYER_FIELDS)),
    best_fixes=st.dictionaries(TEXT, TEXT, max_size=3),
)  # fmt: skip
RESULTS = st.builds(Result, TEXT, maybe(TEXT), maybe(NUMBER), SNAPSHOTS, tuples(FINDINGS))


def through_json(result: Result) -> Result:
    return result_from(json.loads(json.dumps(to_plain(result)).encode()))


def test_everything_that_a_layer_holds_is_tried():
    assert LAYER_FIELDS.keys() == {field.name for field in fields(Layer)}


@given(RESULTS)
def test_any_result_comes_back_as_it_was(result):
    again = through_json(result)
    assert again == result
    assert repr(again) == repr(result)


def test_a_result_with_everything():
    assert through_json(RESULT) == RESULT


@pytest.mark.parametrize("name", ["vgg11", "squeezenet1_1", "efficientnet_b0", "vit_b_16", "swin_t"])
def test_results_of_real_models(name):
    analysis = analyze(torchvision_model(name), 224)
    result = Result(name, None, None, snapshot_of(analysis, with_fixes=False), analysis.findings)
    assert repr(through_json(result)) == repr(result)


def test_settings_are_data_too():
    settings = Settings(select=("RF1",), rules={"RF101": RuleOverride("error", {"min_layers": math.inf})}, classes=10)
    assert to_plain(settings) == {
        "channels": 3,
        "projection": "downsampling",
        "gates": "ignore",
        "flops_by": "torch",
        "select": ["RF1"],
        "ignore": [],
        "rule_folders": [],
        "rules": {"RF101": {"severity": "error", "limits": {"min_layers": math.inf}}},
        "classes": 10,
    }


PLAIN = to_plain(RESULT)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {**PLAIN, "snapshot": {}},
        {**PLAIN, "snapshot": {**PLAIN["snapshot"], "layers": [{}]}},
        {**PLAIN, "snapshot": {**PLAIN["snapshot"], "unknown": 1}},
        {**PLAIN, "snapshot": {name: value for name, value in PLAIN["snapshot"].items() if name != "tail"}},
        {**PLAIN, "findings": [3]},
        {**PLAIN, "findings": None},
        {**PLAIN, "findings": [{**PLAIN["findings"][0], "chain": [[]]}]},
        {**PLAIN, "findings": [{**PLAIN["findings"][0], "chain": [1]}]},
    ],
)
def test_data_that_is_no_result(wrong):
    with pytest.raises((AttributeError, KeyError, TypeError, ValueError)):
        result_from(wrong)
