from __future__ import annotations

import pytest

from rfcheck.linting.finding import at_least


@pytest.mark.parametrize(
    ("severity", "threshold", "expected"), [("info", "warning", False), ("warning", "warning", True), ("error", "info", True)]
)
def test_severities_are_ordered(severity, threshold, expected):
    assert at_least(severity, threshold) is expected
