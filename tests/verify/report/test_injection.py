"""Names of a run, of its layers, data and fixes that would be commands or escape codes, in its reports."""

from __future__ import annotations

import dataclasses
import io
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from rfcheck.report.json_v1 import dump
from rfcheck.verify.report.document import document
from rfcheck.verify.report.table import print_run
from tests.obeyed import NAME, obeyed
from tests.verify.report.hand_made import SMALL

NAMES = {"a", "b", "c", "Net", "m.py:Net", "truncate", "cut behind b", "one layer", "cat", "m.py", "2.15.0", "The tail helps."}


def hostile(value: Any) -> Any:
    """A run whose names and sentences begin with what would be obeyed."""
    if isinstance(value, str):
        return f"{NAME}{value}" if value in NAMES else value
    if isinstance(value, (list, tuple)):
        parts = [hostile(inner) for inner in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    if isinstance(value, dict):
        return {key: hostile(inner) for key, inner in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, np.ndarray):
        names = [field.name for field in dataclasses.fields(value) if field.init]
        return dataclasses.replace(value, **{name: hostile(getattr(value, name)) for name in names})
    return value


RUN = hostile(SMALL)


@pytest.mark.parametrize("width", [40, 80, 300])
def test_nothing_in_a_name_is_obeyed(width):
    stream = io.StringIO()
    print_run(RUN, Console(file=stream, width=width, highlight=False))
    assert r"\x1b[31m" in stream.getvalue()
    assert obeyed(stream.getvalue()) == []


def test_nor_in_the_document():
    text = dump(document(RUN))
    assert r"\u001b[31m" in text
    assert obeyed(text) == []
