"""What each operator reads: the table of operators, and how users add their own.

An operator is *handled* (it has an entry that says how it gathers), *neutral* (it has an entry that says why it does not matter
for receptive fields), or *unknown* (no entry; reported by name wherever it occurs). One entry covers all overloads of an operator.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rfcheck.errors import OperatorError

Extent = int | tuple[int, ...] | str
"""A number for all axes, a number per axis, or the name of the operator's argument that holds it."""


@dataclass(frozen=True, slots=True)
class Window:
    """Every output reads a window of the input, over the last dimensions (N, C, *axes).

    Args:
        kernel: taps per image axis.
        stride: positions between neighbouring windows; None for the kernel's.
        dilation: positions between neighbouring taps.
        padding: positions added before the first; the output's shape decides what is added after the last.
        kind: how layers of this operator are listed.
    """

    kernel: Extent = 1
    stride: Extent | None = 1
    dilation: Extent = 1
    padding: Extent = 0
    kind: str = "pool"


@dataclass(frozen=True, slots=True)
class Convolution:
    """A convolution, plain or transposed: a window over the image axes and all of a group's channels."""


@dataclass(frozen=True, slots=True)
class Pointwise:
    """Every output reads its own position only.

    Args:
        kind: how nodes of this operator are listed.
        reason: why the operator is neutral for receptive fields.
        weights: "makes" if the result lies between 0 and 1 and can weigh a feature map (a gate), "keeps" if it does so when the
            input does, None otherwise.
    """

    kind: str = "elementwise"
    reason: str = "acts on each position by itself"
    weights: str | None = None


@dataclass(frozen=True, slots=True)
class Join:
    """Several inputs meet position by position: addition, products. ``gate`` for products, which may re-weigh a map."""

    gate: bool = False


@dataclass(frozen=True, slots=True)
class Concat:
    """Several inputs side by side along ``dim``."""


@dataclass(frozen=True, slots=True)
class Matmul:
    """A product of matrices: ``x`` and ``y`` are the positions of the factors among the arguments."""

    x: int = 0
    y: int = 1


@dataclass(frozen=True, slots=True)
class Linear:
    """A linear layer over the last dimension, weight as second argument."""


@dataclass(frozen=True, slots=True)
class Attention:
    """Scaled dot-product attention over (..., tokens, features): query, key and value are the first three arguments."""


@dataclass(frozen=True, slots=True)
class Reduce:
    """All values along the dimensions in argument ``dims`` become one; all dimensions where the argument is absent."""

    dims: str = "dim"


@dataclass(frozen=True, slots=True)
class Mix:
    """Every value along the dimension in argument ``dim`` reads all others (softmax, cumulative sums)."""

    dim: str = "dim"
    weights: str | None = None


@dataclass(frozen=True, slots=True)
class Resample:
    """Interpolation to another size over the last dimensions, by ``mode``."""

    mode: str


@dataclass(frozen=True, slots=True)
class Adaptive:
    """Pooling to a given output size; an axis pooled to one value is global."""


@dataclass(frozen=True, slots=True)
class Rearrange:
    """The same values elsewhere: views, permutations, slices, padding, shifts. ``how`` names the arrangement."""

    how: str


@dataclass(frozen=True, slots=True)
class Global:
    """Every output reads all positions.

    Args:
        reason: why, for the report.
    """

    reason: str = ""


@dataclass(frozen=True, slots=True)
class Recurrent:
    """A recurrent layer: every step reads all steps along the sequence dimension; other dimensions stay apart."""


@dataclass(frozen=True, slots=True)
class Opaque:
    """An operator that is known to be unknowable: its receptive field is reported as unknown.

    Args:
        reason: why, for the report.
    """

    reason: str


Meaning = (
    Window
    | Convolution
    | Pointwise
    | Join
    | Concat
    | Matmul
    | Linear
    | Attention
    | Reduce
    | Mix
    | Resample
    | Adaptive
    | Rearrange
    | Global
    | Recurrent
    | Opaque
)

_STATISTICS = "normalisation rescales with statistics and adds no context"
_SELECTION = "selects positions by their content"


def _names(text: str, meaning: Meaning) -> dict[str, Meaning]:
    return {f"aten::{name}": meaning for name in text.split()}


_TABLE: dict[str, Meaning] = {
    **_names("convolution _convolution conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d", Convolution()),
    **_names(
        "mkldnn_convolution cudnn_convolution convolution_overrideable thnn_conv2d slow_conv3d _slow_conv2d_forward", Convolution()
    ),
    **_names(
        "max_pool1d max_pool2d max_pool3d max_pool2d_with_indices max_pool3d_with_indices mkldnn_max_pool2d",
        Window("kernel_size", "stride", "dilation", "padding"),
    ),
    **_names("avg_pool1d avg_pool2d avg_pool3d", Window("kernel_size", "stride", 1, "padding")),
    **_names("im2col", Window("kernel_size", "stride", "dilation", "padding", kind="unfold")),
    **_names("col2im", Rearrange("col2im")),
    **_names("_adaptive_avg_pool2d _adaptive_avg_pool3d adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d", Adaptive()),
    **_names("adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d mkldnn_adaptive_avg_pool2d", Adaptive()),
    **_names("upsample_nearest1d upsample_nearest2d upsample_nearest3d", Resample("nearest")),
    **_names("_upsample_nearest_exact1d _upsample_nearest_exact2d _upsample_nearest_exact3d", Resample("nearest-exact")),
    **_names("upsample_linear1d upsample_bilinear2d upsample_trilinear3d", Resample("linear")),
    **_names("_upsample_bilinear2d_aa", Resample("linear-antialias")),
    **_names("upsample_bicubic2d", Resample("cubic")),
    **_names("_upsample_bicubic2d_aa", Resample("cubic-antialias")),
    **_names("linear", Linear()),
    **_names("mm bmm matmul", Matmul()),
    **_names("addmm baddbmm addbmm _addmm_activation", Matmul(1, 2)),
    **_names("mv dot", Matmul()),
    **_names(
        "scaled_dot_product_attention _scaled_dot_product_flash_attention _scaled_dot_product_efficient_attention", Attention()
    ),
    **_names("_scaled_dot_product_flash_attention_for_cpu _scaled_dot_product_fused_attention_overrideable", Attention()),
    **_names("_scaled_dot_product_attention_math _scaled_dot_product_cudnn_attention", Attention()),
    **_names("add sub rsub maximum minimum fmax fmin where lerp addcmul addcdiv copy_ copy pow atan2 hypot logaddexp", Join()),
    **_names("eq ne lt le gt ge logical_and logical_or logical_xor bitwise_and bitwise_or masked_fill remainder fmod", Join()),
    **_names("mul div", Join(gate=True)),
    **_names("cat stack concatenate", Concat()),
    **_names("native_batch_norm _native_batch_norm_legit _native_batch_norm_legit_no_training cudnn_batch_norm", Pointwise("norm")),
    **_names("_batch_norm_no_update batch_norm _batch_norm_impl_index", Pointwise("norm")),
    **_names("native_layer_norm native_group_norm layer_norm group_norm instance_norm rms_norm", Pointwise("norm", _STATISTICS)),
    **_names("_fused_rms_norm _batch_norm_with_update", Pointwise("norm", _STATISTICS)),
    **_names(
        "relu gelu silu elu selu celu leaky_relu hardswish hardtanh relu6 prelu _prelu_kernel mish softplus",
        Pointwise("activation"),
    ),
    **_names("tanh threshold log_sigmoid_forward hardshrink softshrink rrelu rrelu_with_noise", Pointwise("activation")),
    **_names("sigmoid hardsigmoid", Pointwise("activation", weights="makes")),
    **_names("native_dropout dropout alpha_dropout feature_dropout bernoulli", Pointwise("dropout", weights="keeps")),
    **_names(
        "clone detach alias lift_fresh lift_fresh_copy _to_copy contiguous to view_as_real view_as_complex",
        Pointwise(weights="keeps"),
    ),
    **_names("type_as expm1 exp log log1p log2 log10 sqrt rsqrt square reciprocal abs neg sign", Pointwise()),
    **_names("sin cos tan asin acos atan sinh cosh erf erfc floor ceil round trunc frac isnan isinf isfinite", Pointwise()),
    **_names("logical_not bitwise_not nan_to_num angle real imag conj _conj sgn", Pointwise()),
    **_names("clamp clamp_min clamp_max", Pointwise(weights="keeps")),
    **_names("mean sum amax amin prod std var var_mean std_mean logsumexp norm all any", Reduce()),
    **_names("linalg_vector_norm max min argmax argmin median nanmean nansum count_nonzero aminmax", Reduce()),
    **_names("_softmax softmax _safe_softmax", Mix(weights="makes")),
    **_names("_log_softmax log_softmax cumsum cumprod logcumsumexp sort topk argsort cummax cummin", Mix()),
    **_names("view _unsafe_view reshape _reshape_alias view_as reshape_as flatten unflatten", Rearrange("view")),
    **_names("permute transpose t movedim swapaxes mT numpy_T", Rearrange("permute")),
    **_names("squeeze unsqueeze", Rearrange("view")),
    **_names("expand expand_as broadcast_to", Rearrange("expand")),
    **_names("slice", Rearrange("slice")),
    **_names("narrow", Rearrange("narrow")),
    **_names("select", Rearrange("select")),
    **_names("split split_with_sizes chunk unsafe_split unsafe_chunk unsafe_split_with_sizes tensor_split", Rearrange("split")),
    **_names("unbind", Rearrange("unbind")),
    **_names("constant_pad_nd reflection_pad1d reflection_pad2d reflection_pad3d", Rearrange("pad")),
    **_names("replication_pad1d replication_pad2d replication_pad3d", Rearrange("pad")),
    **_names("roll", Rearrange("roll")),
    **_names("flip", Rearrange("flip")),
    **_names("repeat", Rearrange("repeat")),
    **_names("repeat_interleave", Rearrange("repeat_interleave")),
    **_names("pixel_shuffle", Rearrange("pixel_shuffle")),
    **_names("pixel_unshuffle", Rearrange("pixel_unshuffle")),
    **_names("channel_shuffle native_channel_shuffle", Pointwise("rearrange", weights="keeps")),
    **_names("unfold", Rearrange("unfold")),
    **_names("index_select", Rearrange("index_select")),
    **_names("index", Rearrange("index")),
    **_names("as_strided", Rearrange("as_strided")),
    **_names("slice_scatter select_scatter", Opaque("writes into a part of a tensor without a view")),
    **_names("diagonal diag tril triu", Pointwise("rearrange")),
    **_names("glu", Rearrange("glu")),
    **_names("gather scatter nonzero masked_select take index_put _index_put_impl _unique2 bincount", Global(_SELECTION)),
    **_names("lstm gru rnn_tanh rnn_relu mkldnn_rnn_layer _cudnn_rnn", Recurrent()),
    "torchvision::nms": Global(_SELECTION),
    "torchvision::roi_align": Global(_SELECTION),
    "torchvision::roi_pool": Global(_SELECTION),
    "torchvision::deform_conv2d": Opaque("reads at positions that it computes itself"),
    **_names("grid_sampler grid_sampler_2d grid_sampler_3d", Opaque("reads at positions given by a grid")),
    **_names("fft_fft2 fft_rfft2 fft_fftn fft_rfftn _fft_r2c _fft_c2c _fft_c2r", Global("a Fourier transform reads all positions")),
}


def meaning_of(func: Any) -> Meaning | None:
    """The entry of an operator overload, also under its name without the underscore of the in-place form; None if unknown."""
    if isinstance(func, str):  # a marker of the recorder
        return None
    name: str = func._schema.name
    return _TABLE.get(name) or _TABLE.get(name.removesuffix("_"))


def register_operator(operator: Any, meaning: Meaning) -> None:
    """Tell rfcheck how an operator gathers.

    Args:
        operator: ``torch.ops.mylib.op``, one of its overloads, or its name "mylib::op".
        meaning: ``Window(...)``, ``Pointwise()``, ``Join()``, ``Global()``, ``Resample(...)`` or ``Opaque(...)``.

    Raises:
        OperatorError: if the operator has another entry already, or is not an operator.
    """
    name = _qualified_name(operator)
    if not isinstance(meaning, Meaning):
        raise OperatorError(f"{name}: the meaning must be a Window, Pointwise, Join, Global, Resample or Opaque, got {meaning!r}")
    if _TABLE.get(name, meaning) != meaning:
        raise OperatorError(f"operator {name} is known already, as {_TABLE[name]}")
    _TABLE[name] = meaning


def _qualified_name(operator: Any) -> str:
    if isinstance(operator, str) and operator.count("::") == 1:
        return operator
    name = getattr(operator, "_qualified_op_name", None) or getattr(getattr(operator, "_schema", None), "name", None)
    if not isinstance(name, str):
        raise OperatorError(f"{operator!r} is not an operator; pass torch.ops.mylib.op or 'mylib::op'")
    return name


def neutral_operators() -> dict[str, str]:
    """Operators that are known and add nothing to a receptive field, with the reason."""
    return {name: meaning.reason for name, meaning in _TABLE.items() if isinstance(meaning, Pointwise)}


def known_operators() -> Sequence[str]:
    """Qualified names of all operators with an entry."""
    return sorted(_TABLE)
