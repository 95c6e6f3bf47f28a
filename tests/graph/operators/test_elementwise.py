"""Operators that act on each position by itself, held against the support of the input gradient."""

import pytest
import torch

from tests.graph.cases import assert_as_gradient, between


@pytest.mark.parametrize("function", [torch.erf, torch.expm1, lambda x: torch.hypot(x, 2 * x), lambda x: x.lerp(x.sin(), 0.3)])
def test_each_position_by_itself(function):
    assert_as_gradient(between(function))
