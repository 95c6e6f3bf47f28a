"""Operators that move values without computing: views, parts, padding, shifts, repetition, concatenation."""

from __future__ import annotations

from rfcheck.graph.operators.meanings import Concat, Pointwise, Rearrange, Table, entries

ARRANGING: Table = {
    **entries("cat stack concatenate concat _stack", Concat()),
    **entries(
        "view _unsafe_view reshape _reshape_alias view_as reshape_as flatten unflatten ravel _mkldnn_reshape", Rearrange("view")
    ),
    **entries("permute transpose t movedim swapaxes swapdims mT numpy_T _mkldnn_transpose", Rearrange("permute")),
    **entries("squeeze unsqueeze resize", Rearrange("view")),
    **entries("expand expand_as broadcast_to", Rearrange("expand")),
    **entries("slice", Rearrange("slice")),
    **entries("narrow", Rearrange("narrow")),
    **entries("select", Rearrange("select")),
    **entries("split split_with_sizes chunk unsafe_split unsafe_chunk unsafe_split_with_sizes tensor_split", Rearrange("split")),
    **entries("unbind", Rearrange("unbind")),
    **entries("constant_pad_nd reflection_pad1d reflection_pad2d reflection_pad3d", Rearrange("pad")),
    **entries("replication_pad1d replication_pad2d replication_pad3d", Rearrange("pad")),
    **entries("roll", Rearrange("roll")),
    **entries("flip", Rearrange("flip")),
    **entries("rot90", Rearrange("rot90")),
    **entries("repeat", Rearrange("repeat")),
    **entries("repeat_interleave", Rearrange("repeat_interleave")),
    **entries("pixel_shuffle", Rearrange("pixel_shuffle")),
    **entries("pixel_unshuffle", Rearrange("pixel_unshuffle")),
    **entries("channel_shuffle native_channel_shuffle", Pointwise("rearrange", weights="keeps")),
    **entries("unfold", Rearrange("unfold")),
    **entries("index_select", Rearrange("index_select")),
    **entries("index _unsafe_index", Rearrange("index")),
    **entries("as_strided", Rearrange("as_strided")),
    **entries("slice_scatter select_scatter", Rearrange("part")),
    **entries("tril triu", Pointwise("rearrange")),
    **entries("diagonal", Rearrange("diagonal")),
    **entries("diag_embed", Rearrange("diag_embed")),
    **entries("view_as_real", Rearrange("view_as_real")),
    **entries("view_as_complex", Rearrange("view_as_complex")),
    **entries("glu", Rearrange("glu")),
}
