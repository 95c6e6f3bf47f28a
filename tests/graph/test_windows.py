"""Every operator's window, held against the support of the input gradient."""

import itertools
import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import rfcheck
from rfcheck.graph.reach import Reach
from tests.oracle import Apply, Span, extent, gradient_extents, gradient_spans, gradient_support, middle

IMAGE = (1, 2, 48, 40)
TOKENS = (1, 2, 16, 12)
SERIES = (1, 2, 64)
VOLUME = (1, 2, 18, 16, 14)


EXACT = {"gates": "count", "projection": "exact"}
"""The gradient knows no conventions."""


def span_of(reach: Reach, position: int, size: int) -> Span:
    """The pixels of the image that a position reads."""
    cycle, phase = divmod(position, reach.period)
    first = max(reach.first[phase] + cycle * reach.advance, 0)
    last = min(reach.last[phase] + cycle * reach.advance, size - 1)
    return (int(first), int(last)) if first <= last else None


def assert_as_gradient(model: nn.Module, shape: tuple[int, ...] = IMAGE, *, inputs: int = 1, periodic: bool = True) -> None:
    """Every unit of the middle half reads exactly the pixels that it depends on, and r_max is the widest of them.

    Maps that are not ``periodic`` may have their widest unit at the border.
    """
    analysis = rfcheck.analyze(model, shape, settings=EXACT)
    assert analysis.assumptions == ()
    fields = analysis.network.fields[analysis.graph.graph["outputs"][0]]
    for field, spans, size in zip(fields, gradient_spans(model, shape, inputs=inputs), shape[2:], strict=True):
        units = middle(len(spans))
        assert [span_of(field.widest, q, size) for q in units] == [spans[q] for q in units]
        if periodic:
            assert field.r_max == extent(spans, size)


def conv(kernel=3, channels: int = 2, made: int = 2, **options) -> nn.Conv2d:
    return nn.Conv2d(channels, made, kernel, **options)


def between(function, before: nn.Module | None = None, after: nn.Module | None = None) -> nn.Module:
    """A function between two convolutions: its window composes with theirs."""
    return Apply(lambda x, a, b: b(function(a(x))), before or conv(padding=1), after or conv((2, 3), stride=(2, 1)))


def cases(table: dict[str, object]):
    return pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in table.items()])


def test_the_oracle_reads_what_can_be_counted_by_hand():
    model = nn.Sequential(conv(3, stride=2, padding=1), nn.ReLU(), conv((5, 1), dilation=2))
    assert gradient_support(model, IMAGE, (5, 7)) == ((9, 27), (13, 15))
    assert gradient_spans(model, IMAGE)[0][5] == (9, 27)
    assert gradient_extents(model, IMAGE) == (19, 3)
    assert gradient_extents(Apply(lambda x: x.mean(2, keepdim=True)), IMAGE) == (math.inf, 1)
    assert gradient_support(nn.ConvTranspose2d(2, 2, 1, 2), TOKENS, (4, 5)) == (None, None)


def test_a_wrong_window_is_noticed(monkeypatch):
    monkeypatch.setattr("rfcheck.graph.windows._conv_reach", lambda k, s, d, p, transposed: Reach(1, s, (-p,), (k - 2,), d))
    with pytest.raises(AssertionError):
        assert_as_gradient(conv(5))


# Convolutions

CONVOLUTIONS = [
    *[(3, 1, 1, 1), (4, 1, 2, 1), (1, 1, 0, 1), (3, 2, 0, 1), (5, 3, 1, 2), (2, 2, 0, 1), (1, 2, 0, 1), (2, 3, 0, 1)],
    *[(7, 2, 3, 1), (3, 1, 4, 3), (3, 1, 6, 1), ((3, 5), (1, 2), (0, 3), (2, 1)), ((1, 4), (2, 1), (0, 1), (1, 3))],
]


@pytest.mark.parametrize(("kernel", "stride", "padding", "dilation"), CONVOLUTIONS)
def test_convolution(kernel, stride, padding, dilation):
    layer = nn.Conv2d(2, 2, kernel, stride, padding, dilation)
    assert_as_gradient(layer)
    assert_as_gradient(nn.Sequential(conv(2, stride=(1, 2)), layer, conv((2, 3), stride=(2, 1))), (1, 2, 64, 96))


@cases(
    {
        "same, even kernel": nn.Sequential(conv(4, padding="same"), conv((2, 6), padding="same", dilation=3)),
        "reflect": nn.Sequential(conv(5, padding=2, padding_mode="reflect"), conv((3, 4), padding=1)),
        "replicate": nn.Sequential(conv(5, padding=(2, 1), padding_mode="replicate"), conv()),
        "circular": nn.Sequential(conv(5, padding=2, padding_mode="circular"), conv((3, 4), padding=1)),
        "groups": nn.Sequential(conv(made=4, groups=2), conv((5, 2), 4, 4, groups=4, padding=2), conv(1, 4, groups=2)),
        "inplace activations": nn.Sequential(conv(), nn.BatchNorm2d(2), nn.ReLU(inplace=True), conv(2), nn.Hardswish(inplace=True)),
    }
)
def test_kinds_of_convolutions(case):
    assert_as_gradient(case)


def test_convolution_over_one_and_three_axes():
    assert_as_gradient(nn.Sequential(nn.Conv1d(2, 4, 4, 3, 1), nn.Conv1d(4, 4, 3, dilation=2, groups=4)), SERIES)
    assert_as_gradient(nn.Sequential(nn.Conv3d(2, 2, 3, padding=1), nn.Conv3d(2, 2, (3, 1, 4), (1, 2, 1), (1, 0, 2))), VOLUME)
    assert_as_gradient(
        Apply(lambda x, a, b: b(a(x).unsqueeze(1)).squeeze(1), conv(made=3), nn.Conv3d(1, 1, (3, 2, 5), padding=(1, 0, 2)))
    )


TRANSPOSED = [
    pytest.param(k, s, p, extra, d, id=f"k{k}-s{s}-p{p}-extra{extra}-d{d}")
    for k, s, p, d in itertools.product((1, 2, 3, 4, 5), (1, 2, 3), (0, 1, 2), (1, 2))
    for extra in range(s)
]


@pytest.mark.parametrize(("kernel", "stride", "padding", "extra", "dilation"), TRANSPOSED)
def test_transposed_convolution(kernel, stride, padding, extra, dilation):
    layer = nn.ConvTranspose1d(2, 2, kernel, stride, padding, extra, dilation=dilation)
    assert_as_gradient(layer, SERIES)
    assert_as_gradient(nn.Sequential(nn.Conv1d(2, 2, 3, 2), layer, nn.Conv1d(2, 2, 2, 3, dilation=2)), (1, 2, 120))


def test_transposed_convolution_over_two_and_three_axes():
    layer = nn.ConvTranspose2d(2, 2, (3, 4), (2, 3), (1, 0), (1, 2), groups=2)
    assert_as_gradient(nn.Sequential(conv(stride=(1, 2)), layer, conv((2, 3), stride=(2, 1))), (1, 2, 36, 48))
    assert_as_gradient(nn.Sequential(nn.Conv3d(2, 2, 3), nn.ConvTranspose3d(2, 2, 3, (2, 1, 3), 1)), VOLUME)


# Pooling

POOLINGS = {
    "max": (nn.MaxPool2d(2), IMAGE),
    "max, odd": (nn.MaxPool2d((3, 2), (2, 3), (1, 0)), IMAGE),
    "max, ceil": (nn.MaxPool2d(3, 2, ceil_mode=True), (1, 2, 49, 40)),
    "max, dilated": (nn.MaxPool2d(3, 2, 1, dilation=(1, 3)), IMAGE),
    "max 1d": (nn.MaxPool1d(3, 2, 1, dilation=2), SERIES),
    "max 3d": (nn.MaxPool3d((3, 1, 2), 2, (1, 0, 1)), VOLUME),
    "avg": (nn.AvgPool2d(3, 2, 1), IMAGE),
    "avg, ceil": (nn.AvgPool2d((2, 3), (2, 1), (1, 0), ceil_mode=True, count_include_pad=False), (1, 2, 49, 40)),
    "avg 1d": (nn.AvgPool1d(4), SERIES),
    "avg 3d": (nn.AvgPool3d((1, 2, 3)), VOLUME),
    "lp": (nn.LPPool2d(2, (3, 2), (1, 2)), IMAGE),
    "lp, ceil": (nn.LPPool2d(3, 3, ceil_mode=True), IMAGE),
    "lp 1d": (nn.LPPool1d(2, 3, 2), SERIES),
    "lp 3d": (nn.LPPool3d(2, (2, 1, 3)), VOLUME),
}


@cases(POOLINGS)
def test_pooling(case):
    pool, shape = case
    build = [nn.Conv1d, nn.Conv2d, nn.Conv3d][len(shape) - 3]
    assert_as_gradient(nn.Sequential(build(2, 2, 3, padding=1), pool, build(2, 2, 2)), shape, inputs=16)


@pytest.mark.parametrize("pool", [nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d])
@pytest.mark.parametrize("size", [(24, 10), (16, 20), (30, 9), (48, 13), (64, 60), (None, 7)], ids=str)
def test_adaptive_pooling(pool, size):
    assert_as_gradient(nn.Sequential(conv(padding=1), pool(size), conv((1, 2))), inputs=16, periodic=False)


def test_adaptive_pooling_over_one_and_three_axes():
    assert_as_gradient(nn.Sequential(nn.Conv1d(2, 2, 3), nn.AdaptiveAvgPool1d(25), nn.Conv1d(2, 2, 2)), SERIES, periodic=False)
    assert_as_gradient(nn.Sequential(nn.Conv3d(2, 2, 3), nn.AdaptiveAvgPool3d((8, 9, 12))), VOLUME, periodic=False)


# Interpolation

SIZES = [
    *[{"scale_factor": 2}, {"scale_factor": 1.5}, {"scale_factor": 0.5}, {"scale_factor": (3, 0.75)}, {"scale_factor": 1.3}],
    *[{"size": (60, 30)}, {"size": (33, 65)}, {"size": (96, 20)}, {"scale_factor": 1.3, "recompute_scale_factor": True}],
]
MODES = [{"mode": "nearest"}, {"mode": "nearest-exact"}] + [
    {"mode": mode, "align_corners": corners, "antialias": antialias}
    for mode, corners, antialias in itertools.product(("bilinear", "bicubic"), (False, True), (False, True))
]


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: "-".join(map(str, mode.values())))
@pytest.mark.parametrize("size", SIZES, ids=lambda size: "-".join(map(str, size.values())))
def test_interpolation(mode, size):
    model = between(lambda x: F.interpolate(x, **mode, **size), after=conv(stride=(2, 1)))
    assert_as_gradient(model, periodic=False)


@pytest.mark.parametrize(
    ("mode", "size", "r_max"),
    [
        ({"mode": "nearest"}, {"scale_factor": 2}, 2),
        ({"mode": "bilinear"}, {"scale_factor": 2}, 3),
        ({"mode": "bicubic"}, {"scale_factor": 2}, 5),
        ({"mode": "bilinear", "align_corners": True}, {"size": (95, 79)}, 3),
        ({"mode": "bilinear", "antialias": True}, {"scale_factor": 0.5}, 8),
        ({"mode": "area"}, {"size": (12, 10)}, 12),
    ],
    ids=str,
)
def test_widest_unit_behind_an_interpolation(mode, size, r_max):
    model = Apply(lambda x, a: a(F.interpolate(x, **mode, **size)), conv(padding=1))
    assert gradient_extents(model, IMAGE) == (r_max, r_max)
    assert rfcheck.analyze(model, IMAGE).layers[-1].r_max == (r_max, r_max)


def test_interpolation_over_one_and_three_axes():
    for mode in ("nearest", "linear"):
        assert_as_gradient(
            Apply(lambda x, a, mode=mode: F.interpolate(a(x), scale_factor=2, mode=mode), nn.Conv1d(2, 2, 3)), SERIES
        )
    for mode in ("nearest-exact", "trilinear"):
        assert_as_gradient(
            Apply(lambda x, a, mode=mode: F.interpolate(a(x), scale_factor=2, mode=mode), nn.Conv3d(2, 2, 3)), VOLUME
        )


# Values moved


def moved(function, made: int = 2, channels: int = 2, after: nn.Module | None = None) -> nn.Module:
    """A function between a convolution with ``made`` channels and one that reads ``channels``."""
    return between(function, conv(made=made, padding=1), after or conv((2, 3), channels, stride=(2, 1)))


def split_into_windows(x: torch.Tensor, k: int) -> torch.Tensor:
    n, c, h, w = x.shape
    return x.view(n, c, h // k, k, w // k, k)


def unfolded(kernel, stride, padding, dilation):
    def function(x):
        sizes = [
            (n + 2 * p - d * (k - 1) - 1) // s + 1
            for n, k, s, p, d in zip(x.shape[2:], kernel, stride, padding, dilation, strict=True)
        ]
        return F.unfold(x, kernel, dilation, padding, stride).view(len(x), -1, *sizes)

    return function


def folded(kernel, stride, padding, dilation):
    def function(x):
        sizes = [
            (n - 1) * s + d * (k - 1) + 1 - 2 * p
            for n, k, s, p, d in zip(x.shape[2:], kernel, stride, padding, dilation, strict=True)
        ]
        return F.fold(x.flatten(2), sizes, kernel, dilation, padding, stride)

    return function


def unfolded_and_folded(x, a, mix, b):
    x = a(x)
    columns = mix(F.unfold(x, 3, padding=1, stride=2).transpose(1, 2)).transpose(1, 2)
    return b(F.fold(columns, x.shape[2:], 3, padding=1, stride=2))


def depth_to_space(x):
    return x.view(-1, 2, 2, 3, 48, 40).permute(0, 1, 4, 2, 5, 3).reshape(-1, 2, 96, 120)


def space_to_batch(x, a, b):
    phases = split_into_windows(a(x), 2).permute(0, 3, 5, 1, 2, 4).flatten(0, 2)
    return b(phases).view(-1, 2, 2, 2, 24, 20).permute(0, 3, 4, 1, 5, 2).reshape(-1, 2, 48, 40)


def rows_as_series(x, a, b):
    return b(a(x).transpose(1, 2).flatten(0, 1)).view(-1, 48, 2, 40).transpose(1, 2)


ODD = ((3, 2), (1, 2), (2, 0), (2, 1))

REARRANGEMENTS = {
    "pixel_shuffle": moved(lambda x: F.pixel_shuffle(x, 3), 18),
    "pixel_unshuffle": moved(lambda x: F.pixel_unshuffle(x, 2), 2, 8),
    "unfold": moved(unfolded((3, 3), (2, 2), (1, 1), (1, 1)), 2, 18),
    "unfold, odd": moved(unfolded(*ODD), 2, 12),
    "fold": moved(folded((2, 2), (2, 2), (0, 0), (1, 1)), 8, 2),
    "fold, odd": moved(folded(*ODD), 12, 2),
    "unfold, linear, fold": Apply(unfolded_and_folded, conv(padding=1), nn.Linear(18, 18), conv()),
    "tensor.unfold": moved(lambda x: x.unfold(2, 3, 2).permute(0, 1, 4, 2, 3).flatten(1, 2), 2, 6),
    "pad": moved(lambda x: F.pad(x, (1, 2, 3, 0))),
    "pad reflect": moved(lambda x: F.pad(x, (1, 2, 3, 0), mode="reflect")),
    "pad replicate": moved(lambda x: F.pad(x, (1, 2, 3, 0), mode="replicate")),
    "pad circular": moved(lambda x: F.pad(x, (1, 2, 3, 0), mode="circular")),
    "crop by negative padding": moved(lambda x: F.pad(x, (-1, 2, -3, -2))),
    "roll": moved(lambda x: x.roll((3, -2), (2, 3))),
    "roll channels": moved(lambda x: x.roll(1, 1)),
    "flip": moved(lambda x: x.flip(2, 3)),
    "flip behind a stride": between(lambda x: x.flip(-1), conv((4, 2), stride=2), conv(2, stride=2, dilation=2)),
    "flip behind an interpolation": moved(lambda x: F.interpolate(x, scale_factor=2, mode="bilinear").flip(2)),
    "flip one branch": Apply(lambda x, a, b: a(x) + b(x.flip(3)).flip(3), conv(4, padding="same"), conv(2, padding="same")),
    "slice": moved(lambda x: x[:, :, 1:, :-3]),
    "slice with steps": moved(lambda x: x[:, :, 5:45:4, -35:-2:2]),
    "slice of an up-sampled map": moved(lambda x: F.interpolate(x, scale_factor=2)[:, :, 1:, ::3]),
    "narrow, split": moved(lambda x: x.narrow(2, 3, 40).split(25, 3)[1], after=conv((2, 3), padding=(0, 1))),
    "chunk": moved(lambda x: torch.cat(x.chunk(2, 2), 1), 2, 4),
    "select": between(lambda x: x.select(2, 20).unsqueeze(2), after=conv((1, 3))),
    "space-to-depth by slices": moved(lambda x: torch.cat([x[..., i::2, j::2] for i in (0, 1) for j in (0, 1)], 1), 2, 8),
    "space-to-depth by views": moved(lambda x: split_into_windows(x, 2).permute(0, 3, 5, 1, 2, 4).flatten(1, 3), 2, 8),
    "space-to-depth by unflatten": moved(lambda x: x.unflatten(2, (24, 2)).movedim(3, 1).flatten(1, 2), 2, 4),
    "depth-to-space by views": moved(depth_to_space, 12, 2),
    "depth-to-space by expand": moved(lambda x: x[:, :, :, None, :, None].expand(-1, -1, -1, 2, -1, 3).reshape(-1, 2, 96, 120)),
    "depth-to-space by stack": moved(lambda x: torch.stack([x, x], -1).flatten(3)),
    "NHWC linear": Apply(lambda x, a, mix, b: b(mix(a(x).movedim(1, 3)).permute(0, 3, 1, 2)), conv(2), nn.Linear(2, 2), conv(2)),
    "transposed axes": Apply(lambda x, a, b: b(a(x).mT).transpose(2, 3), conv((3, 5)), conv((1, 4))),
    "channel shuffle by views": moved(lambda x: x.view(-1, 2, 4, 48, 40).transpose(1, 2).flatten(1, 2), 8, 8),
    "channel_shuffle": moved(lambda x: F.channel_shuffle(x, 4), 8, 8),
    "channels chosen by index": moved(lambda x: x[:, [1, 0, 1]], 2, 3),
    "repeat_interleave": moved(lambda x: x.repeat_interleave(3, 2).repeat_interleave(2, -1)),
    "repeat channels": moved(lambda x: x.repeat(1, 3, 1, 1), 2, 6),
    "rows as a series": Apply(rows_as_series, conv(padding=1), nn.Conv1d(2, 2, 5, padding=2)),
    "channels as a batch": Apply(lambda x, a, b: b(a(x).flatten(0, 1)[:, None]).view(-1, 2, 44, 36), conv(), conv(3, 1, 1)),
    "space-to-batch": Apply(space_to_batch, conv(padding=1), conv(padding=1)),
}  # fmt: skip


@cases(REARRANGEMENTS)
def test_rearrangement(case):
    assert_as_gradient(case)


@pytest.mark.parametrize("axis", [0, 1])
def test_repeat_reads_far_apart_positions_where_copies_meet(axis):
    times = [1, 1, 1, 1]
    times[axis + 2] = 2
    model = between(lambda x: x.repeat(times), conv(), conv())
    assert_as_gradient(model, (1, 2, 28, 28))
    assert rfcheck.analyze(model, (2, 28, 28)).layers[-1].r_max[axis] == 28


# Parts of maps written and joined


def into_zeros(place, rows: int, columns: int):
    def function(x):
        made = x.new_zeros(len(x), 2, rows, columns)
        made[place] = x
        return made

    return function


def quarters(x):
    made = torch.empty(len(x), 1, 96, 80, dtype=x.dtype, device=x.device)
    for channel, (i, j) in enumerate(itertools.product((0, 1), (0, 1))):
        made[:, 0, i::2, j::2] = x[:, channel]
    return made


def channels_shifted(x):
    made = torch.zeros_like(x)
    made[:, :1, :-2] = x[:, :1, 2:]
    made[:, 1:, 3:] = x[:, 1:, :-3]
    return made


def accumulated(x):
    made = torch.zeros_like(x)
    made[:, :, 1:] += x[:, :, :-1]
    made[:, :, :-2] += x[:, :, 2:]
    return made


def changed_through_views(x):
    x[:, :, ::2].unsqueeze(1).mul_(2)
    x += 1
    x[:, :1].relu_()
    return x


def channel_written(x, a, b):
    y = a(x)
    y[:, :1] = b(x)[:, :1]
    return y


def centre_written(x, a, b):
    y = a(x).clone()
    y[:, :, 20:30, 4:-4] = b(x)[:, :, 20:30, 4:-4]
    return y


def centre_added(x, a, b):
    y = a(x)
    y[:, :, 4:-4, 2:-2] += b(x)
    return y


def shifted_in_place(x):
    x[:, :, 1:] = x[:, :, :-1].clone()
    return x


def rows_in_turn(x, a, b, c):
    return c(torch.stack([a(x), b(x)], 3).flatten(2, 3))


ALL = slice(None)

WRITES = {
    "every 2nd": moved(into_zeros((ALL, ALL, slice(None, None, 2), slice(1, None, 2)), 96, 80)),
    "every 3rd": moved(into_zeros((ALL, ALL, slice(1, None, 3), slice(None, None, 2)), 144, 80)),
    "inside": moved(into_zeros((ALL, ALL, slice(1, -1), slice(2, -3)), 50, 45)),
    "quarters": moved(quarters, 4, 1),
    "channels shifted apart": moved(channels_shifted),
    "sums of shifts": moved(accumulated),
    "in place through views": moved(changed_through_views),
    "a channel": Apply(channel_written, conv(padding=1), conv(5, padding=2)),
    "the centre": Apply(centre_written, conv(padding=1), conv(5, padding=2)),
    "added to the centre": Apply(centre_added, conv(padding=1), conv((9, 5), padding=(0, 0))),
}


@cases(WRITES)
def test_write_into_parts(case):
    assert_as_gradient(case)


@cases(
    {
        "halves": Apply(lambda x, a, b: torch.cat([a(x)[:, :, :20], b(x)[:, :, 20:]], 2), conv(padding=1), conv(5, padding=2)),
        "halves, then a window": moved(lambda x: torch.cat([x[:, :, :20], x[:, :, 20:].relu()], 2)),
        "with zeros": moved(lambda x: torch.cat([x.new_zeros(len(x), 2, 48, 3), x], 3)),
        "halves swapped": Apply(lambda x, a: a(torch.cat(x.chunk(2, 2)[::-1], 2)), conv(padding=1)),
        "rates": Apply(
            lambda x, a, b: F.interpolate(a(x), scale_factor=2) + b(x), conv(padding=1, stride=2), conv(4, padding="same")
        ),
        "shifted": Apply(lambda x, a, b: a(x)[..., 2:, :-2] + b(x), conv(), conv(5)),
    }
)
def test_joined_maps(case):
    assert_as_gradient(case)


@cases(
    {
        "overwritten positions": moved(shifted_in_place),
        "rows of two maps in turn": Apply(rows_in_turn, conv(padding=1), conv(5, padding=2), conv()),
        "patches put back": Apply(lambda x, a: F.fold(F.unfold(a(x), 3, padding=1), (48, 40), 3, padding=1), conv(padding=1)),
    }
)
def test_channels_and_parts_that_are_not_told_apart_make_r_larger_never_smaller(case):
    analysis = rfcheck.analyze(case, IMAGE)
    fields = analysis.network.fields[analysis.graph.graph["outputs"][0]]
    for field, spans, size in zip(fields, gradient_spans(case, IMAGE), IMAGE[2:], strict=True):
        for q in middle(len(spans)):
            low, high = span_of(field.widest, q, size)
            assert low <= spans[q][0]
            assert spans[q][1] <= high


# Positions mixed


def attention(q, k, v):
    return (0.1 * q @ k.transpose(-2, -1)).softmax(-1) @ v


def attention_by_einsum(q, k, v):
    weights = torch.einsum("...qc,...kc->...qk", 0.1 * q, k).softmax(-1)
    return torch.einsum("...qk,...kc->...qc", weights, v)


def attention_by_heads(q, k, v):
    q, k, v = (t.view(len(t), -1, 2, t.shape[-1] // 2).transpose(1, 2) for t in (q, k, v))
    return attention(q, k, v).transpose(1, 2).flatten(2)


ATTENTION = {
    "matmul": attention,
    "einsum": attention_by_einsum,
    "heads": attention_by_heads,
    "scaled_dot_product": F.scaled_dot_product_attention,
}


def over_tokens(attend):
    return lambda x: attend(*[x.flatten(2).transpose(1, 2)] * 3).transpose(1, 2).unflatten(2, x.shape[2:])


def over_windows(attend, k: int):
    def function(x):
        n, c, h, w = x.shape
        windows = split_into_windows(x, k).permute(0, 2, 4, 3, 5, 1).reshape(-1, k * k, c)
        return attend(windows, windows, windows).view(n, h // k, w // k, k, k, c).permute(0, 5, 1, 3, 2, 4).reshape(x.shape)

    return function


def over_shifted_windows(attend, k: int):
    return lambda x: over_windows(attend, k)(x.roll((-k // 2, -k // 2), (2, 3))).roll((k // 2, k // 2), (2, 3))


def over_grid(attend, k: int):
    def function(x):
        n, c, h, w = x.shape
        grid = x.view(n, c, k, h // k, k, w // k).permute(0, 3, 5, 2, 4, 1).reshape(-1, k * k, c)
        return attend(grid, grid, grid).view(n, h // k, w // k, k, k, c).permute(0, 5, 3, 1, 4, 2).reshape(x.shape)

    return function


def over_rows(attend):
    return lambda x: attend(*[x.permute(0, 2, 3, 1).flatten(0, 1)] * 3).view(len(x), *x.shape[2:], -1).permute(0, 3, 1, 2)


def with_class_token(x, embed, classes, attend):
    tokens = torch.cat([classes.weight.expand(len(x), -1, -1), embed(x).flatten(2).transpose(1, 2)], 1)
    return attend(tokens, tokens, tokens)[:, 1:].transpose(1, 2).unflatten(2, (6, 5))


@pytest.mark.parametrize("attend", ATTENTION.values(), ids=ATTENTION)
@pytest.mark.parametrize("gather", [over_tokens, over_rows])
def test_attention_over_whole_axes_is_global(attend, gather):
    model = moved(gather(attend))
    assert_as_gradient(model, TOKENS)
    assert rfcheck.analyze(model, TOKENS).layers[-1].r_max == (math.inf if gather is over_tokens else 4, math.inf)


@pytest.mark.parametrize("attend", ATTENTION.values(), ids=ATTENTION)
def test_attention_inside_windows(attend):
    assert_as_gradient(Apply(over_windows(attend, 8)))
    assert rfcheck.analyze(Apply(over_windows(attend, 8)), IMAGE).network.last_map.r_max == (8, 8)
    assert_as_gradient(moved(over_windows(attend, 4), after=conv(padding=1)))
    assert_as_gradient(moved(lambda x: over_shifted_windows(attend, 4)(over_windows(attend, 4)(x)), after=conv(padding=1)))


def test_attention_inside_padded_windows():
    assert_as_gradient(moved(lambda x: over_windows(attention, 7)(F.pad(x, (0, 2, 0, 1)))[:, :, :48, :40]))


def test_attention_over_a_grid_spans_the_image_and_no_more():
    assert_as_gradient(Apply(over_grid(attention, 8)))
    assert_as_gradient(between(over_grid(attention, 8), conv(1), conv(padding=1)))


def test_convolution_inside_windows_ends_at_their_borders():
    def function(x, a, b):
        windows = b(split_into_windows(a(x), 8).permute(0, 2, 4, 1, 3, 5).flatten(0, 2))
        return windows.view(-1, 6, 5, 2, 8, 8).permute(0, 3, 1, 4, 2, 5).reshape(-1, 2, 48, 40)

    for inner in (conv(padding=1), conv((4, 5), padding="same"), conv(5, dilation=2, padding=4)):
        assert_as_gradient(Apply(function, conv(padding=1), inner))


def test_class_tokens_belong_to_no_position():
    embed, classes = conv(8, made=4, stride=8), nn.Embedding(1, 4)
    local = Apply(lambda x, e, c: with_class_token(x, e, c, lambda q, k, v: 2 * v), embed, classes)
    assert_as_gradient(local)
    assert_as_gradient(Apply(lambda x, e, c: with_class_token(x, e, c, attention), embed, classes))


@cases(
    {
        "softmax over columns": (moved(lambda x: x.softmax(3)), (4, math.inf)),
        "softmax over channels": (moved(lambda x: x.softmax(1)), (4, 5)),
        "softmax over all": (moved(lambda x: x.flatten(2).softmax(-1).view_as(x)), (math.inf, math.inf)),
        "mean of rows": (between(lambda x: x.mean(2, keepdim=True), after=conv((1, 3))), (math.inf, 5)),
        "mean": (Apply(lambda x: x.mean((2, 3), keepdim=True)), (math.inf, math.inf)),
        "mean spread again": (moved(lambda x: x + x.mean((2, 3), keepdim=True)), (math.inf, math.inf)),
        "adaptive pooling to one row": (between(nn.AdaptiveAvgPool2d((1, None)), after=conv((1, 3))), (math.inf, 5)),
        "linear over columns": (Apply(lambda x, a, mix: mix(a(x)), conv(), nn.Linear(10, 10)), (3, math.inf)),
        "linear over all": (Apply(lambda x, mix: mix(x.flatten(1))[..., None, None], nn.Linear(384, 3)), (math.inf, math.inf)),
        "channel attention": (moved(lambda x: attention(*[x.flatten(2)] * 3).view_as(x)), (math.inf, math.inf)),
    }
)
def test_mixed_dimensions_are_global(case):
    model, r_max = case
    assert gradient_extents(model, TOKENS) == r_max
    analysis = rfcheck.analyze(model, TOKENS, settings=EXACT)
    assert tuple(field.r_max for field in analysis.network.fields[analysis.graph.graph["outputs"][0]]) == r_max


def test_means_inside_windows():
    assert_as_gradient(moved(lambda x: split_into_windows(x, 4).mean((3, 5)), after=conv(1)))


def test_a_cumulative_sum_is_taken_as_global_in_both_directions():
    assert rfcheck.analyze(moved(lambda x: x.cumsum(2)), TOKENS).layers[-1].r_max == (math.inf, 5)


def test_an_image_as_the_weights_of_a_convolution_is_taken_as_global():
    analysis = rfcheck.analyze(Apply(lambda x: F.conv2d(torch.ones(1, 2, 20, 20), x[:, :, :3, :3])), TOKENS)
    assert [field.r_max for field in analysis.network.fields["conv"]] == [math.inf, math.inf]


@pytest.mark.parametrize("norm", [nn.GroupNorm(2, 2), nn.LayerNorm([2, 16, 12]), nn.InstanceNorm2d(2), nn.BatchNorm2d(2)], ids=str)
def test_normalisation_adds_no_context_by_convention(norm):
    assert rfcheck.analyze(nn.Sequential(conv(padding=1), norm, conv()), TOKENS).layers[-1].r_max == (5, 5)


@cases(
    {
        "window over tokens of two axes": Apply(lambda x, a, b: b(a(x).flatten(2)), conv(), nn.Conv1d(2, 2, 3)),
        "rows chosen by index": moved(lambda x: x[:, :, [5, 6, 9, 1]]),
        "sampling by a grid": moved(lambda x: F.grid_sample(x, torch.zeros(1, 4, 4, 2), align_corners=False)),
    }
)
def test_what_cannot_be_followed_is_reported(case):
    analysis = rfcheck.analyze(case, TOKENS)
    assert len(analysis.assumptions) == 1
    assert analysis.layers[-1].r_max is None
    assert "RF901" in [finding.code for finding in analysis.findings]
