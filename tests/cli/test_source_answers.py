"""Which fixes answer findings: those that reports name, safe ones last."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rfcheck.cli.source_answers import answers
from rfcheck.cli.source_examining import Examined, SourceTarget, examined
from rfcheck.config import Settings
from rfcheck.report.fix_line import best_option

CODE = """\
from torch import nn

model = nn.Sequential(
    nn.Conv2d(3, 4, 7, 2, 3),
    nn.MaxPool2d(2),
    nn.Conv2d(4, 4, 3, 2, 1),
    nn.Conv2d(4, 4, 3, 2, 1),
    nn.Conv2d(4, 4, 3, padding=1),
    nn.Conv2d(4, 4, 3, padding=1),
    nn.AdaptiveAvgPool2d(1),
    nn.Flatten(),
    nn.Linear(4, 2),
)
"""


@pytest.fixture
def look(tmp_path, monkeypatch):
    """Examine the model of a text at a size."""
    monkeypatch.chdir(tmp_path)

    def examine(code: str = CODE, size: int = 16, **settings: object) -> Examined:
        Path("model.py").write_text(code)
        target = SourceTarget("model.py", Path("model.py"), size, Settings.of(settings))
        return examined(target, "model.py:model", code.encode())

    return examine


def test_each_finding_is_answered_by_the_fix_that_reports_name(look):
    state = look()
    lines = {best_option(state.analysis.fixes, finding.fixes) for finding in state.findings}
    names = {line.partition(":")[0] for line in lines if line is not None}
    changes = answers(state)
    assert {change.fix.name for change in changes} == names
    assert len(changes) == len(names) > 2
    assert [change.fix.safe for change in changes] == sorted(change.fix.safe for change in changes)
    assert changes[-1].fix.name == "crop-kernels"


def test_a_safe_fix_comes_before_a_better_one_of_the_same_rule(look):
    state = look()
    finding = next(finding for finding in state.findings if finding.code == "RF301")
    both = replace(finding, fixes=("truncate-before", "crop-kernels"))
    (change,) = answers(replace(state, findings=[both]))
    assert best_option(state.analysis.fixes, both.fixes).startswith("truncate-before: ")
    assert change.fix.name == "crop-kernels"


@pytest.mark.parametrize(
    ("layers", "cropped"),
    [(["7"], ()), (["4"], ("4",)), (["5:2", "3"], ("3", "5")), ([None], ("3", "4", "5")), (["4", None], ("3", "4", "5"))],
)
def test_kernels_are_cropped_where_findings_point(look, layers, cropped):
    state = look()
    finding = next(finding for finding in state.findings if finding.code == "RF301")
    (change,) = answers(replace(state, findings=[replace(finding, layer=layer) for layer in layers]))
    assert change.layers == cropped


@pytest.mark.parametrize("settings", [{"select": ("RF9",)}, {"select": ("RF103",)}])
def test_findings_without_fixes(look, settings):
    state = look(**settings)
    assert answers(state) == []


def test_a_file_that_libcst_does_not_read(look):
    state = look()
    reason = "LibCST would not write model.py as it is; it may have unusual line ends"
    changes = answers(replace(state, content=CODE.replace("\n", "\r").encode()))
    assert {(change.content, change.reasons) for change in changes} == {(None, (reason,))}
    assert len(changes) == len(answers(state))
