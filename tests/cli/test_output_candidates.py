from __future__ import annotations

from rfcheck.report.formats import FORMATS
from tests.cli.completing import values


def test_formats():
    assert values("model.py", "--output", "") == list(FORMATS)
    assert values("model.py", "--output", "ju") == ["junit"]
    assert values("model.py", "--output-format", "") == list(FORMATS)


def test_files_behind_a_format(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "report.sarif").touch()
    (tmp_path / "reports").mkdir()
    assert values("model.py", "--output", "sarif=rep") == ["sarif=report.sarif", "sarif=reports/"]
    assert values("model.py", "--output", "sarif=gone/") == []
