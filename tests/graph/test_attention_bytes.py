import math

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from rfcheck.graph.attention_bytes import bytes_taken_apart, is_fused

FUSED = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu.default


def by_hand(batch, heads, queries, keys, features):
    """Scaled queries and keys, weights before and after the softmax, and what they weigh: the operators of plain attention."""
    scaled = heads * batch * (queries + keys) * features
    return 4 * (scaled + 2 * batch * heads * queries * keys + batch * heads * queries * features)


@pytest.mark.parametrize(("queries", "keys"), [(16, 16), (5, 9)])
def test_the_weights_of_attention_count_though_a_kernel_keeps_them_to_itself(queries, keys):
    q, k, v = torch.zeros(2, 3, queries, 4), torch.zeros(2, 3, keys, 4), torch.zeros(2, 3, keys, 4)
    assert bytes_taken_apart(FUSED, (q, k, v), {}) == by_hand(2, 3, queries, keys, 4)


def test_fake_tensors_are_no_obstacle():
    with FakeTensorMode():
        q = torch.zeros(1, 2, 6, 4)
        assert bytes_taken_apart(FUSED, (q, q, q), {}) == by_hand(1, 2, 6, 6, 4)


def test_masks_are_bound_by_name():
    q = torch.zeros(1, 2, 6, 4)
    mask = torch.zeros(1, 1, 6, 6)
    added = 4 * math.prod((1, 2, 6, 6))
    assert bytes_taken_apart(FUSED, (q, q, q, 0.0, False), {"attn_mask": mask, "scale": 0.5}) == by_hand(1, 2, 6, 6, 4) + added


def test_which_operators_are_fused():
    assert is_fused(FUSED)
    assert is_fused(torch.ops.aten._scaled_dot_product_efficient_attention.default)
    assert not is_fused(torch.ops.aten._scaled_dot_product_attention_math.default)
    assert not is_fused(torch.ops.aten._scaled_dot_product_flash_attention_backward.default)
    assert not is_fused(torch.ops.aten.bmm.default)
