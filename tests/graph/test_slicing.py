"""Slices, single values and splits of a dimension, held against the support of the input gradient."""

import torch
import torch.nn.functional as F

from tests.graph.cases import assert_as_gradient, between, cases, conv, moved

PARTS = {
    "slice": moved(lambda x: x[:, :, 1:, :-3]),
    "slice with steps": moved(lambda x: x[:, :, 5:45:4, -35:-2:2]),
    "slice of an up-sampled map": moved(lambda x: F.interpolate(x, scale_factor=2)[:, :, 1:, ::3]),
    "narrow, split": moved(lambda x: x.narrow(2, 3, 40).split(25, 3)[1], after=conv((2, 3), padding=(0, 1))),
    "chunk": moved(lambda x: torch.cat(x.chunk(2, 2), 1), 2, 4),
    "select": between(lambda x: x.select(2, 20).unsqueeze(2), after=conv((1, 3))),
    "space-to-depth by slices": moved(lambda x: torch.cat([x[..., i::2, j::2] for i in (0, 1) for j in (0, 1)], 1), 2, 8),
    "unbind": between(lambda x: x.unbind(3)[7].unsqueeze(3), after=conv((3, 1))),
}  # fmt: skip


@cases(PARTS)
def test_part(case):
    assert_as_gradient(case)
