from __future__ import annotations

from rfcheck.verify.report.pictures import pictures
from tests.verify.report.runs import HEALTHY, VGG


def test_a_file_per_figure():
    files = pictures(VGG)
    assert list(files) == ["report", "variants", "heatmaps"]
    assert all(data.startswith(b"\x89PNG\r\n\x1a\n") for data in files.values())
    assert len(set(files.values())) == 3


def test_only_what_there_is_and_the_same_bytes_each_time():
    assert list(pictures(HEALTHY)) == ["report"]
    assert pictures(HEALTHY) == pictures(HEALTHY)
