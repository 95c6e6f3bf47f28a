"""Registered operators, for the time of a block."""

from __future__ import annotations

import pytest

from rfcheck import OperatorError, Window, register_operator
from rfcheck.graph.operators import known_operators
from rfcheck.graph.registrations import own_registrations


def test_what_was_registered_is_forgotten():
    before = known_operators()
    for kernel in (3, 5):
        with own_registrations():
            register_operator("registrations_test::op", Window(kernel=kernel))
            assert "registrations_test::op" in known_operators()
            with pytest.raises(OperatorError):
                register_operator("registrations_test::op", Window(kernel=7))
        assert known_operators() == before


def test_also_after_an_error():
    def interrupted():
        with own_registrations():
            register_operator("registrations_test::op", Window(kernel=3))
            raise KeyboardInterrupt

    before = known_operators()
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert known_operators() == before
