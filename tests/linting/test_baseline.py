from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rfcheck.linting.baseline import Baseline, Entry, Examined, Model, Stale, split, stale_entries, updated
from rfcheck.linting.finding import Finding
from rfcheck.span import Span

NET = Model("net.py:Net", (3, 32, 32))
LARGE = Model("net.py:Net", (3, 64, 64))
OTHER = Model("other.py:Net", (3, 32, 32))


def finding(code: str, layer: str | None, line: int = 1) -> Finding:
    return Finding(code, "some-name", "warning", f"message of line {line}", layer, chain=(Span("net.py", line),))


def everything(code: str) -> bool:
    return True


def examined(model: Model, *findings: Finding, ran=everything) -> Examined:
    return Examined(model, findings, ran)


def test_known_findings_may_move_and_change_their_numbers():
    baseline = updated(Baseline(), [examined(NET, finding("RF101", "conv", 3), finding("RF401", None, 1))])
    assert baseline.counts == {Entry(NET, "RF101", "conv"): 1, Entry(NET, "RF401", ""): 1}
    moved = [finding("RF101", "conv", 30), finding("RF401", None, 10)]
    assert split(baseline, NET, moved) == ([], moved)


def test_another_rule_layer_model_or_size_is_new():
    baseline = updated(Baseline(), [examined(NET, finding("RF101", "conv"))])
    others = [finding("RF102", "conv"), finding("RF101", "conv2"), finding("RF101", None)]
    assert split(baseline, NET, others) == (others, [])
    for model in (LARGE, OTHER):
        assert split(baseline, model, [finding("RF101", "conv")]) == ([finding("RF101", "conv")], [])


def test_more_than_are_known_are_new():
    baseline = Baseline({Entry(NET, "RF101", "conv"): 2})
    found = [finding("RF101", "conv", line) for line in range(1, 5)]
    assert split(baseline, NET, found) == (found[2:], found[:2])


def test_what_is_no_longer_found_is_stale():
    baseline = Baseline(
        {
            Entry(NET, "RF301", "conv"): 1,
            Entry(NET, "RF101", "conv"): 3,
            Entry(NET, "RF102", "conv"): 1,
            Entry(LARGE, "RF101", "conv"): 1,
            Entry(OTHER, "RF101", "conv"): 1,
        }
    )
    run = [examined(NET, finding("RF101", "conv"), finding("RF102", "conv"), finding("RF105", "conv"))]
    assert stale_entries(baseline, run) == [
        Stale(Entry(NET, "RF101", "conv"), 3, 1),
        Stale(Entry(NET, "RF301", "conv"), 1, 0),
    ]


def test_rules_that_did_not_run_prove_nothing():
    entry = Entry(NET, "RF301", "conv")
    baseline = Baseline({entry: 1})
    run = [examined(NET, ran=lambda code: code == "RF101")]
    assert stale_entries(baseline, run) == []
    assert updated(baseline, run) == baseline
    again = [*run, examined(NET)]
    assert stale_entries(baseline, again) == [Stale(entry, 1, 0)]
    assert updated(baseline, again) == Baseline()


def test_models_outside_the_run_stay_known():
    baseline = Baseline({Entry(NET, "RF101", "conv"): 1, Entry(LARGE, "RF101", "conv"): 2, Entry(OTHER, "RF101", "conv"): 3})
    run = [examined(NET, finding("RF102", "conv")), examined(OTHER)]
    assert updated(baseline, run).counts == {Entry(NET, "RF102", "conv"): 1, Entry(LARGE, "RF101", "conv"): 2}


def test_a_model_that_comes_twice_counts_once():
    found = examined(NET, finding("RF101", "conv"), finding("RF101", "conv"))
    assert updated(Baseline(), [found, examined(NET, finding("RF101", "conv"))]).counts == {Entry(NET, "RF101", "conv"): 2}


findings = st.lists(
    st.builds(finding, st.sampled_from(["RF101", "RF301"]), st.sampled_from([None, "a", "b"]), st.integers(1, 9)), max_size=6
)
models = st.sampled_from([NET, LARGE, OTHER])


@given(st.dictionaries(models, findings), st.dictionaries(models, findings))
def test_after_writing_nothing_is_new_and_nothing_is_stale(before, now):
    first = updated(Baseline(), [examined(model, *found) for model, found in before.items()])
    run = [examined(model, *found) for model, found in now.items()]
    baseline = updated(first, run)
    assert stale_entries(baseline, run) == []
    for model, found in (before | now).items():
        assert split(baseline, model, found) == ([], found)
    assert updated(baseline, run) == baseline


@given(st.dictionaries(models, findings), findings)
def test_a_finding_is_new_or_known(before, found):
    baseline = updated(Baseline(), [examined(model, *known) for model, known in before.items()])
    new, known = split(baseline, NET, found)
    assert sorted(map(repr, new + known)) == sorted(map(repr, found))
    missing = {stale.entry: stale.known - stale.found for stale in stale_entries(baseline, [examined(NET, *found)])}
    assert len(known) + sum(missing.values()) == len(before.get(NET, []))


def test_what_grew_is_new():
    """The same finding is known as long as it is not larger than it was; a file without sizes knows it whatever its size."""
    model = Model("net.py:Net", (3, 32, 32))

    def found(extent: float | None) -> Finding:
        return Finding("RF101", "unproductive-tail", "warning", "a tail", "conv5", extent=extent)

    known = updated(Baseline(), [Examined(model, [found(4.0)], lambda _: True)])
    for extent, is_new in ((3.0, False), (4.0, False), (4.0 * (1 + 1e-12), False), (5.0, True), (None, False)):
        new, old = split(known, model, [found(extent)])
        assert (len(new), len(old)) == (is_new, not is_new)
    without = Baseline(known.counts)
    assert split(without, model, [found(9.0)]) == ([], [found(9.0)])
    assert updated(known, [Examined(model, [found(6.0), found(5.0)], lambda _: True)]).extents == {
        Entry(model, "RF101", "conv5"): 6.0
    }
    assert updated(known, []) == known
