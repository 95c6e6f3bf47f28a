from __future__ import annotations

import rfcheck
from rfcheck import errors


def test_one_tree():
    kinds = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Exception)]
    assert all(issubclass(kind, errors.RfcheckError) for kind in kinds)
    assert all(getattr(rfcheck, kind.__name__) is kind for kind in kinds)


def test_a_key_error_prints_its_sentence():
    assert str(errors.UnknownNameError("no layer 'x'")) == "no layer 'x'"
