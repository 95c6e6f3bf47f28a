from __future__ import annotations

import pytest
import torch

from rfcheck.cli.analysing import analyze_target
from rfcheck.config import RuleOverride, Settings
from rfcheck.errors import NothingToAnalyzeError, TargetError
from rfcheck.span import Span
from rfcheck.target.isolation import own_imports
from rfcheck.target.load import load_targets
from tests.call_sites import call, definition

NET = """
class {name}(nn.Module):
    def __init__(self{arguments}):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
    def forward(self, x):
        return self.conv(x)
"""


def labels(text: str) -> list[str]:
    return [target.label for target in load_targets(text)]


def net(name: str = "Net", arguments: str = "") -> str:
    return NET.format(name=name, arguments=arguments)


@pytest.mark.parametrize(
    ("code", "found"),
    [
        (net(), ["Net"]),
        (net("A") + net("B"), ["A", "B"]),
        (net() + "model = Net()\n", ["model"]),
        (net(arguments=", width") + "def build_model():\n    return Net(3)\n", ["build_model"]),
        (net(arguments=", width") + "def anything() -> nn.Module:\n    return Net(3)\n", ["anything"]),
        (net(arguments=", width") + "def anything() -> 'Net':\n    return Net(3)\n", ["anything"]),
        (net() + "def helper():\n    return Net()\n", ["helper"]),
        (net() + "def get_model(depth):\n    return Net()\n", ["Net"]),
        (net("_Private") + net(), ["Net"]),
        (net() + "class Whole(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.part = Net()\n"
         "    def forward(self, x):\n        return self.part(x)\n", ["Whole"]),
        (net() + "class Loss(nn.Module):\n    def forward(self, x, y):\n        return x - y\n", ["Net"]),
        (net() + "from torchvision.models import resnet18, ResNet\n", ["Net"]),
        ("pair = nn.Sequential(nn.Conv2d(3, 3, 1))\nalias = pair\n", ["pair"]),
    ],
)  # fmt: skip
def test_every_model_in_a_file(model_file, code, found):
    path = model_file(code)
    assert labels(path) == [f"{path}:{name}" for name in found]


@pytest.mark.parametrize(
    ("code", "kind", "message"),
    [
        ("class Loss(nn.Module):\n    def forward(self, x, y):\n        return x - y\n", NothingToAnalyzeError, "model.py: holds no model; a model is"),
        ("x = 1\n", NothingToAnalyzeError, "model.py: holds no model; a model is a module-level instance"),
        (net(arguments=", width, depth"), NothingToAnalyzeError, "model.py:Net needs the arguments width, depth; give them as 'model.py:Net(width=..., depth=...)'"),
        ("class Net(nn.Module):\n    def __init__(self):\n        raise ValueError('too deep')\n    def forward(self, x):\n        return x\n",
         TargetError, "model.py:Net: building the model fails: ValueError: too deep"),
    ],
)  # fmt: skip
def test_files_without_a_usable_model(model_file, code, kind, message):
    path = model_file(code)
    with pytest.raises(kind) as caught:
        load_targets(path)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("suffix", "message"),
    [
        (":Nett", "model.py has no 'Nett'; did you mean Net?"),
        (":zzz", "model.py has no 'zzz'; it has Net, Sized, model"),
        (":WIDTH", "WIDTH is a int, not a model or a function that makes one"),
        (":model(3)", "model is a model already, not a function; leave the arguments out"),
        (":Sized", "model.py:Sized needs the arguments width; give them as 'model.py:Sized(width=...)'"),
    ],
)
def test_wrong_names(model_file, suffix, message):
    path = model_file(net() + net("Sized", ", width") + "WIDTH = 3\nmodel = Net()\n")
    with pytest.raises(TargetError) as caught:
        load_targets(path + suffix)
    assert message in str(caught.value)


def test_arguments_are_passed(model_file):
    path = model_file("def build(width, depth=1):\n    return nn.Sequential(*[nn.Conv2d(3, width, 1) for _ in range(depth)])\n")
    (target,) = load_targets(f"{path}:build(5, depth=2)")
    model, on_meta = target.build()
    assert on_meta
    assert [conv.weight.shape[0] for conv in model] == [5, 5]


def test_models_are_built_without_data_where_the_constructor_allows_it(model_file):
    drop = "        self.rate = torch.linspace(0, 1, 3)[1].item()\n    def forward"
    path = model_file(net("Plain") + net("Computing").replace("    def forward", drop, 1))
    plain, computing = load_targets(path)
    assert plain.build()[0].conv.weight.device.type == "meta"
    model, on_meta = computing.build()
    assert not on_meta
    assert model.conv.weight.device.type == "cpu"
    assert plain.build_with_data().conv.weight.device.type == "cpu"


def test_results_that_are_not_models(model_file):
    path = model_file("def build():\n    return 3\n")
    with pytest.raises(TargetError, match=r"model.py:build: makes a int, not a torch.nn.Module"):
        load_targets(f"{path}:build")[0].build()


def test_places_point_at_the_definition(model_file):
    path = model_file(net())
    (target,) = load_targets(path)
    assert (target.path, target.line) == (path, 4)


def test_modules_by_dotted_name():
    (target,) = load_targets("torchvision.models:squeezenet1_1")
    assert target.path is None
    assert isinstance(target.build()[0], torch.nn.Module)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("torchvision:resnet19", "torchvision has no model 'resnet19'; did you mean resnet18"),
        ("timm:resnet5", "timm has no model 'resnet5'; did you mean resnet"),
        ("timm:resnet18.a1_in2k", "timm has no model 'resnet18.a1_in2k'; did you mean resnet18.a1_in1k"),
    ],
)
def test_unknown_catalogue_models(text, message):
    pytest.importorskip(text.partition(":")[0])
    with pytest.raises(TargetError) as caught:
        load_targets(text)
    assert message in str(caught.value)


def test_catalogue_models_load_no_weights(monkeypatch):
    def refuse(*_args, **_kwargs):
        raise AssertionError("a download was attempted")

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", refuse)
    for text in ("torchvision:fasterrcnn_resnet50_fpn", "torchvision:deeplabv3_resnet50", "torchvision:resnet18(num_classes=10)"):
        assert load_targets(text)[0].build()[0]


def findings_of(target: str, resolution: int = 8, **settings) -> list[tuple[str, str | None, tuple[Span, ...]]]:
    (found,) = load_targets(target)
    return [(f.code, f.layer, f.chain) for f in analyze_target(found, resolution, Settings(**settings)).findings]


BUDGET = {"RF401": RuleOverride(limits={"max_params": 1})}
CHAIN = """
import torch.nn.functional as F
def conv():
    return nn.Conv2d(3, 3, 3, padding=1)
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(3, 3, 3, 3))
        self.convs = nn.Sequential(conv(), conv(), conv(),  # the others
            conv())
    def forward(self, x):
        for _ in range(5):
            x = F.conv2d(x, self.weight, padding=1)
        return self.convs(x)
"""


def test_a_finding_points_at_the_call_that_made_the_layer(model_file):
    path = model_file(CHAIN.replace("range(5)", "range(1)"))
    made = call(path, "nn.Conv2d(3, 3, 3, padding=1)"), call(path, "conv()", 1)
    assert findings_of(path, 8, select=("RF101",)) == []
    assert findings_of(path, 4, select=("RF101",)) == [("RF101", "convs.1", made)]


def function_of(path: str) -> tuple[Span, ...]:
    return call(path, "F.conv2d(x, self.weight, padding=1)"), definition(path, "Net")


def test_a_finding_about_a_function_points_at_its_line_and_then_at_what_holds_it(model_file):
    path = model_file(CHAIN)
    assert findings_of(path, 8, select=("RF101",)) == [("RF101", "conv2d:5", function_of(path))]


def test_a_finding_about_the_model_points_at_its_definition(model_file):
    path = model_file("from torchvision.models import vgg11\n" + CHAIN + "def build():\n    return vgg11()\n")
    (code, layer, chain) = findings_of(f"{path}:Net", 8, select=("RF101", "RF401"), rules=BUDGET)[-1]
    assert (code, layer, chain) == ("RF401", None, (definition(path, "Net"),))
    assert findings_of(f"{path}:build", 32, select=("RF401",), rules=BUDGET) == [("RF401", None, (definition(path, "build"),))]
    (code, layer, chain) = findings_of(f"{path}:build", 32, select=("RF101",))[0]
    assert layer.startswith("features.")
    assert chain == (call(path, "vgg11()"),)


def test_a_model_that_a_module_holds(model_file):
    model_file("model = nn.Sequential(*[nn.Conv2d(3, 3, 3, padding=1) for _ in range(7)])\n", "module_with_a_model.py")
    with own_imports():
        ((_, layer, chain),) = findings_of("module_with_a_model:model", 8, select=("RF101",))
    assert layer == "4"
    assert chain[0] == call("module_with_a_model.py", "nn.Conv2d(3, 3, 3, padding=1)")


def test_a_file_that_is_a_link(model_file, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    model_file(CHAIN, "elsewhere/model.py")
    (tmp_path / "link.py").symlink_to(tmp_path / "elsewhere" / "model.py")
    assert findings_of("link.py", 8, select=("RF101",))[0][2] == function_of("link.py")


def test_a_file_elsewhere_has_its_whole_path(model_file, tmp_path, monkeypatch):
    path = str(tmp_path / model_file(CHAIN))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for target in (path, "../model.py"):
        assert findings_of(target, 8, select=("RF101",))[0][2] == function_of(path)


def test_a_model_that_needs_data_has_the_same_places(model_file):
    path = model_file(CHAIN)
    places = findings_of(path)
    needing = model_file(CHAIN.replace("return self.convs(x)", "return self.convs(x) if x.sum().item() < 9 else x"), "data.py")
    assert findings_of(needing) == [
        (code, layer, tuple(span._replace(path=needing) for span in chain)) for code, layer, chain in places
    ]


def test_decorated_classes_and_dataclasses(model_file):
    path = model_file(
        "from dataclasses import dataclass\ndef same(cls):\n    return cls\n"
        "@same\n@dataclass(eq=False)\nclass Net(nn.Module):\n    depth: int = 7\n    def __post_init__(self):\n"
        "        super().__init__()\n        self.f = nn.Sequential(*[nn.Conv2d(3, 3, 3, padding=1) for _ in range(self.depth)])\n"
        "    def forward(self, x):\n        return self.f(x)\n"
    )
    (found,) = load_targets(path)
    assert found.line == definition(path, "Net").line
    (finding,) = findings_of(path, 8, select=("RF101",))
    assert finding[2][0] == call(path, "nn.Conv2d(3, 3, 3, padding=1)")


def test_a_tag_of_weights_names_the_model_without_them():
    pytest.importorskip("timm")
    model, on_meta = load_targets("timm:resnet18.a1_in1k")[0].build()
    assert on_meta
    assert sum(parameter.numel() for parameter in model.parameters()) == 11_689_512
