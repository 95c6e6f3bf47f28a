from __future__ import annotations

import pytest

from rfcheck.undoing import undone_after


class Step:
    """Raises the first times that it runs."""

    def __init__(self, failures: int, error: type[BaseException] = KeyboardInterrupt):
        self.left, self.error, self.done = failures, error, 0

    def __call__(self):
        if self.left:
            self.left -= 1
            raise self.error
        self.done += 1


def test_what_the_work_returns_or_raises_passes():
    step = Step(0)
    assert undone_after(lambda: 3, step) == 3
    with pytest.raises(ZeroDivisionError):
        undone_after(lambda: 1 // 0, step)
    assert step.done == 2


@pytest.mark.parametrize("failures", [1, 5])
def test_a_step_that_is_interrupted_is_run_again_and_the_interrupt_arrives_afterwards(failures):
    first, second = Step(failures), Step(0)
    with pytest.raises(KeyboardInterrupt):
        undone_after(lambda: 3, first, second)
    assert first.done
    assert second.done


def test_a_step_that_always_fails_keeps_no_other_from_running():
    hopeless, last = Step(10**9, ValueError), Step(0)
    with pytest.raises(ValueError):  # noqa: PT011 - it has no message
        undone_after(lambda: 3, hopeless, last)
    assert last.done
