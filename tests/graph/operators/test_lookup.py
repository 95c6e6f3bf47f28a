"""The table of operators, and what users add to it."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import rfcheck
from rfcheck.errors import OperatorError, RfcheckError
from rfcheck.graph.operators import Join, Pointwise, known_operators, lookup, meaning_of, neutral_operators, register_operator
from tests.oracle import Apply, gradient_extents

IMAGE = (1, 2, 32, 32)


@torch.library.custom_op("rfcheck_tests::blur", mutates_args=())
def blur(x: torch.Tensor) -> torch.Tensor:
    """A window of three positions that keeps the extent."""
    return F.avg_pool2d(x, 3, 1, 1)


@torch.library.custom_op("rfcheck_tests::halve", mutates_args=())
def halve(x: torch.Tensor) -> torch.Tensor:
    """A window of four positions that halves the extent."""
    return F.avg_pool2d(x, 4, 2, 1)


@torch.library.custom_op("rfcheck_tests::weigh", mutates_args=())
def weigh(x: torch.Tensor, y: torch.Tensor, rate: int) -> torch.Tensor:
    """Two maps that meet position by position."""
    return x + rate * y


@torch.library.custom_op("rfcheck_tests::tap", mutates_args=())
def tap(x: torch.Tensor, size: int, steps: int, gap: int) -> torch.Tensor:
    """A window whose kernel, stride and dilation are arguments."""
    return F.max_pool2d(x, size, steps, dilation=gap)


@blur.register_fake
def _(x):
    return torch.empty_like(x)


@halve.register_fake
def _(x):
    return x.new_empty(*x.shape[:2], x.shape[2] // 2, x.shape[3] // 2)


@weigh.register_fake
def _(x, y, rate):
    return torch.empty_like(x)


@tap.register_fake
def _(x, size, steps, gap):
    return F.max_pool2d(x, size, steps, dilation=gap)


@pytest.fixture(autouse=True)
def _own_table(monkeypatch):
    """What a test registers is forgotten."""
    monkeypatch.setattr(lookup, "_TABLE", dict(lookup._TABLE))


def around(function) -> nn.Module:
    return Apply(lambda x, a, b: b(function(a(x))), nn.Conv2d(2, 2, 3, padding=1), nn.Conv2d(2, 2, 3, padding=1))


def last_layer(function) -> rfcheck.Layer:
    return rfcheck.analyze(around(function), IMAGE).layers[-1]


def reported(analysis: rfcheck.Analysis) -> list[rfcheck.Finding]:
    return [finding for finding in analysis.findings if finding.code == "RF901"]


# Registration


def test_a_registered_window_changes_r():
    assert last_layer(blur).r_max == (5, 5)
    register_operator(torch.ops.rfcheck_tests.blur, rfcheck.Window(kernel=3, padding=1))
    analysis = rfcheck.analyze(around(blur), IMAGE)
    assert analysis.layers[-1].r_max == analysis.layers[-1].r_min == (7, 7)
    assert [layer.kind for layer in analysis.layers] == ["conv", "pool", "conv"]
    assert analysis.assumptions == ()
    assert reported(analysis) == []
    assert gradient_extents(around(lambda x: F.avg_pool2d(x, 3, 1, 1)), IMAGE) == (7, 7)


@pytest.mark.parametrize(
    "operator", [torch.ops.rfcheck_tests.blur, torch.ops.rfcheck_tests.blur.default, "rfcheck_tests::blur"], ids=str
)
def test_an_operator_is_named_by_packet_overload_or_name(operator):
    register_operator(operator, rfcheck.Global())
    assert "rfcheck_tests::blur" in known_operators()
    assert last_layer(blur).r_max == (math.inf, math.inf)


@pytest.mark.parametrize(
    ("meaning", "r_max", "jump"),
    [
        (rfcheck.Window(kernel=4, stride=2, padding=1), (10, 10), (2, 2)),
        (rfcheck.Window(kernel=(4, 2), stride=2, padding=(1, 0)), (10, 8), (2, 2)),
        (rfcheck.Window(kernel=(2, 3), stride=2, dilation=(3, 1), padding=(1, 0), kind="conv"), (10, 9), (2, 2)),
        (rfcheck.Window(kernel=2, stride=None), (8, 8), (2, 2)),
        (rfcheck.Resample("nearest"), (7, 7), (2, 2)),
        (rfcheck.Resample("linear"), (8, 8), (2, 2)),
    ],
    ids=str,
)
def test_meanings_of_an_operator_that_changes_the_extent(meaning, r_max, jump):
    register_operator("rfcheck_tests::halve", meaning)
    layer = last_layer(halve)
    assert (layer.r_max, layer.jump) == (r_max, jump)


def test_a_window_takes_its_extents_from_the_arguments_that_it_names():
    register_operator("rfcheck_tests::tap", rfcheck.Window(kernel="size", stride="steps", dilation="gap"))
    assert last_layer(lambda x: tap(x, 3, 2, 1)).r_max == (9, 9)
    assert last_layer(lambda x: tap(x, 2, 3, 4)).r_max == (13, 13)


def test_a_join_reads_all_its_inputs():
    register_operator("rfcheck_tests::weigh", rfcheck.Join())
    wide = F.max_pool2d
    analysis = rfcheck.analyze(around(lambda x: weigh(x, wide(x, 7, 1, 3), 2)), IMAGE)
    assert analysis.layers[-1].r_max == (11, 11)
    assert analysis.layers[-1].r_min == (5, 5)
    assert analysis.assumptions == ()


def test_an_opaque_operator_makes_r_unknown_and_gives_its_reason():
    register_operator("rfcheck_tests::blur", rfcheck.Opaque("looks where it likes"))
    analysis = rfcheck.analyze(around(blur), IMAGE)
    assert analysis.layers[-1].r_max is None
    (assumption,) = analysis.assumptions
    assert assumption.endswith("rfcheck_tests::blur: looks where it likes")


def test_a_second_registration_raises():
    register_operator("rfcheck_tests::blur", Pointwise(reason="adds nothing"))
    with pytest.raises(OperatorError) as error:
        register_operator(torch.ops.rfcheck_tests.blur, rfcheck.Window(kernel=3))
    assert str(error.value) == (
        "operator rfcheck_tests::blur is known already, "
        "as Pointwise(kind='elementwise', reason='adds nothing', weights=None)"
    )  # fmt: skip
    assert isinstance(error.value, (RfcheckError, ValueError))


def test_the_same_registration_again_is_fine():
    for _ in range(2):
        register_operator("rfcheck_tests::same_again", Pointwise(reason="adds nothing"))


def test_an_operator_of_the_table_cannot_be_registered_again():
    with pytest.raises(OperatorError, match=r"^operator aten::relu is known already, as Pointwise\(kind='activation', "):
        register_operator(torch.ops.aten.relu, Pointwise())


def test_what_is_not_an_operator_raises():
    with pytest.raises(OperatorError) as error:
        register_operator(42, Pointwise())
    assert str(error.value) == "42 is not an operator; pass torch.ops.mylib.op or 'mylib::op'"
    for thing in ("blur", "a::b::c", torch.relu, nn.ReLU, None):
        with pytest.raises(OperatorError, match=r"is not an operator; pass torch\.ops\.mylib\.op or 'mylib::op'$"):
            register_operator(thing, Pointwise())


def test_what_is_not_a_meaning_raises():
    with pytest.raises(OperatorError) as error:
        register_operator("rfcheck_tests::blur", 3)
    assert str(error.value) == (
        "rfcheck_tests::blur: the meaning must be a Window, Pointwise, Join, Global, Resample or Opaque, got 3"
    )  # fmt: skip
    assert "rfcheck_tests::blur" not in known_operators()


# The three states: handled, neutral, unknown


def test_an_unknown_operator_that_keeps_the_extent_is_taken_as_pointwise_and_reported():
    analysis = rfcheck.analyze(around(blur), IMAGE)
    assert analysis.layers[-1].r_max == (5, 5)
    (assumption,) = analysis.assumptions
    assert assumption.endswith(": rfcheck_tests::blur: unknown operator, taken as pointwise")
    (finding,) = reported(analysis)
    assert "rfcheck_tests::blur" in finding.message
    assert "taken as pointwise" in finding.message


def test_an_unknown_operator_that_changes_the_extent_leaves_r_unknown_and_is_reported():
    analysis = rfcheck.analyze(around(halve), IMAGE)
    before, behind = analysis.layers
    assert (before.r_max, before.productive) == ((3, 3), True)
    assert (behind.r_max, behind.r_min, behind.r_in_min, behind.jump, behind.productive) == (None,) * 5
    (assumption,) = analysis.assumptions
    assert assumption.endswith(": rfcheck_tests::halve: unknown operator, its receptive field is unknown")
    (finding,) = reported(analysis)
    assert "rfcheck_tests::halve" in finding.message


def test_every_neutral_operator_has_a_reason():
    neutral = neutral_operators()
    assert {"aten::relu", "aten::native_layer_norm", "aten::detach"} <= set(neutral)
    assert all(reason.strip() for reason in neutral.values())
    assert "aten::convolution" not in neutral
    register_operator("rfcheck_tests::blur", Pointwise(reason="a blur of extent one"))
    assert neutral_operators()["rfcheck_tests::blur"] == "a blur of extent one"


def test_overloads_and_in_place_forms_share_an_entry():
    assert meaning_of(torch.ops.aten.relu.default) is meaning_of(torch.ops.aten.relu_.default) is not None
    assert meaning_of(torch.ops.aten.add.Tensor) is meaning_of(torch.ops.aten.add_.Scalar) is not None
    assert meaning_of(torch.ops.rfcheck_tests.blur.default) is None


def test_forms_of_an_operator_have_its_meaning():
    aten = torch.ops.aten
    assert meaning_of(aten.view_copy.default) is meaning_of(aten.view.default) is not None
    assert meaning_of(aten.heaviside_.default) is meaning_of(aten.heaviside.default) is not None
    assert meaning_of(torch.ops.prims.sqrt.default) is meaning_of(aten.sqrt.default) is not None


def overloads_of_torch():
    """Every operator of torch that makes tensors of tensors, by the first of its overloads that do."""
    for name in sorted({q.partition(".")[0] for q in torch._C._dispatch_get_all_op_names() if q.startswith("aten::")}):
        packet = getattr(torch.ops.aten, name.removeprefix("aten::"), None)
        for overload in packet.overloads() if packet is not None else ():
            func = getattr(packet, overload)
            taken = [str(argument.type) for argument in func._schema.arguments if not argument.kwarg_only]
            made = [str(result.type) for result in func._schema.returns]
            if any("Tensor" in kind for kind in taken) and any("Tensor" in kind for kind in made):
                yield name.removeprefix("aten::"), func
                break


def test_what_torch_marks_as_pointwise_is_known():
    assert meaning_of(torch.ops.aten.special_airy_ai.default) == Pointwise()
    assert meaning_of(torch.ops.aten.nextafter_.default) == Join()
    unknown = [name for name, func in overloads_of_torch() if torch.Tag.pointwise in func.tags and meaning_of(func) is None]
    assert unknown == []


DOCUMENTED = (torch, F, torch.Tensor, torch.linalg, torch.special, torch.fft)

LEFT_UNKNOWN = {
    "sparse and nested": "ccol_indices col_indices crow_indices indices row_indices values to_padded_tensor sspaddmm hspmm "
    "resize_as_sparse_",
    "of shape or memory only": "empty_like empty_quantized full_like ones_like rand_like randint_like randn_like zeros_like zero_ "
    "new_empty new_empty_strided new_full new_ones new_zeros set_ resize_as resize_as_ embedding_renorm_ random "
    "linspace logspace cauchy_ exponential_ geometric_ log_normal_ random_ uniform_ q_per_channel_scales q_per_channel_zero_points",
    "of positions that a grid gives": "affine_grid_generator cudnn_affine_grid_generator cudnn_grid_sampler",
    "of training, or of devices other than the one that models are traced on": "batch_norm_backward_elemt "
    "batch_norm_backward_reduce batch_norm_gather_stats batch_norm_gather_stats_with_counts batch_norm_stats "
    "batch_norm_update_stats cudnn_convolution_add_relu cudnn_convolution_relu cudnn_convolution_transpose miopen_convolution "
    "miopen_convolution_add_relu miopen_convolution_relu miopen_convolution_transpose miopen_ctc_loss "
    "miopen_depthwise_convolution miopen_rnn",
    "rare": "as_strided_scatter block_diag cholesky conv_tbc diag_embed diagonal_scatter hash_tensor segment_reduce slice_inverse",
    "products": "addmv addmv_ vdot quantized_gru quantized_lstm",
}


def test_whatever_torch_documents_is_known_or_listed():
    documented = {name for module in DOCUMENTED for name in dir(module)}
    listed = {name for names in LEFT_UNKNOWN.values() for name in names.split()}
    unknown = {
        name
        for name, func in overloads_of_torch()
        if {name, name.removeprefix("linalg_"), name.removeprefix("special_"), name.removeprefix("fft_")} & documented
        and not name.startswith(("_", "sparse_", "mkldnn_"))
        and not name.endswith("_copy")
        and meaning_of(func) is None
        and not torch._C._dispatch_has_kernel_for_dispatch_key(func.name(), "CompositeImplicitAutograd")
    }
    assert sorted(unknown - listed) == []


def test_every_entry_names_an_operator_of_torch():
    newer_than_the_oldest_torch = {
        "aten::_fused_rms_norm", "aten::_upsample_lanczos2d_aa", "aten::linalg__powsum", "aten::linalg_matrix_sqrth",
        "aten::linalg_polar", "aten::_cudnn_attention_forward", "aten::_flash_attention_forward_no_dropout_inplace",
    }  # fmt: skip
    names = {name for name in known_operators() if name.startswith("aten::")} - newer_than_the_oldest_torch
    assert sorted(name for name in names if not hasattr(torch.ops.aten, name.removeprefix("aten::"))) == []
