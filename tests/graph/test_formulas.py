"""Formulas against torch's own counter where it knows the operator, and against sums by hand where it does not."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from rfcheck.graph.flops import multiply_accumulates
from rfcheck.graph.formulas import FORMULAS
from rfcheck.graph.operators import Attention, Convolution, Linear, Matmul, Recurrent, known_operators, lookup
from rfcheck.graph.records import TensorArg

aten = torch.ops.aten


def known(*tensors: torch.Tensor) -> tuple[TensorArg, ...]:
    return tuple(TensorArg(None, tuple(t.shape)) for t in tensors)


def meta(*shapes: tuple[int, ...]) -> list[torch.Tensor]:
    return [torch.empty(shape, device="meta") for shape in shapes]


@pytest.mark.parametrize(
    "name",
    [
        "_scaled_dot_product_flash_attention",
        "_scaled_dot_product_efficient_attention",
        "_scaled_dot_product_cudnn_attention",
        "scaled_dot_product_attention",
        "_scaled_dot_product_attention_math",
        "_scaled_dot_product_flash_attention_for_cpu",
        "_scaled_dot_product_fused_attention_overrideable",
    ],
)
def test_attention_over_heads(name):
    query, key, value = meta((2, 3, 10, 8), (2, 3, 7, 8), (2, 3, 7, 5))
    with FlopCounterMode(display=False) as counter:
        torch.softmax(query @ key.transpose(-1, -2), -1) @ value
    func = getattr(aten, name).default
    macs = multiply_accumulates(func, known(query, key, value), {}, [(2, 3, 10, 5)])
    assert 2 * macs == counter.get_total_flops() == 2 * 2 * 3 * 10 * 7 * (8 + 5)


@pytest.mark.parametrize(("name", "before"), [("_flash_attention_forward", ()), ("_efficient_attention_forward", (None,))])
def test_attention_by_token(name, before):
    tensors = known(*meta((2, 10, 3, 8), (2, 7, 3, 8), (2, 7, 3, 8)))
    func = getattr(aten, name).default
    assert multiply_accumulates(func, (*tensors, *before, None, None, 10, 7, 0.0), {}, [(2, 10, 3, 8)]) == 2 * 3 * 10 * 7 * 16
    packed = known(*meta((14, 3, 8), (9, 3, 8), (9, 3, 8)))
    starts = known(*meta((3,), (3,)))  # of two sequences, at most 8 and 5 long
    assert multiply_accumulates(func, (*packed, *before, *starts, 8, 5, 0.0), {}, [(14, 3, 8)]) == 2 * 3 * 8 * 5 * 16


def test_whole_layers_of_a_transformer_in_one_operator():
    layer = torch.nn.TransformerEncoderLayer(8, 2, 20, batch_first=True, device="meta").eval()
    tokens = torch.empty(3, 5, 8, device="meta")
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        torch.backends.mha.set_fastpath_enabled(False)
        layer(tokens)
        torch.backends.mha.set_fastpath_enabled(True)
    attention = layer.self_attn
    weights = (attention.in_proj_weight, attention.in_proj_bias, attention.out_proj.weight, attention.out_proj.bias)
    norms = (layer.norm1.weight, layer.norm1.bias, layer.norm2.weight, layer.norm2.bias)
    linear = (layer.linear1.weight, layer.linear1.bias, layer.linear2.weight, layer.linear2.bias)
    args = (*known(tokens), 8, 2, *known(*weights), False, False, 1e-5, *known(*norms), *known(*linear))
    assert 2 * multiply_accumulates(aten._transformer_encoder_layer_fwd.default, args, {}, [(3, 5, 8)]) == counter.get_total_flops()
    of_attention = counter.get_flop_counts()["TransformerEncoderLayer.self_attn"]
    args = (*known(tokens, tokens, tokens), 8, 2, *known(*weights))
    macs = multiply_accumulates(aten._native_multi_head_attention.default, args, {}, [(3, 5, 8)])
    assert 2 * macs == sum(of_attention.values()) == 2 * 3 * (5 * 4 * 8 * 8 + 2 * 5 * 5 * 8)


@pytest.mark.parametrize(
    ("name", "shapes", "result", "macs"),
    [
        ("mv", [(3, 4), (4,)], (3,), 12),
        ("dot", [(4,), (4,)], (), 4),
        ("vdot", [(4,), (4,)], (), 4),
        ("addmv", [(3,), (3, 4), (4,)], (3,), 12),
        ("addbmm", [(3, 5), (2, 3, 4), (2, 4, 5)], (3, 5), 2 * 3 * 4 * 5),
        ("_cdist_forward", [(2, 3, 4), (2, 5, 4)], (2, 3, 5), 2 * 3 * 5 * 4),
        ("mkldnn_linear", [(2, 7, 4), (5, 4)], (2, 7, 5), 2 * 7 * 4 * 5),
        ("mkldnn_convolution", [(2, 4, 9, 9), (6, 2, 3, 3)], (2, 6, 7, 7), 2 * 7 * 7 * 6 * 2 * 9),
        ("slow_conv_transpose2d", [(2, 4, 5, 5), (4, 6, 3, 3)], (2, 6, 7, 7), 2 * 5 * 5 * 4 * 6 * 9),
    ],
)
def test_products_that_torchs_counter_leaves_out(name, shapes, result, macs):
    func = getattr(getattr(aten, name), getattr(aten, name).overloads()[0])
    assert multiply_accumulates(func, known(*meta(*shapes)), {}, [result]) == macs


def test_a_bilinear_layer():
    """Every pair of entries of the two inputs times its weight, for each output."""
    left, right, weight = meta((6, 3), (6, 4), (5, 3, 4))
    args = (*known(left, weight, right), [1, 3], [0], [1, 2], [2, 3])
    assert multiply_accumulates(aten._trilinear.default, args, {}, [(6, 5)]) == 6 * 5 * 3 * 4


def test_whoever_multiplies_matrices_has_a_formula():
    multiplies = (Attention, Convolution, Linear, Matmul, Recurrent)
    table = lookup._TABLE
    missing = [name for name in known_operators() if isinstance(table[name], multiplies) and name not in FORMULAS]
    assert missing == []
