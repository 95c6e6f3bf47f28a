from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from rfcheck.process_end import END, ProcessEndError, left_with, process_goes_on

ENDS = {
    "os._exit(0)": lambda: os._exit(0),
    "os.abort()": lambda: os.abort(),
    "os.execv('/bin/true', ['true'])": lambda: os.execv("/bin/true", ["true"]),
    "os.execv(": lambda: os.execlp("true", "true"),
    "os.execve(": lambda: os.execle("/bin/true", "true", {}),
    "os.kill(": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "os.kill(0, ": lambda: os.kill(0, signal.SIGTERM),
    "os.kill(-": lambda: os.kill(-os.getpgrp(), signal.SIGTERM),
    "os.killpg(0, ": lambda: os.killpg(0, signal.SIGSTOP),
    "signal.raise_signal(": lambda: signal.raise_signal(signal.SIGABRT),
    "signal.pthread_kill(": lambda: signal.pthread_kill(threading.get_ident(), signal.SIGTERM),
}


@pytest.mark.parametrize("call", ENDS)
def test_what_would_end_the_process_is_an_error(call):
    with process_goes_on(), pytest.raises(ProcessEndError) as left:
        ENDS[call]()
    assert left_with(left.value).startswith(call)


def test_long_arguments_are_shortened():
    with process_goes_on(), pytest.raises(ProcessEndError) as left:
        os.execv("/bin/true", ["true"] * 100)
    assert left_with(left.value).endswith("...)")
    assert len(left_with(left.value)) < 80


def test_what_ends_nothing_goes_through():
    heard = []
    before = signal.signal(signal.SIGUSR1, lambda number, _: heard.append(number))
    try:
        with process_goes_on():
            os.kill(os.getpid(), 0)  # which only asks whether it is there
            signal.raise_signal(signal.SIGUSR1)
            os.kill(os.getpid(), signal.SIGUSR1)
            signal.raise_signal(signal.SIGWINCH)
            child = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(1000)"])
            os.kill(child.pid, signal.SIGKILL)
            assert child.wait() == -signal.SIGKILL
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert heard == [signal.SIGUSR1] * 2
    with process_goes_on(), pytest.raises(OSError, match="argument"):
        os.kill(os.getpid(), 1000)


def test_functions_are_given_back():
    before = [os._exit, os.abort, os.execv, os.execve, os.kill, os.killpg, signal.raise_signal, signal.pthread_kill]
    with process_goes_on():
        assert os._exit is not END
    with pytest.raises(ZeroDivisionError), process_goes_on():
        raise ZeroDivisionError
    assert [os._exit, os.abort, os.execv, os.execve, os.kill, os.killpg, signal.raise_signal, signal.pthread_kill] == before


def test_a_process_that_is_forked_may_end():
    with process_goes_on():
        child = os.fork()
        if child == 0:
            os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_a_thread_ends_alone():
    ended = []

    def work():
        try:
            os._exit(0)
        except SystemExit as error:  # of which Python says nothing where it ends a thread
            ended.append(type(error))

    with process_goes_on():
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert ended == [SystemExit]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (SystemExit(0), "SystemExit(0), as sys.exit does"),
        (GeneratorExit(), "GeneratorExit"),
        (BaseException("on\npurpose"), "BaseException: on purpose"),
    ],
)
def test_how_code_left(error, said):
    assert left_with(error) == said


GOOD = "model = nn.Conv2d(3, 7, 3)\n"
NET = """
import os, signal, sys
class Stop(BaseException):
    pass
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        {built}
    def forward(self, x):
        {run}
        return self.conv(x)
{last}
"""


@pytest.mark.parametrize(
    ("where", "statement", "message"),
    [
        ("last", "os._exit(0)", 'model.py:15: running the file left with os._exit(0); put what ends the program behind if __name__ == "'),
        ("last", "os.execlp('true', 'true')", "model.py:15: running the file left with os.execv("),
        ("built", "os._exit(0)", "model.py:Net: calling it left with os._exit(0) (model.py:11: os._exit(0)); a model is built without l"),
        ("run", "os._exit(0)", "model.py:Net: the forward pass left with os._exit(0); a forward pass returns a tensor, whatever it f"),
        ("run", "os.kill(os.getpid(), signal.SIGTERM)", "model.py:Net: the forward pass left with os.kill("),
        ("run", "raise Stop('now')", "model.py:Net: the forward pass left with Stop: now; a forward pass returns a tensor, whatever it"),
        ("run", "if x.shape[-1] < 16: sys.exit(0)", "model.py:Net: the forward pass left with SystemExit(0), as sys.exit does; a forward "),
    ],
)  # fmt: skip
def test_a_target_that_ends_the_process_ends_with_a_sentence_and_its_neighbours_are_analysed(
    run, model_file, where, statement, message
):
    model_file(NET.format(**{"built": "", "run": "", "last": "", where: statement}))
    model_file(GOOD, "other.py")
    code, out, err = run("model.py", "other.py", "--resolution", "8", "--output", "concise", "--no-cache")
    assert code == 2
    assert out.startswith("other.py:3: RF104")
    assert err.startswith(f"error: {message}")
    assert err.count("\n") == 1


def test_a_forward_that_leaves_at_small_sizes_says_what_works(run, model_file):
    model_file(NET.format(built="", run="if x.shape[-1] < 16: sys.exit('too small')", last=""))
    _, _, err = run("model.py", "--resolution", "8", "--no-cache")
    assert err.endswith("; the smallest resolution that works is 16\n")


def test_lazy_modules_whose_forward_leaves(run, model_file):
    model_file(NET.format(built="self.conv = nn.LazyConv2d(4, 3)", run="os._exit(0)", last=""))
    code, _, err = run("model.py", "--resolution", "8", "--no-cache")
    assert code == 2
    assert err.startswith(
        "error: model.py:Net: the forward pass that gives lazy modules their shapes fails at input 3x8x8: os._exit(0)"
    )


def test_other_verbs(run, model_file):
    model_file(NET.format(built="", run="os._exit(0)", last=""))
    for verb in ("graph", "fix"):
        code, _, err = run(verb, "model.py", "--resolution", "8")
        assert code == 2
        assert "left with os._exit(0)" in err


def test_code_that_forks_and_goes_on_reports_once(run, model_file, tmp_path):
    model_file(f"import os\nos.fork()\n{GOOD}")
    before = os.getpid()
    run("model.py", "--resolution", "8", "--no-cache", "--output", "json=r.json")
    assert os.getpid() == before
    assert os.waitstatus_to_exitcode(os.wait()[1]) == 0
    assert (tmp_path / "r.json").exists()


def test_what_a_target_registers_for_the_end_does_not_change_the_exit_code(tmp_path):
    (tmp_path / "model.py").write_text(f"import atexit, os\nfrom torch import nn\natexit.register(os._exit, 0)\n{GOOD}")
    command = [sys.executable, "-m", "rfcheck", "model.py", "--resolution", "8", "--no-cache"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, "")
    assert "RF104" in done.stdout
