"""Steps that never end; nothing here waits for a clock: what waits is told when its time has come."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time

import pytest

from rfcheck.errors import TargetError
from rfcheck.patience import Patience, attended, patient


class Times:
    """Lets each wait of a watch end at once, but for those from a number on, which last until the step has ended."""

    def __init__(self, passing: int):
        self.left, self.asked = passing, []

    def __call__(self, event: threading.Event, seconds: float) -> bool:
        self.asked.append(seconds)
        self.left -= 1
        return False if self.left >= 0 else event.wait()


def for_ever():
    while True:
        pass


def asleep():
    time.sleep(3600)


def test_nobody_is_patient_where_no_command_runs():
    before = threading.active_count()
    assert attended("building", "Net", threading.active_count) == before


def test_what_ends_in_time_passes(capsys):
    before = signal.getsignal(signal.SIGURG)
    heeded = signal.signal(signal.SIGINT, signal.default_int_handler)  # programs in the background ignore it
    with patient(Patience(5, wait=Times(0))):
        assert attended("building", "Net", lambda: 3) == 3
        with pytest.raises(ZeroDivisionError):
            attended("building", "Net", lambda: 1 // 0)
        with pytest.raises(KeyboardInterrupt):
            attended("building", "Net", lambda: signal.raise_signal(signal.SIGINT))
    signal.signal(signal.SIGINT, heeded)
    assert capsys.readouterr() == ("", "")
    assert signal.getsignal(signal.SIGURG) is before


def test_a_step_that_goes_on_is_named_once(capsys):
    times, named = Times(1), threading.Event()

    def work():
        while not capsys.readouterr().err.startswith("still running the forward of model.py:Net (10 s); Ctrl-C stops, --timeout"):
            time.sleep(0)
        named.set()
        return 3

    with patient(Patience(notice=10.0, wait=times)):
        assert attended("running the forward of", "model.py:Net", work) == 3
    assert named.is_set()
    assert times.asked == [10.0]


@pytest.mark.parametrize("work", [for_ever, asleep])
def test_a_step_that_never_ends_is_given_up(work):
    with patient(Patience(5, wait=Times(1))):
        with pytest.raises(TargetError) as caught:
            attended("building", "model.py:Net", work)
        assert str(caught.value) == "model.py:Net: gave up building it after 5 s; raise --timeout to wait longer"
        assert attended("building", "model.py:Other", lambda: 3) == 3


def test_a_step_that_makes_another_error_of_it():
    def work():
        try:
            for_ever()
        except BaseException:
            raise ValueError from None

    with patient(Patience(5, wait=Times(1))), pytest.raises(TargetError, match="gave up"):
        attended("building", "Net", work)


def test_steps_inside_are_part_of_the_outer_one():
    times = Times(0)
    with patient(Patience(5, wait=times)):
        assert attended("loading", "model.py", lambda: attended("building", "model.py:Net", lambda: 3)) == 3
    assert len(times.asked) == 1


def test_a_limit_below_the_notice_needs_no_notice(capsys):
    times = Times(1)
    with patient(Patience(5, notice=10, wait=times)), pytest.raises(TargetError):
        attended("building", "Net", for_ever)
    assert times.asked[0] == 5
    assert capsys.readouterr().err == ""


def test_other_threads_are_interrupted_too():
    found = []

    def work():
        with patient(Patience(5, wait=Times(1))):
            try:
                attended("building", "Net", for_ever)
            except TargetError as error:
                found.append(str(error))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == ["Net: gave up building it after 5 s; raise --timeout to wait longer"]


def test_what_cannot_be_interrupted_ends_the_process():
    code = (
        "from rfcheck.patience import *\nfrom rfcheck.patience import _Watch\nprint('report')\n"
        "_Watch._knock = lambda self: None  # as where compiled code does not return\n"
        "def stubborn():\n    while True: pass\n"
        "with patient(Patience(5, wait=lambda event, seconds: False)):\n    attended('building', 'Net', stubborn)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    sentence = "error: Net: gave up building it after 5 s; raise --timeout to wait longer"
    assert done.returncode == 2
    assert done.stdout == "report\n"
    assert done.stderr == f"{sentence}; it cannot be interrupted, so that the whole run ends here\n"
