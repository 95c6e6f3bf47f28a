"""Operators that act on each position by itself: activations, normalisation, arithmetic of one or several maps."""

from __future__ import annotations

from rfcheck.graph.operators.meanings import Join, Pointwise, Table, entries

_STATISTICS = "normalisation rescales with statistics and adds no context"

ELEMENTWISE: Table = {
    **entries("add sub rsub maximum minimum fmax fmin where lerp addcmul addcdiv copy_ copy pow atan2 hypot logaddexp", Join()),
    **entries("eq ne lt le gt ge logical_and logical_or logical_xor bitwise_and bitwise_or masked_fill remainder fmod", Join()),
    **entries("mul div", Join(gate=True)),
    **entries(
        "native_batch_norm _native_batch_norm_legit _native_batch_norm_legit_no_training cudnn_batch_norm", Pointwise("norm")
    ),
    **entries("cudnn_batch_norm _batch_norm_no_update batch_norm _batch_norm_impl_index", Pointwise("norm")),
    **entries("native_layer_norm native_group_norm layer_norm group_norm instance_norm rms_norm", Pointwise("norm", _STATISTICS)),
    **entries("_fused_rms_norm _batch_norm_with_update", Pointwise("norm", _STATISTICS)),
    **entries(
        "relu gelu silu elu selu celu leaky_relu hardswish hardtanh relu6 prelu _prelu_kernel mish softplus",
        Pointwise("activation"),
    ),
    **entries("tanh threshold log_sigmoid_forward hardshrink softshrink rrelu rrelu_with_noise", Pointwise("activation")),
    **entries("sigmoid hardsigmoid", Pointwise("activation", weights="makes")),
    **entries("native_dropout dropout alpha_dropout feature_dropout bernoulli", Pointwise("dropout", weights="keeps")),
    **entries(
        "clone detach alias lift_fresh lift_fresh_copy _to_copy contiguous to view_as_real view_as_complex",
        Pointwise(weights="keeps"),
    ),
    **entries("type_as expm1 exp log log1p log2 log10 sqrt rsqrt square reciprocal abs neg sign", Pointwise()),
    **entries("sin cos tan asin acos atan sinh cosh erf erfc floor ceil round trunc frac isnan isinf isfinite", Pointwise()),
    **entries("logical_not bitwise_not nan_to_num angle real imag conj _conj sgn", Pointwise()),
    **entries("clamp clamp_min clamp_max", Pointwise(weights="keeps")),
}
