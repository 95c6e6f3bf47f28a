from __future__ import annotations

from rfcheck.linting.rule import find_rule


def test_a_page(run):
    code, out, err = run("rule", "RF101")
    rule = find_rule("RF101")
    sources = "; ".join(rule.sources)
    assert (code, err) == (0, "")
    assert out == f"RF101 unproductive-tail [warning]\n\n{rule.body}\n\nLimits: min_layers = 3\nSources: {sources}\n"


def test_limits_that_nothing_exceeds_are_off(run):
    _, out, _ = run("rule", "budget")
    assert "\nLimits: max_flops = off, max_params = off, max_activation_bytes = off, max_tail_share = off\n" in out


def test_the_list(run):
    code, out, _ = run("rule")
    assert code == 0
    assert out.splitlines()[0] == "RF101  unproductive-tail  [warning]"


def test_an_unknown_rule(run):
    assert run("rule", "RF110") == (2, "", "error: no rule 'RF110'; there is RF105, RF104, RF103\n")
