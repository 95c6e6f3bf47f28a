from __future__ import annotations

import pytest

from rfcheck.verify.report.figure import run_picture
from rfcheck.verify.report.pictures import pictures
from tests.verify.report.runs import HEALTHY, VGG


def test_a_file_per_figure():
    files = pictures(VGG)
    assert list(files) == ["report", "variants", "heatmaps"]
    assert all(data.startswith(b"\x89PNG\r\n\x1a\n") for data in files.values())
    assert len(set(files.values())) == 3


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_only_what_there_is(ending):
    assert pictures(HEALTHY, ending) == {"report": run_picture(HEALTHY, ending)}
