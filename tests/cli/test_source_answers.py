"""Which fixes answer findings: what is recommended, safe ones, then those that reports name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rfcheck.cli.source_answers import answers
from rfcheck.cli.source_examining import Examined, SourceTarget, examined
from rfcheck.config import Settings
from rfcheck.errors import FixError
from rfcheck.fixes.recommending import AIMS, recommend
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


def test_findings_are_answered_by_what_is_recommended_then_safely_then_by_what_reports_name(look):
    state = look()
    analysis = state.analysis
    recommended = [recommend(analysis.fixes, aim).fix for aim in AIMS]
    lines = {best_option(analysis.fixes, finding.fixes) for finding in state.findings}
    named = {line.partition(":")[0] for line in lines if line is not None}
    found = answers(state)
    names = [answer.change.fix.name for answer in found]
    wanted = [answer.change.fix.name for answer in found if answer.is_wanted]
    assert wanted == [*(fix.name for fix in recommended), "crop-kernels"]
    assert names[: len(wanted)] == wanted
    assert set(names) == {*wanted, *named}
    assert len(names) == len(set(names)) > len(wanted)


def test_fixes_by_name(look):
    state = look()
    assert [(one.change.fix.name, one.is_wanted) for one in answers(state, ["crop-kernels", "remove-stem"])] == [
        ("crop-kernels", True),
        ("remove-stem", True),
    ]
    with pytest.raises(FixError, match=r"^pool-head does not apply: the head is not tied to one resolution$"):
        answers(state, ["pool-head"])


def test_a_safe_fix_comes_before_a_better_one_of_the_same_rule(look):
    state = look()
    finding = next(finding for finding in state.findings if finding.code == "RF301")
    both = replace(finding, fixes=("truncate-before", "crop-kernels"))
    assert best_option(state.analysis.fixes, both.fixes).startswith("truncate-before: ")
    names = [answer.change.fix.name for answer in answers(replace(state, findings=[both]))]
    assert names == ["truncate-before", "crop-kernels"]


@pytest.mark.parametrize(
    ("layers", "cropped"),
    [(["7"], ()), (["4"], ("4",)), (["5:2", "3"], ("3", "5")), ([None], ("3", "4", "5")), (["4", None], ("3", "4", "5"))],
)
def test_kernels_are_cropped_where_findings_point(look, layers, cropped):
    state = look()
    finding = next(finding for finding in state.findings if finding.code == "RF301")
    (answer,) = answers(replace(state, findings=[replace(finding, layer=layer) for layer in layers]))
    assert answer.change.layers == cropped


@pytest.mark.parametrize("settings", [{"select": ("RF9",)}, {"select": ("RF103",)}])
def test_findings_without_fixes(look, settings):
    state = look(**settings)
    assert answers(state) == []


def test_a_file_that_libcst_does_not_read(look):
    state = look()
    reason = "LibCST would not write model.py as it is; it may have unusual line ends"
    found = answers(replace(state, content=CODE.replace("\n", "\r").encode()))
    assert {(answer.change.content, answer.change.reasons) for answer in found} == {(None, (reason,))}
    assert len(found) == len(answers(state))
