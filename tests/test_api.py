from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from rfcheck import Analysis, InputSizeError, SettingsError, TargetError, TraceError, analyze
from tests.call_sites import definition


class Block(nn.Module):
    def __init__(self, width: int, stride: int = 1):
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, stride, 1)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1)
        self.short = nn.Conv2d(width, width, 1, stride) if stride > 1 else nn.Identity()

    def forward(self, x):
        return torch.relu(self.conv2(torch.relu(self.conv1(x))) + self.short(x))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 7, 2, 3)
        self.blocks = nn.Sequential(*(Block(8, 1 + i % 2) for i in range(6)))
        self.head = nn.Linear(8, 10)

    def forward(self, x):
        return self.head(self.blocks(self.stem(x)).mean((2, 3)))


@pytest.fixture(scope="module")
def analysis() -> Analysis:
    return analyze(Net(), 32)


@pytest.mark.parametrize("size", [32, (32, 32), (3, 32, 32), (1, 3, 32, 32)])
def test_all_ways_to_give_a_size_agree(size, analysis):
    assert analyze(Net(), size).layers == analysis.layers


def test_axes_are_independent():
    wide, tall = analyze(Net(), (32, 64)), analyze(Net(), (64, 32))
    assert [layer.r_max for layer in wide.layers] == [layer.r_max for layer in tall.layers]
    assert [layer.in_size for layer in wide.layers] == [layer.in_size[::-1] for layer in tall.layers]


@pytest.mark.parametrize(
    ("model", "size", "settings", "error", "message"),
    [
        (Net, 32, None, TargetError, "rfcheck analyses a torch.nn.Module, got the class Net; make a model of it first: Net(...)"),
        (
            analyze,
            32,
            None,
            TargetError,
            "rfcheck analyses a torch.nn.Module, got the function analyze; call it first: analyze(...)",
        ),
        ("net", 32, None, TargetError, "rfcheck analyses a torch.nn.Module, got str 'net'"),
        (None, 32, None, TargetError, "rfcheck analyses a torch.nn.Module, got NoneType"),
        (Net(), "32", None, InputSizeError, "input_size must be a whole number"),
        (Net(), 32, {"gate": 1}, SettingsError, "unknown setting 'gate'"),
        (Net(), (1, 32, 32), None, TraceError, "pass --channels 3 or input_size=(3, 32, 32)"),
        (nn.Bilinear(3, 3, 3), 32, None, TraceError, "Bilinear.forward takes several inputs (input1, input2)"),
        (nn.Sequential(nn.LazyConv2d(3, 33)), 32, None, TraceError, "Kernel size can't be greater than actual input size"),
    ],
)
def test_wrong_arguments(model, size, settings, error, message):
    with pytest.raises(error) as caught:
        analyze(model, size, settings=settings)
    assert message in str(caught.value)


def test_a_compiled_model_is_analysed_as_what_it_wraps():
    class Compiled(nn.Module):
        def __init__(self, model):
            super().__init__()
            self._orig_mod = model

    assert analyze(Compiled(Net()), 32).layers == analyze(Net(), 32).layers


def test_public_names_are_importable():
    import rfcheck

    assert all(getattr(rfcheck, name) is not None for name in rfcheck.__all__)
    assert set(dir(rfcheck)) == set(rfcheck.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'nope'"):
        rfcheck.nope  # noqa: B018


def test_a_ready_model_points_at_its_classes(analysis):
    here = str(Path(__file__).relative_to(Path.cwd()))
    places = {name: (here, definition(here, name).line) for name in ("Net", "Block")}
    assert {layer.source for layer in analysis.layers if layer.name.startswith("blocks")} == {places["Block"]}
    assert analysis.layer("stem").source == analysis.layer("head").source == places["Net"]
    found = analysis.findings[0]
    assert found.location == places["Block"]
    assert found.chain == (definition(here, "Block"),)
    report = analysis.to_dict()["findings"][0]
    place = dict(zip(("path", "line"), found.location, strict=True))
    assert report["location"] == {**place, "column": None, "end_line": None, "end_column": None}
    assert report["made_by"] == []


def test_a_ready_model_of_an_installed_package_has_no_places():
    from torchvision.models import squeezenet1_1

    analysis = analyze(squeezenet1_1(), 64)
    assert {layer.source for layer in analysis.layers} == {None}
    assert {found.location for found in analysis.findings} == {None}
    assert analysis.findings


def test_a_class_that_was_typed_in_has_no_place():
    typed = {"nn": nn, "__name__": "__console__"}
    exec(compile("class Typed(nn.Sequential):\n    pass", "<stdin>", "exec"), typed)
    assert analyze(typed["Typed"](nn.Conv2d(3, 3, 1)), 8).layers[0].source is None
