from __future__ import annotations

import gc
import os
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, settings

EXAMPLES = Path(__file__).parent.parent / "examples"

settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")  # no test depends on how busy a machine is


def pytest_configure():
    """Networks make objects by the thousand: garbage is looked for less often than is usual, or it takes a fifth of the time."""
    gc.set_threshold(20_000, 20, 100)


def pytest_collection_finish():
    """Tests and packages stay until the end, so that collecting garbage need not look through them every time."""
    gc.freeze()


def pytest_unconfigure():
    """At the end everything goes, or extension modules would speak of leaks."""
    gc.unfreeze()


@pytest.fixture(autouse=True, scope="module")
def _packages_stay():
    """Those that tests import when they run stay as well."""
    known = len(sys.modules)
    yield
    if len(sys.modules) > known + 100:
        gc.collect()
        gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def _one_thread_per_worker():
    """Also where a program starts others, or asks how many threads it may use."""
    torch.set_num_threads(1)
    os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(autouse=True, scope="session")
def _key_of_the_tests(tmp_path_factory):
    """Nothing is written into the home of whoever runs the suite."""
    before = os.environ.get("XDG_STATE_HOME")
    os.environ["XDG_STATE_HOME"] = str(tmp_path_factory.mktemp("state"))
    yield
    os.environ.pop("XDG_STATE_HOME")
    if before is not None:
        os.environ["XDG_STATE_HOME"] = before


@pytest.fixture(autouse=True, scope="session")
def _patience_on_any_machine():
    """No step of a test is named as one that takes long, however busy the machine is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rfcheck.patience.NOTICE_AFTER", 3600.0)
        yield


@pytest.fixture(autouse=True)
def _own_imports(tmp_path_factory):
    """What a test puts on the import path, or imports from a temporary folder, is gone after it."""
    path, known = list(sys.path), set(sys.modules)
    yield
    sys.path[:] = path
    folder = str(tmp_path_factory.getbasetemp())
    for name in sys.modules.keys() - known:
        if str(getattr(sys.modules[name], "__file__", None) or "").startswith(folder):
            del sys.modules[name]


@pytest.fixture(autouse=True)
def _same_random_numbers():
    """Weights of models are the same in every run of the suite."""
    torch.manual_seed(0)


@pytest.fixture
def run(capsys):
    """Run the command line; returns exit code, standard output and standard error."""
    from rfcheck.cli import main

    def command(*args: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            main(list(args))
        captured = capsys.readouterr()
        return left.value.code, captured.out, captured.err

    return command


@pytest.fixture
def model_file(tmp_path, monkeypatch):
    """Write a Python file into an empty current folder; returns its name."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in sys.modules if name.startswith("_rfcheck_")]:
        monkeypatch.delitem(sys.modules, name)

    def write(code: str, name: str = "model.py") -> str:
        (tmp_path / name).write_text("import torch\nfrom torch import nn\n" + code, encoding="utf-8")
        return name

    return write
