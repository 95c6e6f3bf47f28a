"""Operators of onnxruntime: what it puts together when it optimises a file for any machine."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from rfcheck.target.onnx.call import NotCoveredError, OnnxCall, Tensor
from rfcheck.target.onnx.elementwise import ELEMENTWISE, Operator
from rfcheck.target.onnx.products import PRODUCTS
from rfcheck.target.onnx.windows import WINDOWS

DOMAIN = "com.microsoft"
_ADDED_AT = 3


def _fused(operator: Operator, call: OnnxCall) -> Tensor:
    """A layer, what is added to its result, and the activation behind it."""
    made = operator(call)
    added = call.optional(_ADDED_AT)
    made = made if added is None else made + added
    activation = ELEMENTWISE.get(call.attribute("activation", "Identity"))
    if activation is None:
        raise NotCoveredError
    behind: Tensor = activation(replace(call, attributes={}, inputs=[made], data=[None], outputs=1))
    return behind


FUSED: dict[str, Operator] = {
    "FusedConv": partial(_fused, WINDOWS["Conv"]),
    "FusedGemm": partial(_fused, PRODUCTS["Gemm"]),
}
"""Operator of onnxruntime -> what it computes."""
