"""Operators that slide a window over positions: convolution, pooling, interpolation."""

from __future__ import annotations

from rfcheck.graph.operators.meanings import (
    Adaptive,
    Convolution,
    RandomWindow,
    Rearrange,
    Resample,
    Sampling,
    Table,
    Unpool,
    Window,
    entries,
)

WINDOWED: Table = {
    **entries("convolution _convolution conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d", Convolution()),
    **entries(
        "mkldnn_convolution cudnn_convolution convolution_overrideable thnn_conv2d slow_conv3d _slow_conv2d_forward", Convolution()
    ),
    **entries(
        "max_pool1d max_pool2d max_pool3d max_pool2d_with_indices max_pool3d_with_indices max_pool1d_with_indices",
        Window("kernel_size", "stride", "dilation", "padding"),
    ),
    **entries(
        "mkldnn_max_pool2d mkldnn_max_pool3d quantized_max_pool1d quantized_max_pool2d quantized_max_pool3d",
        Window("kernel_size", "stride", "dilation", "padding"),
    ),
    **entries("fractional_max_pool2d fractional_max_pool3d", RandomWindow()),
    **entries("max_unpool2d max_unpool3d", Unpool()),
    **entries("avg_pool1d avg_pool2d avg_pool3d", Window("kernel_size", "stride", 1, "padding")),
    **entries("im2col", Rearrange("im2col")),
    **entries("col2im", Rearrange("col2im")),
    **entries("_adaptive_avg_pool2d _adaptive_avg_pool3d adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d", Adaptive()),
    **entries("adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d mkldnn_adaptive_avg_pool2d", Adaptive()),
    **entries("upsample_nearest1d upsample_nearest2d upsample_nearest3d", Resample("nearest")),
    **entries("_upsample_nearest_exact1d _upsample_nearest_exact2d _upsample_nearest_exact3d", Resample("nearest-exact")),
    **entries("upsample_linear1d upsample_bilinear2d upsample_trilinear3d", Resample("linear")),
    **entries("_upsample_bilinear2d_aa", Resample("linear-antialias")),
    **entries("_upsample_lanczos2d_aa", Resample("lanczos-antialias")),
    **entries("upsample_bicubic2d", Resample("cubic")),
    **entries("_upsample_bicubic2d_aa", Resample("cubic-antialias")),
    **entries("grid_sampler grid_sampler_2d grid_sampler_3d", Sampling("reads at positions given by a grid")),
}
