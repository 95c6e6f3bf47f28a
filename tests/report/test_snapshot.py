from __future__ import annotations

import pickle

from torch import nn

from rfcheck import analyze
from rfcheck.report.snapshot import snapshot_of
from tests.report.runs import Net


def test_what_an_analysis_knows():
    analysis = analyze(Net(), (3, 8, 9))
    snapshot = snapshot_of(analysis)
    assert (snapshot.model, snapshot.channels, snapshot.input_size, snapshot.traced_with) == ("Net", 3, (8, 9), "meta")
    assert snapshot.assumptions == analysis.assumptions == ()
    assert (
        (snapshot.border_min, snapshot.border_max) == (analysis.border_min.name, analysis.border_max.name) == ("tail.2", "tail.2")
    )
    assert snapshot.tail == tuple(layer.name for layer in analysis.tail) == ("tail.2", "tail.3", "tail.4")
    assert snapshot.resolution_range == analysis.resolution_range == ((19, 19), (23, 23))
    assert snapshot.cost.params == analysis.params == 2202
    assert snapshot.tail_cost.params == 3 * (4 * 4 * 25 + 4)
    assert snapshot.flops_by_operator == analysis.flops_by_operator()
    assert snapshot.layers == analysis.layers
    assert list(snapshot.best_fixes) == ["RF101"]
    assert snapshot.best_fixes["RF101"].startswith("truncate-before: tail 3 -> 0, ")


def test_no_tail():
    snapshot = snapshot_of(analyze(nn.Conv2d(3, 3, 3), 8))
    assert (snapshot.border_min, snapshot.border_max, snapshot.tail) == (None, None, ())


def test_counts():
    snapshot = snapshot_of(analyze(Net(), 8))
    assert (snapshot.judged, snapshot.unproductive) == (6, 3)  # the stem and the tail; not the gate, not the head


def test_fixes_are_worked_out_on_request_only():
    analysis = analyze(Net(), 8)
    assert snapshot_of(analysis, with_fixes=False).best_fixes == {}
    assert "proposals" not in vars(analysis)
    snapshot_of(analysis)
    assert "proposals" in vars(analysis)


def test_it_is_plain_data():
    snapshot = snapshot_of(analyze(Net(), 8))
    assert b"torch" not in pickle.dumps(snapshot)
    assert pickle.loads(pickle.dumps(snapshot)) == snapshot
