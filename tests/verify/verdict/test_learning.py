from __future__ import annotations

from rfcheck.verify.records import Interval
from rfcheck.verify.verdict.learning import why_unlearned


def test_a_model_that_guesses():
    assert why_unlearned(Interval(0.12, 0.09, 0.15), 0.1) == (
        "the model did not learn: its accuracy of 12.0% (95%: 9.0% to 15.0%) is no better than the 10.0% of guessing; train longer"
    )
    assert why_unlearned(Interval(0.12, 0.1, 0.15), 0.1)
    assert why_unlearned(Interval(0.13, 0.11, 0.15), 0.1) == ""
