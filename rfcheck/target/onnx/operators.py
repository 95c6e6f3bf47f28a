"""The table of ONNX operators: an operator is one entry, in the file of its kind."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from rfcheck.target.onnx.arrangements import ARRANGEMENTS
from rfcheck.target.onnx.call import OnnxCall
from rfcheck.target.onnx.elementwise import ELEMENTWISE, Operator
from rfcheck.target.onnx.fused import DOMAIN, FUSED
from rfcheck.target.onnx.products import PRODUCTS
from rfcheck.target.onnx.resizing import RESIZING
from rfcheck.target.onnx.values import LARGEST
from rfcheck.target.onnx.windows import WINDOWS

_TABLE: dict[str, Operator] = {**ELEMENTWISE, **WINDOWS, **RESIZING, **PRODUCTS, **ARRANGEMENTS}
_DOMAINS = ("", "ai.onnx")


def operator_named(domain: str, name: str) -> Operator | None:
    """What an operator computes; None if the table has no entry for it."""
    if domain == DOMAIN:
        return FUSED.get(name)
    return _TABLE.get(name) if domain in _DOMAINS else None


def computed(operator: Operator, call: OnnxCall) -> Any:
    """What an operator computes; without values where these are too many to matter for shapes: a short file may ask for terabytes.

    Args:
        operator: of the table.
        call: with its inputs.
    """
    if not call.inputs or any(tensor is None or tensor.is_meta for tensor in call.inputs):
        return operator(call)
    try:
        made = operator(replace(call, inputs=[tensor.to("meta") for tensor in call.inputs if tensor is not None]))
    except RuntimeError:  # the operator needs the values themselves
        return operator(call)
    results = made if isinstance(made, (list, tuple)) else (made,)
    return made if any(isinstance(r, torch.Tensor) and r.numel() > LARGEST for r in results) else operator(call)
