"""Files that hold programs, made from models or node by node, and what must be the same after reading them."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from packaging.version import Version
from torch import nn
from torch.nn import functional as F

from rfcheck import Analysis
from rfcheck.target.onnx.call import OnnxCall
from rfcheck.target.onnx.operators import operator_named

Node = onnx.NodeProto


class UNet(nn.Module):
    """Skip connections, transposed convolution, interpolation by a factor and to the size of the image."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(True))
        self.deep = nn.Sequential(nn.Conv2d(8, 16, 3, padding=2, dilation=2), nn.GroupNorm(4, 16), nn.SiLU())
        self.up = nn.ConvTranspose2d(16, 8, 2, 2)
        self.last = nn.Conv2d(16, 3, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        first = self.down(x)
        second = self.deep(F.max_pool2d(first, 2))
        second = F.interpolate(F.avg_pool2d(second, 2), scale_factor=2, mode="nearest") + second
        both = torch.cat([first, self.up(second)], 1)
        return F.interpolate(self.last(both), size=x.shape[2:], mode="bilinear", align_corners=True)


class Gated(nn.Module):
    """Squeeze and excitation, a strided shortcut, a module that is called twice, and a linear head."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, 2, 1)
        self.act = nn.ReLU()
        self.squeeze = nn.Conv2d(8, 2, 1)
        self.excite = nn.Conv2d(2, 8, 1)
        self.same = nn.Conv2d(8, 8, 3, padding=1)
        self.shortcut = nn.Conv2d(8, 8, 1, 2)
        self.head = nn.Linear(8, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.act(self.stem(x))
        weights = torch.sigmoid(self.excite(self.act(self.squeeze(x.mean((2, 3), keepdim=True)))))
        x = self.same(self.same(x * weights))
        x = self.shortcut(x) + F.max_pool2d(x, 2)
        return self.head(x.mean((2, 3)))


written_as_today = pytest.mark.skipif(
    Version(torch.__version__) < Version("2.8"), reason="this version of torch writes such programs otherwise, or not at all"
)


def exported(
    model: nn.Module, path: Path, size: int = 32, *, dynamic: bool = False, decompose: bool = False, **options: Any
) -> Path:
    """Write a model as torch.export does."""
    free = torch.export.Dim.AUTO
    with _quietly():
        program = torch.export.export(
            model,
            (torch.zeros(2 if dynamic else 1, 3, size, size),),
            dynamic_shapes=({0: free, 2: free, 3: free},) if dynamic else None,
            **{"strict": False, **options},
        )
        torch.export.save(program.run_decompositions() if decompose else program, path)
    return path


def as_onnx(model: nn.Module, path: Path, size: int = 32, *, dynamic: bool = False, folded: bool = False) -> Path:
    """Write a model as torch's older exporter does; with ``folded``, normalisation becomes part of convolutions."""
    axes = {"image": {0: "n", 2: "h", 3: "w"}} if dynamic else None
    mode = torch.onnx.TrainingMode.EVAL if folded else torch.onnx.TrainingMode.PRESERVE
    with _quietly():
        torch.onnx.export(
            model.eval(),
            (torch.zeros(1, 3, size, size),),
            path,
            dynamo=False,
            input_names=["image"],
            dynamic_axes=axes,
            training=mode,
            do_constant_folding=folded,
        )
    return path


@contextlib.contextmanager
def _quietly():
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)


def facts(analysis: Analysis, *, names: bool = True) -> list[dict[str, Any]]:
    """What is known of every layer, without the class of its module."""
    left_out = {"source", "module_type"} if names else {"source", "module_type", "name"}
    fields = [field for field in type(analysis.layers[0]).__slots__ if field not in left_out]
    return [{field: getattr(layer, field) for field in fields} for layer in analysis.layers]


def judged(analysis: Analysis) -> list[dict[str, Any]]:
    """What is known of every judged layer but its parameters, of which files may hold fewer."""
    return [{k: v for k, v in layer.items() if k != "params"} for layer in facts(analysis) if layer["judged"]]


def totals(analysis: Analysis) -> dict[str, Any]:
    """The model in numbers."""
    low, high = analysis.border_min, analysis.border_max
    return {
        "border": (low and low.name, high and high.name),
        "flops": analysis.flops,
        "params": analysis.params,
        "range": analysis.resolution_range,
        "findings": [(f.code, f.layer, f.message) for f in analysis.findings],
        "assumptions": analysis.assumptions,
    }


def floats(name: str, *shape: int) -> onnx.TensorProto:
    """An initializer of random numbers."""
    return numpy_helper.from_array(np.random.default_rng(0).standard_normal(shape).astype(np.float32), name)


def ints(name: str, *values: int) -> onnx.TensorProto:
    """An initializer of whole numbers."""
    return numpy_helper.from_array(np.array(values, np.int64), name)


def onnx_file(
    path: Path,
    nodes: Sequence[Node],
    initializers: Sequence[onnx.TensorProto] = (),
    *,
    sizes: Sequence[int | str | None] = (1, 3, None, None),
    opset: int = 17,
    values: Sequence[onnx.ValueInfoProto] = (),
    inputs: Sequence[onnx.ValueInfoProto] = (),
    functions: Sequence[onnx.FunctionProto] = (),
) -> Path:
    """Write an ONNX file with an image "x" and a result "y"."""
    image = helper.make_tensor_value_info("x", TensorProto.FLOAT, list(sizes))
    result = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "g", [image, *inputs], [result], initializers, value_info=list(values))
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("com.acme", 1)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, functions=list(functions), ir_version=8), str(path))
    return path


def assert_agrees(
    operator: str, inputs: Sequence[np.ndarray | None], *, opset: int = 21, outputs: int = 1, values: bool = True, **attributes: Any
) -> None:
    """An entry of the table computes what onnx's own reference does, from real tensors."""
    names = [f"i{k}" if value is not None else "" for k, value in enumerate(inputs)]
    node = helper.make_node(operator, names, [f"o{k}" for k in range(outputs)], **attributes)
    given = {name: value for name, value in zip(names, inputs, strict=True) if value is not None}
    graph = helper.make_graph(
        [node],
        "g",
        [helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(v.dtype), v.shape) for n, v in given.items()],
        [onnx.ValueInfoProto(name=name) for name in node.output],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)
    with np.errstate(all="ignore"):
        expected = ReferenceEvaluator(model).run(None, given)
    made = call(operator, inputs, opset=opset, outputs=outputs, **attributes)
    made = made if isinstance(made, (tuple, list)) else (made,)
    for want, got in zip(expected, made, strict=False):
        assert tuple(got.shape) == np.shape(want), (operator, attributes)
        if values:
            np.testing.assert_allclose(got.numpy(), want, atol=1e-4, err_msg=f"{operator} {attributes}")
            assert got.numpy().dtype == np.asarray(want).dtype


def call(
    operator: str,
    inputs: Sequence[np.ndarray | torch.Tensor | None],
    *,
    opset: int = 21,
    outputs: int = 1,
    is_resized: bool = False,
    **attributes: Any,
) -> Any:
    """The result of an entry of the table."""
    tensors = [None if v is None else v if isinstance(v, torch.Tensor) else torch.from_numpy(np.array(v)) for v in inputs]
    data = [None if t is None or t.is_meta else t for t in tensors]
    found = operator_named("", operator)
    assert found is not None
    return found(OnnxCall(operator, opset, attributes, tensors, data, outputs, is_resized))
