"""Operators that do the work of a whole layer at once: attention, recurrent layers, products and convolutions of one backend."""

from __future__ import annotations

from rfcheck.graph.operators.meanings import Attention, Convolution, Linear, Matmul, Rearrange, Recurrent, Table, entries

FUSED: Table = {
    **entries(
        "scaled_dot_product_attention _scaled_dot_product_flash_attention _scaled_dot_product_efficient_attention", Attention()
    ),
    **entries("_scaled_dot_product_flash_attention_for_cpu _scaled_dot_product_fused_attention_overrideable", Attention()),
    **entries("_scaled_dot_product_attention_math _scaled_dot_product_cudnn_attention _cudnn_attention_forward", Attention()),
    **entries("_scaled_dot_product_attention_math_for_mps _triton_scaled_dot_attention", Attention()),
    **entries("_native_multi_head_attention _triton_multi_head_attention", Attention()),
    **entries("_flash_attention_forward _flash_attention_forward_no_dropout_inplace _efficient_attention_forward", Attention(-3)),
    **entries("_transformer_encoder_layer_fwd", Attention(is_block=True)),
    **entries("lstm gru rnn_tanh rnn_relu mkldnn_rnn_layer _cudnn_rnn miopen_rnn", Recurrent()),
    **entries("_pack_padded_sequence", Rearrange("packed")),
    **entries("mkldnn_linear", Linear()),
    **entries("_int_mm _scaled_mm vdot", Matmul()),
    **entries("addmv", Matmul(1, 2)),
    **entries("slow_conv_transpose2d slow_conv_transpose3d _conv_depthwise2d conv_depthwise3d slow_conv_dilated2d", Convolution()),
}
