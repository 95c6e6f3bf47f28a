from __future__ import annotations

import pytest

from rfcheck.verify.records import Interval
from rfcheck.verify.verdict.learning import why_unlearned


@pytest.mark.parametrize("least", [0.0, 0.2])
def test_a_model_that_guesses(least):
    assert why_unlearned(Interval(0.12, 0.09, 0.15), 0.1, least) == (
        "the model did not learn: its accuracy of 12.0% (95%: 9.0% to 15.0%) is no better than the 10.0% of guessing; train longer"
    )
    assert why_unlearned(Interval(0.12, 0.1, 0.15), 0.1, least)


def test_a_model_that_has_hardly_learned():
    """Of ten classes, a fifth of the way from guessing to no error is 10% + 0.2 * 90% = 28%."""
    assert why_unlearned(Interval(0.218, 0.2, 0.24), 0.1, 0.2) == (
        "the model has hardly learned: its accuracy of 21.8% (95%: 20.0% to 24.0%) is not beyond 28.0%, where guessing gives 10.0%; "
        "train longer"
    )
    assert why_unlearned(Interval(0.3, 0.28, 0.32), 0.1, 0.2)
    assert why_unlearned(Interval(0.31, 0.281, 0.34), 0.1, 0.2) == ""
    assert why_unlearned(Interval(0.13, 0.11, 0.15), 0.1, 0.0) == ""
