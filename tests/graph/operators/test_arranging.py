"""Operators that move values, held against the support of the input gradient."""

import pytest

from tests.graph.cases import assert_as_gradient, between


@pytest.mark.parametrize("function", [lambda x: x.movedim(1, 3).movedim(3, 1), lambda x: x.flip(1), lambda x: x[:, :, 3:, 2:]])
def test_values_elsewhere(function):
    assert_as_gradient(between(function))
