"""Operators that bring positions together: products of matrices, attention, reductions, recurrence, selection by content."""

from __future__ import annotations

from rfcheck.graph.operators.meanings import Attention, Global, Linear, Matmul, Mix, Recurrent, Reduce, Table, entries

_SELECTION = "selects positions by their content"
_TRANSFORM = "a Fourier transform reads all positions"

COMBINING: Table = {
    **entries("linear", Linear()),
    **entries("mm bmm matmul", Matmul()),
    **entries("addmm baddbmm addbmm _addmm_activation", Matmul(1, 2)),
    **entries("mv dot", Matmul()),
    **entries(
        "scaled_dot_product_attention _scaled_dot_product_flash_attention _scaled_dot_product_efficient_attention", Attention()
    ),
    **entries("_scaled_dot_product_flash_attention_for_cpu _scaled_dot_product_fused_attention_overrideable", Attention()),
    **entries("_scaled_dot_product_attention_math _scaled_dot_product_cudnn_attention", Attention()),
    **entries("mean sum amax amin prod std var var_mean std_mean logsumexp norm all any", Reduce()),
    **entries("linalg_vector_norm max min argmax argmin median nanmean nansum count_nonzero aminmax", Reduce()),
    **entries("_softmax softmax _safe_softmax", Mix(weights="makes")),
    **entries("_log_softmax log_softmax cumsum cumprod logcumsumexp sort topk argsort cummax cummin", Mix()),
    **entries("gather scatter nonzero masked_select take index_put _index_put_impl _unique2 bincount", Global(_SELECTION)),
    **entries("lstm gru rnn_tanh rnn_relu mkldnn_rnn_layer _cudnn_rnn", Recurrent()),
    **entries(
        "fft_fft2 fft_rfft2 fft_fftn fft_rfftn _fft_r2c _fft_c2c _fft_c2r", Global("a Fourier transform reads all positions")
    ),
}
