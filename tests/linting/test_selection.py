from __future__ import annotations

import pytest

from rfcheck.config import Settings
from rfcheck.linting.selection import is_selected


@pytest.mark.parametrize(
    ("select", "ignore", "expected"),
    [
        ((), (), {"RF101", "RF301"}),
        (("RF1",), (), {"RF101"}),
        ((), ("RF1",), {"RF301"}),
        (("RF101",), ("RF1",), {"RF101"}),
        (("RF",), ("RF101",), {"RF301"}),
        (("RF9",), (), set()),
    ],
)
def test_the_longer_prefix_decides(select, ignore, expected):
    settings = Settings(select=select, ignore=ignore)
    assert {code for code in ("RF101", "RF301") if is_selected(code, settings)} == expected
