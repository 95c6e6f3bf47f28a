from __future__ import annotations

from torch import nn

from rfcheck import analyze
from rfcheck.report.concise import concise_lines
from rfcheck.report.result import Result, Run


def test_models_without_a_file_go_by_their_target():
    analysis = analyze(nn.Sequential(nn.Conv2d(3, 3, 3, padding=1)), 8, settings={"select": ("RF104",)})
    text = analysis.findings[0].message
    here = Result("torchvision:net", None, None, analysis)
    there = Result("m.py:Net", "m.py", 7, analysis)
    assert concise_lines(Run((here, there), ())) == [
        f"torchvision:net: RF104 [warning] {text}",
        f"m.py:7: RF104 [warning] {text}",
    ]
