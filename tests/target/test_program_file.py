from __future__ import annotations

import os

import pytest
from torch import nn

from rfcheck.errors import TargetError
from rfcheck.target.program import Program
from rfcheck.target.program_file import read_program
from tests.target.programs import as_onnx, exported


def test_both_kinds(tmp_path):
    model = nn.Conv2d(3, 4, 3)
    for kind, path in (("pt2", exported(model, tmp_path / "ü.pt2")), ("onnx", as_onnx(model, tmp_path / "ü.onnx"))):
        program = read_program(str(path), kind)
        assert isinstance(program, Program)
        assert sum(p.numel() for p in program.parameters()) == 4 * 27 + 4


def test_a_missing_file(tmp_path):
    (tmp_path / "other.onnx").touch()
    with pytest.raises(TargetError) as caught:
        read_program(str(tmp_path / "model.onnx"), "onnx")
    assert str(caught.value) == f"{tmp_path / 'model.onnx'}: no such file; there is other.onnx"
    with pytest.raises(TargetError, match=r"nowhere/model.pt2: no such file$"):
        read_program("nowhere/model.pt2", "pt2")


def test_a_folder(tmp_path):
    (tmp_path / "x.pt2").mkdir()
    with pytest.raises(TargetError, match="x.pt2: is a folder; give the file in it that holds the model"):
        read_program(str(tmp_path / "x.pt2"), "pt2")


@pytest.mark.parametrize("kind", ["pt2", "onnx"])
def test_a_pipe_is_no_program(tmp_path, kind):
    os.mkfifo(tmp_path / f"model.{kind}")
    with pytest.raises(TargetError) as caught:
        read_program(f"{tmp_path}/model.{kind}", kind)
    assert str(caught.value) == f"{tmp_path}/model.{kind}: is a pipe, not a file"
