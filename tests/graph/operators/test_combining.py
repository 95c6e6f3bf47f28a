"""Operators that bring positions together, held against the support of the input gradient."""

import pytest
import torch

from tests.graph.cases import TOKENS, assert_as_gradient, moved


@pytest.mark.parametrize("function", [lambda x: x.softmax(1), lambda x: x.logsumexp(2, True).expand_as(x)])
def test_values_along_a_dimension(function):
    assert_as_gradient(moved(function), TOKENS)


def test_a_product_over_channels():
    assert_as_gradient(moved(lambda x: torch.einsum("nchw,cd->ndhw", x, torch.ones(2, 2, dtype=x.dtype))), TOKENS)
