"""Writes through views, and maps joined side by side, held against the support of the input gradient."""

import itertools

import torch
import torch.nn.functional as F

import rfcheck
from tests.graph.cases import IMAGE, assert_as_gradient, cases, conv, moved, span_of
from tests.oracle import Apply, gradient_spans, middle


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


def shifted_copy(x):
    made = x.clone()
    made[:, :, 1:] = x[:, :, :-1]
    return made


def shifted_canvas(x):
    made = torch.zeros_like(x)
    made[:, :, :-3] = x[:, :, 3:]
    return shifted_copy(made)


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
        "overwritten positions of a copy": moved(shifted_copy),
        "overwritten positions of a copy of a canvas": moved(shifted_canvas),
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
