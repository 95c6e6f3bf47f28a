"""Operators that act on each position by itself: activations, normalisation, arithmetic of one or several maps."""

from __future__ import annotations

from rfcheck.graph.operators.meanings import Join, Loss, Pointwise, Rounding, Table, entries

_STATISTICS = "normalisation rescales with statistics and adds no context"
_RANDOM = "draws each value by itself"
ELEMENTWISE: Table = {
    **entries("add sub rsub maximum minimum fmax fmin where lerp addcmul addcdiv copy_ copy pow atan2 hypot logaddexp", Join()),
    **entries("eq ne lt le gt ge logical_and logical_or logical_xor bitwise_and bitwise_or masked_fill remainder fmod", Join()),
    **entries("subtract arctan2 greater greater_equal less less_equal not_equal isclose floor_divide ldexp float_power", Join()),
    **entries("complex polar heaviside xlogy copysign bitwise_xor __and__ __or__ __xor__ special_xlogy special_xlog1py", Join()),
    **entries("_add_relu addr fill fill_ _masked_scale", Join()),
    **entries("mul div multiply divide true_divide", Join(gate=True)),
    **entries("binary_cross_entropy binary_cross_entropy_with_logits huber_loss mse_loss smooth_l1_loss soft_margin_loss", Loss()),
    **entries("l1_loss kl_div poisson_nll_loss hinge_embedding_loss margin_ranking_loss", Loss()),
    **entries("native_batch_norm _native_batch_norm_legit _native_batch_norm_legit_no_training", Pointwise("norm")),
    **entries("cudnn_batch_norm miopen_batch_norm _batch_norm_no_update batch_norm _batch_norm_impl_index", Pointwise("norm")),
    **entries("native_layer_norm native_group_norm layer_norm group_norm instance_norm rms_norm", Pointwise("norm", _STATISTICS)),
    **entries("_fused_rms_norm _batch_norm_with_update _batch_norm_with_update_functional", Pointwise("norm", _STATISTICS)),
    **entries("_native_batch_norm_legit_functional quantized_batch_norm batch_norm_elemt renorm", Pointwise("norm", _STATISTICS)),
    **entries(
        "relu gelu silu elu selu celu leaky_relu hardswish hardtanh relu6 prelu _prelu_kernel mish softplus",
        Pointwise("activation"),
    ),
    **entries("tanh threshold log_sigmoid log_sigmoid_forward hardshrink softshrink", Pointwise("activation")),
    **entries("rrelu rrelu_with_noise rrelu_with_noise_functional", Pointwise("activation")),
    **entries("sigmoid hardsigmoid special_expit", Pointwise("activation", weights="makes")),
    **entries("native_dropout dropout alpha_dropout feature_dropout feature_alpha_dropout", Pointwise("dropout", weights="keeps")),
    **entries("_fused_dropout bernoulli", Pointwise("dropout", weights="keeps")),
    **entries("poisson _standard_gamma", Pointwise(reason=_RANDOM)),
    **entries("binomial normal", Join()),
    **entries("fake_quantize_per_tensor_affine fake_quantize_per_channel_affine", Rounding()),
    **entries("fake_quantize_per_tensor_affine_cachemask fake_quantize_per_channel_affine_cachemask", Rounding()),
    **entries("_fake_quantize_learnable_per_tensor_affine _fake_quantize_learnable_per_channel_affine", Rounding()),
    **entries("_fake_quantize_per_tensor_affine_cachemask_tensor_qparams fused_moving_avg_obs_fake_quant", Rounding()),
    **entries("_fused_moving_avg_obs_fq_helper _fused_moving_avg_obs_fq_helper_functional", Rounding()),
    **entries("quantize_per_tensor quantize_per_channel quantize_per_tensor_dynamic dequantize int_repr", Rounding()),
    **entries("_make_per_tensor_quantized_tensor _make_per_channel_quantized_tensor _saturate_weight_to_fp16", Rounding()),
    **entries(
        "clone detach alias lift lift_fresh _to_copy contiguous to _conj _neg_view",
        Pointwise(weights="keeps"),
    ),
    **entries("_lazy_clone data pin_memory _pin_memory resolve_conj resolve_neg positive", Pointwise(weights="keeps")),
    **entries(
        "_cast_Byte _cast_Char _cast_Double _cast_Float _cast_Half _cast_Int _cast_Long _cast_Short", Pointwise(weights="keeps")
    ),
    **entries("_autocast_to_full_precision _autocast_to_reduced_precision chalf type_as _to_cpu", Pointwise(weights="keeps")),
    **entries("to_dense _to_dense to_mkldnn", Pointwise(weights="keeps")),
    **entries("expm1 exp log log1p log2 log10 sqrt rsqrt square reciprocal abs absolute neg negative sign", Pointwise()),
    **entries(
        "sin cos tan asin acos atan sinh cosh asinh acosh atanh erf erfc erfinv floor ceil round trunc fix frac", Pointwise()
    ),
    **entries("arcsin arccos arctan arcsinh arccosh arctanh isnan isinf isfinite isneginf isposinf isreal signbit", Pointwise()),
    **entries(
        "logical_not bitwise_not nan_to_num angle real imag conj conj_physical _conj_physical sgn frexp mvlgamma", Pointwise()
    ),
    **entries(
        "deg2rad rad2deg digamma lgamma i0 sinc logit exp2 special_digamma special_erf special_erfc special_erfinv", Pointwise()
    ),
    **entries(
        "special_exp2 special_expm1 special_gammaln special_i0 special_i0e special_i1 special_i1e special_log1p", Pointwise()
    ),
    **entries(
        "special_logit special_multigammaln special_ndtr special_ndtri special_log_ndtr special_psi special_round", Pointwise()
    ),
    **entries("special_sinc special_entr special_erfcx special_polygamma polygamma", Pointwise()),
    **entries("clamp clamp_min clamp_max clip", Pointwise(weights="keeps")),
}
