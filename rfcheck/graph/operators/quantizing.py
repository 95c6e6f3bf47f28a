"""Operators on values that were rounded to the levels of a quantised type."""

from __future__ import annotations

from rfcheck.graph.operators.meanings import Concat, Join, Meaning, Pointwise, Rounding, Table


def _quantized(names: str, meaning: Meaning) -> Table:
    return {f"quantized::{name}": meaning for name in names.split()}


QUANTIZING: Table = {
    **_quantized("batch_norm batch_norm1d batch_norm2d batch_norm3d batch_norm_relu batch_norm2d_relu", Pointwise("norm")),
    **_quantized("layer_norm group_norm instance_norm", Pointwise("norm")),
    **_quantized("relu6 leaky_relu elu celu hardswish prelu", Pointwise("activation")),
    **_quantized("sigmoid", Pointwise("activation", weights="makes")),
    **_quantized("dropout", Pointwise("dropout", weights="keeps")),
    **_quantized("add add_relu add_scalar add_scalar_relu mul_scalar mul_scalar_relu", Join()),
    **_quantized("mul mul_relu", Join(gate=True)),
    **_quantized("cat cat_relu", Concat()),
    **{
        f"quantized_decomposed::{name}_per_{part}": Rounding()
        for name in ("quantize", "dequantize")
        for part in ("tensor", "channel")
    },
}
