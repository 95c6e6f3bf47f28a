from __future__ import annotations

import sys

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from rfcheck.errors import TargetError
from rfcheck.target.onnx.reading import KEPT_BYTES, read_onnx
from tests.target.programs import as_onnx, onnx_file


@pytest.fixture
def heavy(tmp_path):
    """A file of eight megabytes, nearly all of them weights, written in each of the ways that there are."""
    weight = np.ones((64, 32, 16, 16), np.float32)
    tensors = [
        numpy_helper.from_array(weight, "raw"),
        helper.make_tensor("typed", TensorProto.FLOAT, weight.shape, weight.flatten()),
        helper.make_tensor("whole", TensorProto.INT64, [5000], range(5000)),
        numpy_helper.from_array(np.array([1, -1], np.int64), "shape"),
    ]
    return onnx_file(tmp_path / "m.onnx", [helper.make_node("Reshape", ["x", "shape"], ["y"], name="r")], tensors)


def test_weights_are_passed_over(heavy):
    model = read_onnx(heavy)
    assert heavy.stat().st_size > 4_000_000
    assert model.ByteSize() < 1000
    kept = {tensor.name: tensor for tensor in model.graph.initializer}
    assert {name: list(tensor.dims) for name, tensor in kept.items()} == {
        "raw": [64, 32, 16, 16],
        "typed": [64, 32, 16, 16],
        "whole": [5000],
        "shape": [2],
    }
    assert [tensor.data_type for tensor in kept.values()] == [
        TensorProto.FLOAT,
        TensorProto.FLOAT,
        TensorProto.INT64,
        TensorProto.INT64,
    ]
    assert numpy_helper.to_array(kept["shape"]).tolist() == [1, -1]
    assert not any(
        len(kept[name].raw_data) or len(kept[name].float_data) or len(kept[name].int64_data) for name in ("raw", "typed", "whole")
    )


def test_everything_else_stays(tmp_path):
    """A model without long tensors is the same as onnx reads it."""
    path = as_onnx(
        nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Softmax(1)), tmp_path / "m.onnx", 8, dynamic=True
    )
    assert path.stat().st_size < KEPT_BYTES
    assert read_onnx(path) == onnx.load(path)


def test_everything_but_weights_stays(heavy):
    expected = onnx.load(heavy)
    for tensor in expected.graph.initializer:
        if tensor.name != "shape":
            for field in ("raw_data", "float_data", "int64_data"):
                tensor.ClearField(field)
    assert read_onnx(heavy) == expected


def test_weights_in_another_file_need_not_be_there(tmp_path):
    weight = numpy_helper.from_array(np.ones((4, 3, 30, 30), np.float32), "w")
    path = onnx_file(tmp_path / "m.onnx", [helper.make_node("Conv", ["x", "w"], ["y"])], [weight])
    onnx.save(onnx.load(path), str(path), save_as_external_data=True, location="weights.bin", size_threshold=0)
    (tmp_path / "weights.bin").unlink()
    (tensor,) = read_onnx(path).graph.initializer
    assert list(tensor.dims) == [4, 3, 30, 30]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not an ONNX model: the file is empty"),
        (b"hello", "is not an ONNX model: "),
        (b"\x3a\xff\xff\x7f", "is not an ONNX model: a field of 2097155 bytes at byte 0 does not fit into the file"),
        (b"\x3a\xff\xff", "is not an ONNX model: no number ends at byte 3"),
        (b"\x0b", "is not an ONNX model: no field begins at byte 0"),
        (b"\x08\x08", "is not an ONNX model, or one without operators"),
        (b"\xff" * 40, "is not an ONNX model: no number ends at byte 10"),
    ],
)
def test_other_files(content, message, tmp_path):
    path = tmp_path / "m.onnx"
    path.write_bytes(content)
    with pytest.raises(TargetError) as caught:
        read_onnx(path)
    assert str(caught.value).startswith(f"{path}: {message}")


def test_every_cut_of_a_file_is_an_error_or_a_model(heavy, tmp_path):
    content = heavy.read_bytes()
    for length in (*range(1, 60), len(content) - 1, len(content) // 2):
        path = tmp_path / "cut.onnx"
        path.write_bytes(content[:length])
        with pytest.raises(TargetError):
            read_onnx(path)


def test_without_onnx(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(TargetError) as caught:
        read_onnx(tmp_path / "m.onnx")
    assert str(caught.value) == (
        f"{tmp_path / 'm.onnx'}: ONNX files need the onnx package; install it with: pip install 'rfcheck[onnx]'"
    )


def test_with_a_broken_onnx(tmp_path, monkeypatch):
    (tmp_path / "onnx.py").write_text("import no_such_protobuf\n", encoding="utf-8")
    monkeypatch.delitem(sys.modules, "onnx")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(TargetError, match="m.onnx: the onnx package cannot be imported: No module named 'no_such_protobuf'"):
        read_onnx(tmp_path / "m.onnx")
