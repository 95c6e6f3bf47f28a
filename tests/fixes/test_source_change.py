"""Fixes as changes of a file: what can be made of them, and what that does."""

from __future__ import annotations

from pathlib import Path

import pytest

from rfcheck import Settings, analyze
from rfcheck.fixes.outcome import outcome_of_network
from rfcheck.fixes.source_change import SourceModel, source_change
from rfcheck.fixes.source_edit import SourceText
from rfcheck.fixes.subject import Subject
from rfcheck.fixes.written_once import BuiltModel
from rfcheck.target.load import load_targets
from tests.predictions import outcome

NET = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 5, 4, 2)
        self.a = nn.Conv2d(4, 4, 3, 2, 1)
        self.b = nn.Conv2d(4, 4, 5, padding=2)
        self.loop = nn.Sequential(*(nn.Conv2d(4, 4, 3, padding=1) for _ in range(2)))
        self.fc = nn.Linear(4, 2)

    def forward(self, x):
        return self.fc(self.loop(self.b(self.a(self.stem(x)))).mean((2, 3)))
"""


def changed(model_file, code: str, name: str, layers=None, size: int = 8):
    """What a fix makes of a file; with the analysis of its model."""
    path = model_file(code)
    (target,) = load_targets(path)
    analysis = analyze(target.build()[0], size)
    built = BuiltModel(target.label, analysis.model, target.origin(analysis.model).modules)
    text = SourceText.of(path, Path(path).read_bytes())
    model = SourceModel(text, built, [], Subject(analysis.model, analysis.network, Settings()))
    return analysis, source_change(analysis.proposals.named(name), model, layers)


def outcome_of(model_file, content: bytes, size: int = 8):
    """What the model of an edited file amounts to."""
    Path("edited.py").write_bytes(content)
    (target,) = load_targets("edited.py")
    return outcome(target.build()[0], size)


LOOP = "line 10 makes 2 layers, loop.0 and loop.1"


EDITS = {"a": (8, "4, 3, 2, 1)", "4, 2, 2, 0)"), "b": (9, "4, 5, padding=2)", "4, 1, padding=0)")}


@pytest.mark.parametrize(
    ("layers", "made", "reasons"),
    [
        (None, ("a", "b"), (LOOP,)),
        ({"a", "b", "stem"}, ("a", "b"), ()),
        ({"b", "loop.1"}, ("b",), (LOOP,)),
        ({"a"}, ("a",), ()),
        ({"loop.0"}, (), (LOOP,)),
        (set(), (), ()),
    ],
)
def test_kernels_are_cropped_one_by_one(model_file, layers, made, reasons):
    analysis, change = changed(model_file, NET, "crop-kernels", layers)
    assert (change.layers, change.reasons) == (made, reasons)
    assert change.lines == tuple(EDITS[layer][0] for layer in made)
    if not made:
        assert change.content is None
        return
    text = Path("model.py").read_text()
    for layer in made:
        text = text.replace(*EDITS[layer][1:])
    assert change.content == text.encode()
    assert change.fix.predicted.before == outcome_of_network(analysis.network)
    assert change.fix.predicted.after == outcome_of(model_file, change.content)


def test_kernels_that_all_can_be_cropped_are_the_fix_itself(model_file):
    code = NET.replace("for _ in range(2)", "for _ in range(1)")
    analysis, change = changed(model_file, code, "crop-kernels")
    assert change.fix is analysis.proposals.named("crop-kernels")
    assert change.layers == ("a", "b", "loop.0")
    assert outcome_of(model_file, change.content) == change.fix.predicted.after


def test_some_kernels_where_the_forward_wants_all(model_file):
    code = NET.replace("return self.fc(", "assert type(self.b) is type(self.loop[0]), 'all alike'\n        return self.fc(")
    _, change = changed(model_file, code, "crop-kernels", {"b"})
    assert (change.content, change.reasons) == (None, ("the changed model's forward fails: all alike",))


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("", "", None),
        ("nn.Conv2d(4, 4, 3, 2, 1)", "nn.Conv2d(4, 4, *(3, 2, 1))", "the call in line 8 that makes a does not write its arguments out: it has *(3, 2, 1)"),
        ("self.stem = nn", "self.stem = make(3, 4, 5, 4, 2)  #", "stem is made by make(...) in line 10, not by one call of Conv2d"),
    ],
)  # fmt: skip
def test_other_fixes_are_made_whole_or_not_at_all(model_file, old, new, reason):
    code = NET.replace(old, new) if old else NET
    if "make(" in new:
        code = "import functools\nmake = functools.partial(nn.Conv2d)\n\n" + code
    analysis, change = changed(model_file, code, "remove-stem")
    assert change.fix is analysis.proposals.named("remove-stem")
    if reason is not None:
        assert (change.content, change.layers, change.reasons) == (None, (), (reason,))
        return
    assert (change.layers, change.lines, change.reasons) == (("stem", "a"), (7, 8), ())
    assert outcome_of(model_file, change.content) == change.fix.predicted.after


def test_a_fix_of_the_forward(model_file):
    code = NET.replace("self.stem(x)", "nn.functional.max_pool2d(self.stem(x), 1, 2)").replace("4, 5, 4, 2)", "4, 5, 2, 2)")
    _, change = changed(model_file, code, "remove-stem")
    assert (change.content, change.reasons) == (None, ("it changes a forward, not only how layers are made",))


def test_of_many_reasons_why_a_fix_is_not_made_the_first_is_named(model_file):
    _, change = changed(model_file, NET, "truncate-before")
    assert len(change.fix.plan.steps) > 1
    assert change.reasons == ("it replaces b, which is more than other arguments of a layer",)
