from __future__ import annotations

import sys
from pathlib import Path

import pytest

from rfcheck.cli.source_examining import Examined, SourceTarget, examined
from rfcheck.config import Settings
from rfcheck.errors import FixError, TargetError

CODE = """\
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, width=4):
        super().__init__()
        self.conv = nn.Conv2d(3, width, 5, padding=2)

    def forward(self, x):
        return self.conv(x)


class Other(Net):
    pass
"""
SAVED = b"raise RuntimeError('this text is not to be run')\n"


def look(text: str, code: str = CODE, label: str | None = None, size: int = 2) -> Examined:
    Path("model.py").write_bytes(SAVED)
    target = SourceTarget(text, Path("model.py"), size, Settings())
    return examined(target, label or text, code.encode())


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_the_text_is_analysed_and_not_the_file():
    seen = look("model.py:Net")
    assert (seen.path, seen.content) == ("model.py", CODE.encode())
    assert seen.analysis.params == 5 * 5 * 3 * 4 + 4
    assert [(finding.code, finding.layer, finding.location) for finding in seen.findings] == [("RF301", "conv", ("model.py", 8))]
    (span,) = seen.built.chains["conv"][:1]
    assert (span.line, span.column, span.end_column) == (8, 21, 54)
    assert Path("model.py").read_bytes() == SAVED
    assert [path.name for path in Path().iterdir()] == ["model.py"]


@pytest.mark.parametrize(
    ("text", "label", "others"),
    [
        ("model.py", "model.py:Net", ["model.py:Other"]),
        ("model.py", "model.py:Other", ["model.py:Net"]),
        ("model.py:Net", None, ["model.py:Other"]),
        ("model.py:Net(8)", None, ["model.py:Other"]),
        ("./model.py:Net", None, ["model.py:Other"]),
    ],
)
def test_other_models(text, label, others):
    seen = look(text, label=label)
    assert seen.built.label == (label or text)
    assert [other.label for other in seen.others] == others
    assert all(other.chains["conv"][0].line == 8 for other in seen.others)


def test_a_file_whose_other_models_cannot_be_built():
    seen = look("model.py:Net(8)", CODE.replace("width=4", "width").replace("class Other(Net):\n    pass\n", ""))
    assert seen.others == []
    assert seen.analysis.params == 5 * 5 * 3 * 8 + 8


@pytest.mark.parametrize(("comment", "codes"), [("ignore[RF301] large images come later", []), ("ignore[RF101]", ["RF301"])])
def test_comments_of_the_text_silence_findings(comment, codes):
    seen = look("model.py:Net", CODE.replace("padding=2)", f"padding=2)  # rfcheck: {comment}"))
    assert [finding.code for finding in seen.findings] == codes


def test_labels():
    Path("model.py").write_bytes(SAVED)
    before = set(sys.modules)
    for text, labels in (("model.py", ["model.py:Net", "model.py:Other"]), ("model.py:Net(8)", ["model.py:Net(8)"])):
        assert SourceTarget(text, Path("model.py"), 8, Settings()).labels(CODE.encode()) == labels
    assert not [name for name in set(sys.modules) - before if "model" in name]


def test_models_that_are_not_there():
    with pytest.raises(FixError) as caught:
        look("model.py", label="model.py:Gone")
    assert str(caught.value) == "model.py:Gone is not there any more"
    with pytest.raises(TargetError) as missing:
        look("model.py:Gone")
    assert str(missing.value).startswith("model.py:Gone: model.py has no 'Gone'")


def test_what_the_text_imports_is_forgotten():
    Path("examining_part.py").write_text("WIDTH = 7\n")
    before, path = set(sys.modules), list(sys.path)
    seen = look("model.py:Net", "from examining_part import WIDTH\n" + CODE.replace("width=4", "width=WIDTH"))
    assert seen.analysis.params == 5 * 5 * 3 * 7 + 7
    assert not {"examining_part", "_rfcheck_model"} & (set(sys.modules) - before)
    assert sys.path == path
