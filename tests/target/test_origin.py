"""Where modules were made; the oracle is where Python's own parser sees the calls."""

from __future__ import annotations

import threading
import weakref
from pathlib import Path

import pytest
import torch
from torch import nn

from rfcheck.span import Span
from rfcheck.target.isolation import own_imports
from rfcheck.target.load import load_targets
from rfcheck.target.origin import ConstructionSites, origin_of_classes
from tests.call_sites import call, definition

NET = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        {init}
    def forward(self, x):
        return x
"""


def chains_of(target: str) -> dict[str, tuple[Span, ...]]:
    """The chains of the last model that a target stands for, built as the command line does."""
    found = load_targets(target)[-1]
    model, _ = found.build()
    return dict(found.origin(model).modules)


def net(init: str) -> str:
    return NET.format(init=init)


HELPERS = """
import copy, functools, types
from collections import OrderedDict
from torchvision import models
def conv(width):
    return nn.Conv2d(3, width, 3)
def block(width):
    return nn.Sequential(conv(width), nn.MaxPool2d(2))
def clones(module, n):
    return nn.ModuleList([copy.deepcopy(module) for _ in range(n)])
class Plain(nn.Conv2d):
    pass
class Own(nn.Conv2d):
    def __init__(self, width):
        super().__init__(3, width, 3)
class Further(Own):
    def __init__(self):
        width = 7
        super().__init__(width)
class Mixin:
    def __init__(self, *args):
        super().__init__(*args)
class Mixed(Mixin, Own):
    pass
class Node(nn.Module):
    def __init__(self, depth):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, depth)
        self.child = Node(depth - 1) if depth > 1 else None
def logged(init):
    @functools.wraps(init)
    def wrapper(self, *args):
        init(self, *args)
    return wrapper
class Decorated(nn.Conv2d):
    @logged
    def __init__(self, width):
        super().__init__(3, width, 3)
class Meta(type(nn.Module)):
    def __call__(cls, *args):
        return super().__call__(*args)
class Metaclassed(nn.Conv2d, metaclass=Meta):
    pass
class Explicit(nn.Module):
    def __init__(self):
        nn.Module.__init__(self)
        self.add_module("conv", nn.Conv2d(9, 9, 9))
    @classmethod
    def made(cls):
        return cls()
"""

# what __init__ says, and for modules by name the calls, from the one that made the module outwards
CASES = {
    "attribute": ("self.conv = nn.Conv2d(1, 1, 1)", {"conv": ["nn.Conv2d(1, 1, 1)"]}),
    "several on one line": (
        "self.a, self.b = nn.Conv2d(1, 1, 1), nn.Conv2d(2, 2, 2)",
        {"a": ["nn.Conv2d(1, 1, 1)"], "b": ["nn.Conv2d(2, 2, 2)"]},
    ),
    "several lines": (
        "self.conv = nn.Conv2d(\n            1,\n            1, kernel_size=1,\n        )",
        {"conv": ["nn.Conv2d(\n            1,\n            1, kernel_size=1,\n        )"]},
    ),
    "arguments of another": (
        "self.f = nn.Sequential(\n            nn.Conv2d(1, 1, 1),\n            nn.Sequential(nn.Conv2d(2, 2, 2)),\n        )",
        {"f.0": ["nn.Conv2d(1, 1, 1)"], "f.1": ["nn.Sequential(nn.Conv2d(2, 2, 2))"], "f.1.0": ["nn.Conv2d(2, 2, 2)"]},
    ),
    "OrderedDict": (
        'self.f = nn.Sequential(OrderedDict([("a", nn.Conv2d(1, 1, 1)), ("b", nn.Identity())]))',
        {"f.a": ["nn.Conv2d(1, 1, 1)"], "f.b": ["nn.Identity()"]},
    ),
    "lambda": ("make = lambda: nn.Conv2d(1, 1, 1)\n        self.conv = make()", {"conv": ["nn.Conv2d(1, 1, 1)", "make()"]}),
    "loop": (
        'for i in range(3):\n            setattr(self, f"conv{i}", nn.Conv2d(1, 1, 1))',
        {f"conv{i}": ["nn.Conv2d(1, 1, 1)"] for i in range(3)},
    ),
    "factory": ("self.conv = conv(4)", {"conv": ["nn.Conv2d(3, width, 3)", "conv(4)"]}),
    "factory of factories": (
        "self.f = block(4)",
        {
            "f": ["nn.Sequential(conv(width), nn.MaxPool2d(2))", "block(4)"],
            "f.0": ["nn.Conv2d(3, width, 3)", "conv(width)", "block(4)"],
            "f.1": ["nn.MaxPool2d(2)", "block(4)"],
        },
    ),
    "class method": ("self.e = Explicit.made()", {"e": ["cls()", "Explicit.made()"]}),
    "partial": ("self.conv = functools.partial(nn.Conv2d, 3, 3)(1)", {"conv": ["functools.partial(nn.Conv2d, 3, 3)(1)"]}),
    "catalogue": (
        "self.backbone = models.squeezenet1_1(weights=None)",
        {
            "backbone": ["models.squeezenet1_1(weights=None)"],
            "backbone.features.0": ["models.squeezenet1_1(weights=None)"],
            "backbone.features.3.squeeze": ["models.squeezenet1_1(weights=None)"],
        },
    ),
    "torch's own clones": (
        "self.t = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, batch_first=True), 2)",
        {
            "t": ["nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, batch_first=True), 2)"],
            "t.layers.1.linear1": ["nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, batch_first=True), 2)"],
        },
    ),
    "own clones": (
        "self.f = clones(nn.Conv2d(1, 1, 1), 2)",
        {f"f.{i}": ["nn.ModuleList([copy.deepcopy(module) for _ in range(n)])", "clones(nn.Conv2d(1, 1, 1), 2)"] for i in range(2)},
    ),
    "subclass without a constructor": ("self.conv = Plain(3, 3, 1)", {"conv": ["Plain(3, 3, 1)"]}),
    "subclass with a constructor": ("self.conv = Own(5)", {"conv": ["Own(5)"]}),
    "subclass of a subclass": ("self.conv = Further()", {"conv": ["Further()"]}),
    "mixin": ("self.conv = Mixed(5)", {"conv": ["Mixed(5)"]}),
    "decorated constructor": ("self.conv = Decorated(5)", {"conv": ["Decorated(5)"]}),
    "metaclass": ("self.conv = Metaclassed(3, 3, 1)", {"conv": ["Metaclassed(3, 3, 1)"]}),
    "recursion": (
        "self.node = Node(3)",
        {
            "node": ["Node(3)"],
            "node.conv": ["nn.Conv2d(3, 3, depth)", "Node(3)"],
            "node.child": ["Node(depth - 1)", "Node(3)"],
            "node.child.child": ["Node(depth - 1)", "Node(3)"],
            "node.child.child.conv": ["nn.Conv2d(3, 3, depth)", "Node(depth - 1)", "Node(3)"],
        },
    ),
    "nn.Module.__init__ by name": ("self.e = Explicit()", {"e": ["Explicit()"], "e.conv": ["nn.Conv2d(9, 9, 9)", "Explicit()"]}),
    "exec": ('exec("self.conv = nn.Conv2d(1, 1, 1)")', {"conv": ['exec("self.conv = nn.Conv2d(1, 1, 1)")']}),
    "generated code that names no file": (
        'exec(compile("self.conv = nn.Conv2d(1, 1, 1)", "made_up.py", "exec"))',
        {"conv": ['exec(compile("self.conv = nn.Conv2d(1, 1, 1)", "made_up.py", "exec"))']},
    ),
    "eval": ('self.conv = eval("nn.Conv2d(1, 1, 1)")', {"conv": ['eval("nn.Conv2d(1, 1, 1)")']}),
    "shared": ("self.a = self.b = nn.Conv2d(1, 1, 1)", {"a": ["nn.Conv2d(1, 1, 1)"]}),
    "unicode before the call": (
        'self.ä, self.conv = "é€😀", nn.Conv2d(1, 1, 1, padding_mode="zeros" or "é😀")',
        {"conv": ['nn.Conv2d(1, 1, 1, padding_mode="zeros" or "é😀")']},
    ),
    "tabs and semicolons": ("x = 1;\tself.conv\t=\tnn.Conv2d(1,\t1, 1)", {"conv": ["nn.Conv2d(1,\t1, 1)"]}),
    "walrus": ("self.f = [conv := nn.Conv2d(1, 1, 1)]; self.conv = conv", {"conv": ["nn.Conv2d(1, 1, 1)"]}),
    "thread": (
        "import threading\n        def work():\n            self.conv = nn.Conv2d(1, 1, 1)\n"
        "        thread = threading.Thread(target=work); thread.start(); thread.join()",
        {"conv": ["nn.Conv2d(1, 1, 1)"]},
    ),
}


@pytest.mark.parametrize(("init", "expected"), CASES.values(), ids=list(CASES))
def test_the_calls_that_made_a_module(model_file, init, expected):
    path = model_file(HELPERS + net(init))
    chains = chains_of(f"{path}:Net")
    for name, texts in expected.items():
        lines = [call(path, text) for text in texts]
        assert chains[name] == tuple(lines), name


def test_comprehensions_and_generators(model_file):
    path = model_file(net(
        "self.f = nn.Sequential(*[\n            nn.Conv2d(1, 1, 1)\n            for _ in range(2)\n        ])\n"
        "        self.g = nn.Sequential(*(nn.Conv2d(2, 2, 2) for _ in range(2)))"
    ))  # fmt: skip
    chains = chains_of(path)
    for name, text in {"f.0": "nn.Conv2d(1, 1, 1)", "f.1": "nn.Conv2d(1, 1, 1)", "g.1": "nn.Conv2d(2, 2, 2)"}.items():
        assert chains[name][0] == call(path, text)


def test_a_copy_that_no_known_module_holds_has_the_definition_of_the_model(model_file):
    path = model_file("import copy\n" + net("self.conv = copy.deepcopy(nn.Conv2d(1, 1, 1))"))
    chains = chains_of(path)
    assert chains["conv"] == chains[""] == (definition(path, "Net"),)


def test_a_function_a_class_and_an_assignment_as_targets(model_file):
    path = model_file(
        net("self.conv = nn.Conv2d(1, 1, 1)")
        + "def build():\n    return nn.Sequential(Net())\n"
        + "\nmodel = nn.Sequential(nn.Conv2d(2, 2, 2), Net())\n"
    )
    assert chains_of(f"{path}:Net")["conv"] == (call(path, "nn.Conv2d(1, 1, 1)"),)
    assert chains_of(f"{path}:build")["0.conv"] == (call(path, "nn.Conv2d(1, 1, 1)"), call(path, "Net()", 0))
    assert chains_of(f"{path}:model")["0"] == (call(path, "nn.Conv2d(2, 2, 2)"),)
    assert chains_of(f"{path}:model")["1.conv"] == (call(path, "nn.Conv2d(1, 1, 1)"), call(path, "Net()", 1))
    lines = {name: definition(path, name).line for name in ("Net", "build")}
    lines["model"] = call(path, "nn.Sequential(nn.Conv2d(2, 2, 2), Net())").line
    for name, line in lines.items():
        (target,) = load_targets(f"{path}:{name}")
        assert target.origin(target.build()[0]).definition == (Span(path, line),)


def test_modules_of_the_project(model_file, tmp_path):
    (tmp_path / "project" / "parts").mkdir(parents=True)
    (tmp_path / "project" / "__init__.py").touch()
    (tmp_path / "project" / "parts" / "__init__.py").touch()
    model_file("def stem():\n    return nn.Conv2d(1, 1, 1)\nTAIL = nn.Conv2d(2, 2, 2)\n", "project/parts/blocks.py")
    path = model_file("from .parts.blocks import TAIL, stem\n" + net("self.f = nn.Sequential(stem(), TAIL)"), "project/net.py")
    blocks = "project/parts/blocks.py"
    with own_imports():
        chains = chains_of(path)
    assert chains["f.0"] == (call(blocks, "nn.Conv2d(1, 1, 1)"), call(path, "stem()"))
    assert chains["f.1"][0] == call(blocks, "nn.Conv2d(2, 2, 2)")


def test_equal_files_do_not_stand_in_for_each_other(model_file, tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        path = model_file(net("self.conv = nn.Conv2d(1, 1, 1)"), f"{folder}/model.py")
        assert chains_of(path)["conv"] == (call(path, "nn.Conv2d(1, 1, 1)"),)


def test_a_model_that_is_built_again_with_data(model_file):
    path = model_file(net("self.conv = nn.Conv2d(1, 1, 1)"))
    (target,) = load_targets(path)
    for model in (target.build()[0], target.build_with_data()):
        assert target.origin(model).modules["conv"] == (call(path, "nn.Conv2d(1, 1, 1)"),)


@pytest.mark.parametrize("text", ["torchvision:squeezenet1_1", "torchvision.models:squeezenet1_1"])
def test_models_of_the_environment_have_no_place(text):
    (target,) = load_targets(text)
    origin = target.origin(target.build()[0])
    assert origin.definition == ()
    assert set(origin.modules.values()) == {()}


class Ready(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 1)


def test_a_ready_model_is_where_its_class_is():
    here = str(Path(__file__).relative_to(Path.cwd()))
    model = nn.Sequential(Ready(), nn.Conv2d(1, 1, 1))
    origin = origin_of_classes(model)
    place = (definition(here, "Ready"),)
    assert origin.definition == ()
    assert origin.modules == {"": (), "0": place, "0.conv": place, "1": ()}
    assert origin_of_classes(model[0]).definition == place


def test_the_constructor_is_given_back():
    before = nn.Module.__init__
    for failing in (False, True):
        try:
            with ConstructionSites().recording():
                assert nn.Module.__init__ is not before
                if failing:
                    raise KeyError
        except KeyError:
            pass
        assert nn.Module.__init__ is before


def test_recordings_inside_each_other(tmp_path, monkeypatch):
    before = nn.Module.__init__
    outer, inner = ConstructionSites(), ConstructionSites()
    with outer.recording(), inner.recording(), outer.recording():
        module = nn.Conv2d(1, 1, 1)
    assert nn.Module.__init__ is before
    assert list(outer.frames) == list(inner.frames) == [id(module)]


def test_recordings_of_threads_that_overlap():
    before = nn.Module.__init__
    entered, left = threading.Event(), threading.Event()
    first, second = ConstructionSites(), ConstructionSites()
    made = []

    def work():
        with second.recording():
            entered.set()
            left.wait()
            made.append(nn.Linear(1, 1))

    thread = threading.Thread(target=work)
    with first.recording():
        thread.start()
        entered.wait()
    assert nn.Module.__init__ is not before
    left.set()
    thread.join()
    assert nn.Module.__init__ is before
    assert list(second.frames) == [id(made[0])]
    assert not first.frames


def test_another_constructor_that_the_code_installs_stays(monkeypatch):
    monkeypatch.setattr(nn.Module, "__init__", nn.Module.__init__)  # puts the true one back after the test
    seen = []
    with ConstructionSites().recording():
        inner = nn.Module.__init__

        def counting(self, *args, **kwargs):
            seen.append(type(self))
            inner(self, *args, **kwargs)

        nn.Module.__init__ = counting
    assert nn.Module.__init__ is counting
    with ConstructionSites().recording():
        nn.Identity()
    assert nn.Module.__init__ is counting
    nn.Identity()
    assert seen == [nn.Identity, nn.Identity]


def test_nothing_is_left_on_modules():
    sites = ConstructionSites()
    with sites.recording():
        noted = nn.Conv2d(1, 1, 1)
    assert vars(noted).keys() == vars(nn.Conv2d(1, 1, 1)).keys()
    reference = weakref.ref(noted)
    del noted
    assert reference() is None


def test_a_module_that_takes_the_place_of_one_that_is_gone():
    sites = ConstructionSites()
    with sites.recording():
        gone = Ready()
    frames = sites.frames[id(gone)]
    del gone
    other = nn.Conv2d(1, 1, 1)
    sites.frames[id(other)] = frames
    assert sites.chains(other) == {"": ()}


def test_a_compiled_model_has_the_places_of_what_was_compiled(model_file):
    path = model_file("def build():\n    return torch.compile(nn.Sequential(nn.Conv2d(1, 1, 1)))\n")
    assert chains_of(f"{path}:build")["0"] == (call(path, "nn.Conv2d(1, 1, 1)"),)
    assert origin_of_classes(torch.compile(Ready())).definition == origin_of_classes(Ready()).definition


def test_models_that_torch_makes_of_others(model_file):
    path = model_file(
        "import pickle\nfrom torch import fx\nfrom torch.nn.utils import parametrizations, skip_init\ndef build():\n"
        "    return nn.Sequential(\n"
        "        fx.symbolic_trace(nn.Sequential(nn.Conv2d(1, 1, 1))),\n"
        "        parametrizations.weight_norm(nn.Conv2d(2, 2, 2)),\n"
        "        skip_init(nn.Conv2d, 3, 3, 3),\n"
        "        pickle.loads(pickle.dumps(nn.Sequential(nn.Conv2d(4, 4, 4)))),\n    )\n"
    )
    chains = chains_of(f"{path}:build")
    assert chains["0.0"] == (call(path, "nn.Conv2d(1, 1, 1)"),)
    assert chains["1"] == (call(path, "nn.Conv2d(2, 2, 2)"),)
    assert chains["2"] == (call(path, "skip_init(nn.Conv2d, 3, 3, 3)"),)
    assert chains["3.0"] == chains["3"] == chains[""]
    assert chains[""][0].line == 7
