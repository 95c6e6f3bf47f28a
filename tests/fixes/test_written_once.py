"""Which call makes a layer, and which calls make more than that."""

from __future__ import annotations

from pathlib import Path

import pytest
from torch import nn

from rfcheck.errors import FixError
from rfcheck.fixes.written_once import BuiltModel, site_of
from rfcheck.span import Span
from rfcheck.target.load import load_targets

CODE = """\
def conv(n=4):
    return nn.Conv2d(n, n, 3)


class Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.once, self.twice = nn.Conv2d(3, 4, 3), nn.Sequential(conv(), conv())
        self.many = nn.ModuleList([nn.Conv2d(4, 4, 1), nn.Identity()][i % 2] for i in range(12))
        self.named = self.once
        self.shared = SHARED

    def forward(self, x):
        return self.once(x)


class Other(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Conv2d(3, 4, 3), SHARED)


SHARED = nn.Conv2d(4, 4, 1)
twice, same, other = Twice(), Twice(), Other()
"""


def built(path: str) -> dict[str, BuiltModel]:
    """The models of a file by name."""
    models: dict[str, BuiltModel] = {}
    for target in load_targets(path):
        model = target.build()[0]
        models[target.label.rpartition(":")[2]] = BuiltModel(target.label, model, target.origin(model).modules)
    return models


def site(path: str, name: str, others: tuple[str, ...] = (), layer: str = "once") -> Span | str:
    """Where a layer is made, or why that is not known."""
    models = built(path)
    try:
        return site_of(layer, models[name], [models[other] for other in others], "model.py")
    except FixError as error:
        return str(error)


def test_a_call_that_makes_one_layer(model_file):
    path = model_file(CODE)
    line = 10
    at = "self.once, self.twice = "
    text = Path(path).read_text(encoding="utf-8").splitlines()[line - 1]
    column = text.index(at) + len(at) + 1
    assert site(path, "twice") == Span(path, line, column, line, column + len("nn.Conv2d(3, 4, 3)"))


@pytest.mark.parametrize(
    ("layer", "reason"),
    [
        ("twice.0", "line 4 makes 2 layers, twice.0 and twice.1"),
        ("many.2", "line 11 makes 6 layers, many.0, many.2, many.4 and 3 more"),
    ],
)
def test_calls_that_make_several(model_file, layer, reason):
    assert site(model_file(CODE), "twice", layer=layer) == reason


def test_other_models_count_unless_they_are_the_same_network(model_file):
    path = model_file(CODE)
    assert isinstance(site(path, "twice", ("same", "other")), Span)
    assert isinstance(site(path, "twice", ("same",), layer="shared"), Span)
    assert site(path, "twice", ("same", "other"), layer="shared") == "line 24 makes layer 1 of model.py:other too"
    assert site(path, "other", ("same", "twice"), layer="1") == "line 24 makes layer shared of model.py:same too"


def test_only_the_file_itself_is_edited(model_file):
    model_file("def make():\n    return nn.Conv2d(3, 4, 1)\n", "written_once_part.py")
    path = model_file("from written_once_part import make\nmodel = nn.Sequential(make())\n")
    assert site(path, "model", layer="0") == "0 is made in written_once_part.py:4, and only model.py is edited"


def test_a_layer_that_nobody_saw_being_made():
    model = nn.Sequential(nn.ReLU())
    with pytest.raises(FixError) as caught:
        site_of("0", BuiltModel("model.py:Net", model, {"0": ()}), [], "model.py")
    assert str(caught.value) == "it is not known which call makes 0"


def test_layers_of_other_classes_on_the_line_do_not_count():
    model, line = nn.Sequential(nn.Conv2d(1, 1, 1), nn.ReLU()), Span("model.py", 3)
    assert site_of("0", BuiltModel("model.py:Net", model, {"0": (line,), "1": (line,)}), [], "model.py") == line
