from __future__ import annotations

import linecache
import os
import sys
from pathlib import Path

import pytest
import torch

from rfcheck import Global, Pointwise, register_operator
from rfcheck.cli.fresh_run import fresh_run
from rfcheck.errors import OperatorError
from rfcheck.target.load import load_targets


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def built(name: str) -> torch.nn.Module:
    """A model of a file, as a run of its own builds it."""
    with fresh_run():
        (target,) = load_targets(name)
        return target.build()[0]


def test_files_and_what_they_import_are_run_again(tmp_path):
    (tmp_path / "parts_of_fresh_run.py").write_text("channels = 1\n")
    (tmp_path / "model.py").write_text(
        "from torch import nn\nfrom parts_of_fresh_run import channels\nmodel = nn.Conv2d(channels, 2, 3)\n"
    )
    before = set(sys.modules)
    assert built("model.py").in_channels == 1
    (tmp_path / "parts_of_fresh_run.py").write_text("channels = 4\n")
    assert built("model.py").in_channels == 4
    assert {name for name in set(sys.modules) - before if "fresh_run" in name or name.startswith("_rfcheck_")} == set()


def test_edits_that_neither_size_nor_second_betray(tmp_path):
    file = tmp_path / "package_of_fresh_run" / "model.py"
    file.parent.mkdir()
    (file.parent / "__init__.py").touch()
    for channels in (1, 3, 5):
        file.write_text(f"from torch import nn\nmodel = nn.Conv2d({channels}, 2, 3)\n")
        os.utime(file, (1_700_000_000, 1_700_000_000))
        assert built("package_of_fresh_run/model.py").in_channels == channels


def test_without_it_such_an_edit_is_missed(tmp_path, monkeypatch):
    """So that the test above can fail."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.syspath_prepend(str(tmp_path))
    for value in (1, 3):
        (tmp_path / "stale_of_fresh_run.py").write_text(f"value = {value}\n")
        os.utime(tmp_path / "stale_of_fresh_run.py", (1_700_000_000, 1_700_000_000))
        sys.modules.pop("stale_of_fresh_run", None)
        import stale_of_fresh_run

        assert stale_of_fresh_run.value == 1
    del sys.modules["stale_of_fresh_run"]


def test_what_a_run_sets_ends_with_it(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    path = list(sys.path)
    (tmp_path / "elsewhere").mkdir()
    for meaning, other in ((Pointwise(), Global()), (Global(), Pointwise())):
        with fresh_run():
            assert sys.dont_write_bytecode
            register_operator("fresh_run_own::op", meaning)
            with pytest.raises(OperatorError):
                register_operator("fresh_run_own::op", other)
            torch.set_default_dtype(torch.float64)
            torch.set_default_device("meta")
            os.chdir("elsewhere")
            sys.path.insert(0, "elsewhere")
    assert torch.get_default_dtype() == torch.float32
    assert torch.zeros(1).device.type == "cpu"
    assert Path.cwd() == tmp_path
    assert sys.path == path
    assert not sys.dont_write_bytecode


def test_errors_go_through(tmp_path):
    def fail():
        with fresh_run():
            os.chdir("/")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert Path.cwd() == tmp_path


def test_lines_of_files_are_read_anew(tmp_path):
    (tmp_path / "lines.py").write_text("first\n")
    assert linecache.getline("lines.py", 1) == "first\n"
    (tmp_path / "lines.py").write_text("second\n")
    with fresh_run():
        assert linecache.getline("lines.py", 1) == "second\n"
