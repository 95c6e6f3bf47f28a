from __future__ import annotations

import rfcheck
from rfcheck import errors


def test_one_tree():
    kinds = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Exception)]
    assert all(issubclass(kind, errors.RfcheckError) for kind in kinds)
    assert all(getattr(rfcheck, kind.__name__) is kind for kind in kinds)


def test_the_text_of_an_error_is_one_line():
    for kind in (errors.RfcheckError, errors.TraceError, errors.RuleError, errors.UnknownNameError):
        assert str(kind("layer 'a\n::error\x1b[31m' \u202e")) == r"layer 'a\n::error\x1b[31m' \u202e"


def test_a_key_error_prints_its_sentence():
    assert str(errors.UnknownNameError("no layer 'x'")) == "no layer 'x'"
