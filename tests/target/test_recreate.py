"""Code that builds a target's model, run where it would be written to."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from rfcheck.fixes.snippet import import_block
from rfcheck.target.load import load_targets
from rfcheck.target.recreate import Recreation, recreate

NET = """
class Net(nn.Sequential):
    def __init__(self, width=2, *, bias=True):
        super().__init__(nn.Conv2d(3, width, 3, bias=bias))

class Nested:
    build = Net

model = Net(5)
model[0].bias.data.fill_(0.25)

def make_model(width):
    return Net(width)
"""


def recreation(text: str, folder: Path) -> Recreation:
    (target,) = load_targets(text)
    return recreate(target, folder)


def written(made: Recreation) -> str:
    late = "\n".join((*made.setup, *made.late_imports))
    return f"{import_block(made.imports)}\n{late}\n\nmodel = {made.expression}\n"


def built(made: Recreation, folder: Path, monkeypatch) -> nn.Module:
    """The model that the code makes when a file in a folder runs it in a process that knows none of the modules yet."""
    for name in [
        name for name in sys.modules if name.partition(".")[0] in ("net", "pkg", "my-net") or name.startswith("_rfcheck_")
    ]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if not entry.startswith(str(folder.parent))])
    names = {"__file__": str(folder / "changed.py")}
    exec(written(made), names)
    return names["model"]


@pytest.fixture(autouse=True)
def _modules_are_forgotten():
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.partition(".")[0] in ("net", "pkg", "my-net"):
            del sys.modules[name]


@pytest.fixture
def package(model_file, tmp_path):
    """A package whose module imports another one relatively."""
    (tmp_path / "pkg" / "models").mkdir(parents=True)
    (tmp_path / "pkg" / "__init__.py").touch()
    (tmp_path / "pkg" / "models" / "__init__.py").touch()
    (tmp_path / "pkg" / "layers.py").write_text("from torch import nn\nclass Wide(nn.Conv2d):\n    pass\n", encoding="utf-8")
    code = (
        "from ..layers import Wide\nclass Net(nn.Sequential):\n    def __init__(self):\n        super().__init__(Wide(3, 7, 3))\n"
    )
    return model_file(code, "pkg/models/net.py")


@pytest.mark.parametrize(
    ("text", "expression", "width"),
    [
        ("torchvision:squeezenet1_1", 'models.get_model("squeezenet1_1", weights=None)', 1000),
        ("torchvision:squeezenet1_1(num_classes=7)", 'models.get_model("squeezenet1_1", weights=None, num_classes=7)', 7),
    ],
)
def test_torchvision(tmp_path, monkeypatch, text, expression, width):
    made = recreation(text, tmp_path)
    assert made == Recreation(("from torchvision import models",), (), (), expression)
    assert built(made, tmp_path, monkeypatch)(torch.rand(1, 3, 64, 64)).shape == (1, width)


def test_timm(tmp_path, monkeypatch):
    made = recreation("timm:test_resnet(num_classes=3, in_chans=1)", tmp_path)
    assert made == Recreation(
        ("import timm",), (), (), 'timm.create_model("test_resnet", pretrained=False, num_classes=3, in_chans=1)'
    )
    assert built(made, tmp_path, monkeypatch)(torch.rand(2, 1, 32, 32)).shape == (2, 3)


def test_a_module(tmp_path, monkeypatch):
    made = recreation("torchvision.models.squeezenet:SqueezeNet('1_1', num_classes=4)", tmp_path)
    late = "from torchvision.models.squeezenet import SqueezeNet as original"
    assert made == Recreation((), (), (late,), "original('1_1', num_classes=4)")
    assert built(made, tmp_path, monkeypatch)(torch.rand(1, 3, 64, 64)).shape == (1, 4)


@pytest.mark.parametrize(
    ("name", "imported", "expression", "width"),
    [
        ("Net", "Net", "original()", 2),
        ("Net(3, bias=False)", "Net", "original(3, bias=False)", 3),
        ("Nested.build(width=4)", "Nested", "original.build(width=4)", 4),
        ("make_model(6)", "make_model", "original(6)", 6),
        ("model", "model", "copy.deepcopy(original)", 5),
    ],
)
@pytest.mark.parametrize(
    ("where", "place"),
    [
        (".", "Path(__file__).resolve().parent"),
        ("out", 'Path(__file__).resolve().parent / ".."'),
        ("out/deep", 'Path(__file__).resolve().parent / "../.."'),
    ],
)
def test_a_file(model_file, tmp_path, monkeypatch, name, imported, expression, width, where, place):
    path = model_file(NET, "net.py")
    folder = tmp_path / where
    folder.mkdir(parents=True, exist_ok=True)
    made = recreation(f"{path}:{name}", folder)
    assert made.setup == (f"sys.path.insert(0, str({place}))",)
    assert made.expression == expression
    assert made.late_imports == (f"from net import {imported} as original",)
    model = built(made, folder, monkeypatch)
    assert model[0].out_channels == width
    assert not model[0].weight.is_meta


def test_an_instance_is_copied(model_file, tmp_path, monkeypatch):
    made = recreation(f"{model_file(NET, 'net.py')}:model", tmp_path)
    assert made.imports == ("import sys", "from pathlib import Path", "import copy")
    model = built(made, tmp_path, monkeypatch)
    assert model is not sys.modules["net"].model
    assert model[0].weight.equal(sys.modules["net"].model[0].weight)
    assert model[0].bias.eq(0.25).all()


@pytest.mark.parametrize("place", ['a "quoted" folder', "it's"])
def test_names_of_folders_are_quoted(model_file, tmp_path, monkeypatch, place):
    (tmp_path / place).mkdir()
    made = recreation(f"{model_file(NET, f'{place}/net.py')}:Net", tmp_path)
    assert built(made, tmp_path, monkeypatch)[0].out_channels == 2


def test_a_relative_folder_means_the_current_one(model_file, tmp_path, monkeypatch):
    path = model_file(NET, "net.py")
    (tmp_path / "out").mkdir()
    assert recreation(f"{path}:Net", Path("out")) == recreation(f"{path}:Net", tmp_path / "out")
    assert recreation(f"{path}:Net", Path()) == recreation(f"{path}:Net", tmp_path)


def test_a_file_in_a_package(package, tmp_path, monkeypatch):
    (tmp_path / "out").mkdir()
    made = recreation(f"{package}:Net", tmp_path / "out")
    assert made.setup == ('sys.path.insert(0, str(Path(__file__).resolve().parent / ".."))',)
    assert made.late_imports == ("from pkg.models.net import Net as original",)
    model = built(made, tmp_path / "out", monkeypatch)
    assert (type(model[0]).__name__, model[0].out_channels) == ("Wide", 7)


@pytest.mark.parametrize(("name", "width"), [("Net(3)", 3), ("model", 5), ("Nested.build()", 2)])
def test_a_file_whose_name_python_cannot_write(model_file, tmp_path, monkeypatch, name, width):
    made = recreation(f"{model_file(NET, 'my-net.py')}:{name}", tmp_path)
    assert made.late_imports == (f'original = importlib.import_module("my-net").{name.partition("(")[0].partition(".")[0]}',)
    assert "import importlib" in made.imports
    assert built(made, tmp_path, monkeypatch)[0].out_channels == width
