"""Operators that slide a window, held against the support of the input gradient."""

import pytest
import torch.nn.functional as F

from tests.graph.cases import assert_as_gradient, between


@pytest.mark.parametrize("function", [lambda x: F.avg_pool2d(x, (2, 3), 1), lambda x: F.max_pool2d(x, 3, 2, 1, 2)])
def test_windows(function):
    assert_as_gradient(between(function), inputs=8)
