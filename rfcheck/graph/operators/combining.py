"""Operators that bring positions together: products of matrices, reductions, selection by content."""

from __future__ import annotations

from rfcheck.graph.operators.meanings import (
    Distances,
    Global,
    Linear,
    Lookup,
    Matmul,
    Matrices,
    Mix,
    Opaque,
    Place,
    Reduce,
    Table,
    entries,
)

_SELECTION = "selects positions by their content"
_TRANSFORM = "a Fourier transform reads all positions"

COMBINING: Table = {
    **entries("linear", Linear()),
    **entries("mm bmm matmul", Matmul()),
    **entries("addmm baddbmm addbmm _addmm_activation", Matmul(1, 2)),
    **entries("mv dot", Matmul()),
    **entries("cdist _cdist_forward _euclidean_dist", Distances()),
    **entries("_trilinear", Lookup("trilinear")),
    **entries("mean sum amax amin prod std var var_mean std_mean logsumexp norm all any nanmean nansum", Reduce()),
    **entries("linalg_vector_norm max min argmax argmin median nanmedian count_nonzero aminmax _aminmax", Reduce()),
    **entries("kthvalue mode linalg__powsum native_norm frobenius_norm special_logsumexp", Reduce()),
    **entries("nll_loss_forward nll_loss2d_forward multi_margin_loss multilabel_margin_loss_forward _ctc_loss", Global()),
    **entries("_is_all_true _is_any_true trace dist _pdist_forward", Global()),
    **entries("_softmax softmax _safe_softmax special_softmax _masked_softmax", Mix(weights="makes")),
    **entries("_log_softmax log_softmax special_log_softmax cumsum cumprod logcumsumexp _logcumsumexp cummax cummin", Mix()),
    **entries("sort topk argsort msort", Mix(kind="select")),
    **entries("linalg_cross cross", Mix(kind="multiply")),
    **entries("multinomial", Mix("", kind="select")),
    **entries("_sample_dirichlet", Mix("")),
    **entries("nonzero nonzero_static nonzero_numpy argwhere masked_select bincount histc histogram", Global(_SELECTION)),
    **entries("_unique _unique2 unique_dim unique_consecutive unique_dim_consecutive", Global(_SELECTION)),
    **entries("_histogramdd_bin_edges _histogramdd_from_bin_cts _histogramdd_from_bin_tensors", Global(_SELECTION)),
    **entries("gather", Lookup("gather")),
    **entries("take", Lookup("take")),
    **entries("embedding", Lookup("embedding")),
    **entries("bucketize searchsorted isin", Lookup("search")),
    **entries("scatter scatter_add scatter_reduce", Place("scatter")),
    **entries("index_add index_copy index_fill index_reduce", Place("rows")),
    **entries("index_put _index_put_impl _unsafe_index_put", Place("index")),
    **entries("masked_scatter put", Place("flat")),
    **entries("embedding_bag _embedding_bag _embedding_bag_forward_only", Opaque("sums bags of embeddings")),
    **entries("inverse linalg_inv linalg_inv_ex linalg_pinv linalg_det _linalg_det linalg_slogdet _linalg_slogdet", Matrices()),
    **entries("linalg_cholesky linalg_cholesky_ex cholesky_inverse cholesky_solve _cholesky_solve_helper", Matrices()),
    **entries("linalg_eig linalg_eigh _linalg_eigh linalg_eigvals linalg_eigvalsh _linalg_eigvals", Matrices()),
    **entries("linalg_svd _linalg_svd linalg_svdvals svd linalg_qr geqrf orgqr ormqr linalg_householder_product", Matrices()),
    **entries("linalg_lu linalg_lu_factor linalg_lu_factor_ex linalg_lu_solve lu_solve lu_unpack _lu_with_info", Matrices()),
    **entries("linalg_ldl_factor linalg_ldl_factor_ex linalg_ldl_solve linalg_solve linalg_solve_ex _linalg_solve_ex", Matrices()),
    **entries("linalg_solve_triangular triangular_solve linalg_lstsq linalg_polar linalg_matrix_sqrth", Matrices()),
    **entries("linalg_matrix_exp matrix_exp linalg_matrix_power matrix_power", Matrices()),
    **entries(
        "fft_fft2 fft_rfft2 fft_fftn fft_rfftn _fft_r2c _fft_c2c _fft_c2r", Global("a Fourier transform reads all positions")
    ),
}
