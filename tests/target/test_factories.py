"""Functions that make models, told by their text."""

from __future__ import annotations

import ast
import linecache
import types

import pytest

from rfcheck.target.factories import is_annotated, makes_module, only_makes, passed_classes, returns_module

HEAD = """
import copy, functools, torch
from torch import nn
class Block(nn.Module):
    pass
class Net(nn.Module):
    def __init__(self, block=None, classes=3):
        super().__init__()
    @classmethod
    def small(cls):
        return cls()
    @staticmethod
    def size():
        return 3
TABLE = {"a": Net}
ready = Net()
def _net(block, **kwargs):
    model = Net(block, **kwargs)
    model.eval()
    return model
def again():
    return again()
"""

MAKING = [
    "return Net(Block)",
    "return _net(Block)",
    "net = Net()\n    net = nn.DataParallel(net)\n    return net",
    "net: nn.Module = _net(Block)\n    return net",
    "return nn.Sequential(nn.ReLU())",
    "return torch.nn.Linear(3, 3).to('cpu').eval()",
    "if torch.cuda.is_available():\n        return None\n    return Net()",
    "return Net() if torch else None",
    "return torch and Net()",
    "return (made := Net())",
    "from torchvision.models import resnet18\n    return resnet18()",
    "import torchvision\n    return torchvision.models.vgg11(weights=None)",
    "import torchvision.models as zoo\n    return zoo.alexnet()",
    "return TABLE['a']()",
    "return Net.small()",
    "kind = Net if torch else Block\n    return kind()",
    "return copy.deepcopy(Net())",
    "return torch.compile(_net(None))",
    "return ready",
]
OTHER = [
    "return 3",
    "Net()",
    "return Net",
    "return Net(), 3",
    "return Net.size()",
    "return torch.zeros(3)",
    "return unknown()",
    "yield Net()",
    "return again()",
    "def inner():\n        return Net()\n    return 3",
    "return ready(3)",
    "import nowhere_at_all\n    return nowhere_at_all.net()",
    "return Net().state_dict()",
    "return [Net()]",
]


def module_of(code: str, name: str) -> types.ModuleType:
    module = types.ModuleType(name)
    linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
    exec(compile(code, name, "exec"), vars(module))
    return module


@pytest.mark.parametrize(("body", "expected"), [*((one, True) for one in MAKING), *((one, False) for one in OTHER)])
def test_what_a_function_returns(body, expected):
    code = f"{HEAD}def make():\n    {body}\n"
    module = module_of(code, "rf_factories.py")
    node = ast.parse(code).body[-1]
    assert returns_module(node, vars(module)) is expected
    assert makes_module(module.make) is expected


def test_lambdas_partials_and_wrapped_functions():
    code = (
        f"{HEAD}one = lambda: Net(Block)\ntwo = functools.partial(Net, Block)\nthree = lambda: 3\n"
        "def note(f):\n    @functools.wraps(f)\n    def inner(*args):\n        return f(*args)\n    return inner\n"
        "@note\ndef four():\n    return Net()\n"
    )
    module = module_of(code, "rf_lambdas.py")
    assert [makes_module(getattr(module, name)) for name in ("one", "two", "three", "four")] == [True, True, False, True]


def test_annotations():
    code = HEAD + "def a() -> 'Net': ...\ndef b() -> nn.Module: ...\ndef c() -> int: ...\ndef d() -> 'Gone': ...\n"
    module = module_of(code, "rf_notes.py")
    assert [is_annotated(getattr(module, name)) for name in "abcd"] == [True, True, False, False]
    assert not is_annotated(print)


def test_classes_that_are_passed():
    code = HEAD + "def net():\n    return Net(block=[Block])\nother = functools.partial(Net, Block)\nprint(Net)\n"
    assert passed_classes(ast.parse(code), vars(module_of(code, "rf_passed.py"))) == {"Block"}
    code = HEAD + "print(Block)\n"
    assert passed_classes(ast.parse(code), vars(module_of(code, "rf_passed.py"))) == set()


def test_work_that_is_no_making():
    assert only_makes([ast.parse("net = Net()\nnet.load_state_dict({})")])
    for work in ("loss.backward()", "DataLoader(x)", "parser.parse_args()", "optimizer.step()"):
        assert not only_makes([ast.parse(f"net = Net()\n{work}")])
