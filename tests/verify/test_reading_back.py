from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from rfcheck.verify.reading_back import is_of, made


@dataclass(frozen=True)
class Thing:
    name: str
    size: float
    kinds: tuple[str, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)


def test_a_thing_is_made_of_what_a_file_holds():
    assert made(Thing, {"name": "a", "size": 3, "kinds": ["b", "c"]}) == Thing("a", 3, ("b", "c"))


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ({"name": "a"}, "'size' is missing"),
        ({"name": "a", "size": 1.0, "weight": 2}, "there is no 'weight'"),
        ({"name": 1, "size": 1.0}, "name cannot be 1"),
        ({"name": "a", "size": True}, "size cannot be True"),
        ({"name": "a", "size": 1.0, "kinds": ["b", 2]}, r"kinds cannot be \('b', 2\)"),
    ],
)
def test_what_is_not_of_its_type_is_refused(document, why):
    with pytest.raises(ValueError, match=why):
        made(Thing, document)


@pytest.mark.parametrize(
    ("value", "hint", "expected"),
    [
        (None, str | None, True),
        (1, str | None, False),
        ("train", Literal["train", "eval"], True),
        ("test", Literal["train", "eval"], False),
        ({"a": 1}, Mapping[str, int], True),
        ({"a": "b"}, Mapping[str, int], False),
        (2, float, True),
        (2.0, int, False),
    ],
)
def test_types(value, hint, expected):
    assert is_of(value, hint) is expected
